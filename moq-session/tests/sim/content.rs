//! What is published: everything follows from where it stands, so that whoever reads it can check
//! it, and knows where it comes from if it is in the wrong place.

use bytes::Bytes;

use crate::rng::{hash, mix};

/// A place in the life of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which life of the publisher it is, from 1.
    pub epoch: u64,
    pub track: u64,
    pub group: u64,
    pub index: u64,
}

/// How a group is going to be. One without frames stands alone, or in a run of up to seven.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub frames: u64,
    /// The publisher gives it up after its frames.
    pub is_aborted: bool,
    /// The publisher leaves its number out.
    pub is_missing: bool,
    /// It is one frame that is sent as a datagram, on a track with datagrams.
    pub is_datagram: bool,
}

/// Groups of which a run without frames is a part.
const RUN: u64 = 8;

/// The shape of a group.
pub fn shape(epoch: u64, track: u64, group: u64) -> Shape {
    let dice = hash(&[epoch, track, group]);
    let run = hash(&[epoch, track, group / RUN, RUN]);
    let is_in_run = run.is_multiple_of(13) && group % RUN > (run >> 8) % (RUN - 1);
    Shape {
        frames: if is_in_run || dice.is_multiple_of(37) {
            0
        } else {
            1 + (dice >> 8) % 4
        },
        is_aborted: (dice >> 16).is_multiple_of(19),
        is_missing: (dice >> 24).is_multiple_of(29),
        is_datagram: (dice >> 32).is_multiple_of(5),
    }
}

const HEADER: usize = 40;

/// The payload at a place. Some that are not first are empty.
pub fn payload(place: Place) -> Bytes {
    let Place {
        epoch,
        track,
        group,
        index,
    } = place;
    let dice = hash(&[epoch, track, group, index]);
    if index > 0 && dice.is_multiple_of(11) {
        return Bytes::new();
    }
    let mut payload = Vec::new();
    for value in [epoch, track, group, index, dice] {
        payload.extend_from_slice(&value.to_be_bytes());
    }
    let len = if dice.is_multiple_of(7) {
        3_000
    } else {
        (dice >> 32) % 300
    };
    let mut filler = dice;
    for _ in 0..len {
        filler = mix(filler);
        payload.push(filler.to_le_bytes()[0]);
    }
    payload.into()
}

/// Where a payload says that it belongs; `None` for an empty one.
pub fn place(payload: &[u8]) -> Option<Place> {
    let header = payload.get(..HEADER)?;
    let mut values = header.chunks_exact(8).map(|chunk| {
        chunk
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    });
    Some(Place {
        epoch: values.next()?,
        track: values.next()?,
        group: values.next()?,
        index: values.next()?,
    })
}
