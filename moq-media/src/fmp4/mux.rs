//! Samples → fragments.

use bytes::Bytes;
use mp4_atom::{Encode, Mfhd, Moof, Tfdt, Tfhd, Traf, Trun, TrunEntry};

use crate::payload::Payload;

/// A sample as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FragmentSample {
    /// How long it lasts until the next one is decoded, in ticks.
    pub duration: u32,
    /// How long after it is decoded it is shown, in ticks.
    pub composition: i32,
    /// Whether decoding may begin here.
    pub is_key: bool,
    /// Its bytes.
    pub payload: Payload,
}

impl FragmentSample {
    /// A sample of these parts.
    #[must_use]
    pub fn new(duration: u32, composition: i32, is_key: bool, payload: Payload) -> Self {
        Self {
            duration,
            composition,
            is_key,
            payload,
        }
    }
}

/// Why a fragment can't be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MuxError {
    /// The samples of one fragment have more bytes than a box holds.
    #[error("fragment of {0} bytes, a box holds less than 4 GiB")]
    TooLarge(usize),
    /// The boxes can't be written.
    #[error("writing boxes")]
    Boxes(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Writes `moof` and `mdat` of one track. The first sample is decoded at `start`, in ticks.
///
/// # Errors
/// [`MuxError::TooLarge`] from 4 GiB on.
pub fn write_fragment(
    sequence: u32,
    track: u32,
    start: u64,
    samples: &[FragmentSample],
) -> Result<Bytes, MuxError> {
    let payload: usize = samples.iter().map(|sample| sample.payload.len()).sum();
    let too_large = || MuxError::TooLarge(payload);
    let mdat = payload
        .checked_add(8)
        .and_then(|size| u32::try_from(size).ok())
        .ok_or_else(too_large)?;
    let reorders = samples.iter().any(|sample| sample.composition != 0);
    let entries = samples.iter().map(|sample| TrunEntry {
        duration: Some(sample.duration),
        size: u32::try_from(sample.payload.len()).ok(),
        flags: Some(if sample.is_key { SYNC } else { NON_SYNC }),
        cts: reorders.then_some(sample.composition.into()),
    });
    let mut moof = Moof {
        mfhd: Mfhd {
            sequence_number: sequence,
        },
        traf: vec![Traf {
            tfhd: Tfhd {
                track_id: track,
                default_base_is_moof: true,
                ..Tfhd::default()
            },
            tfdt: Some(Tfdt {
                base_media_decode_time: start,
            }),
            trun: vec![Trun {
                data_offset: Some(0),
                samples: entries.collect::<Vec<_>>().into(),
            }],
            ..Traf::default()
        }],
    };
    let per_sample = if reorders { 16 } else { 12 };
    let head = MOOF + per_sample * samples.len();
    moof.traf[0].trun[0].data_offset = i32::try_from(head + 8).ok();
    let mut fragment = Vec::with_capacity(head + 8 + payload);
    moof.encode(&mut fragment)
        .map_err(|error| MuxError::Boxes(error.into()))?;
    debug_assert_eq!(fragment.len(), head, "the data's offset counts the moof");
    fragment.extend_from_slice(&mdat.to_be_bytes());
    fragment.extend_from_slice(b"mdat");
    for sample in samples {
        sample.payload.copy_to(&mut fragment);
    }
    Ok(fragment.into())
}

/// Bytes of a `moof` of one track and one run, without its samples.
const MOOF: usize = 8 + 16 + 8 + 16 + 20 + 20;

/// Depends on no other sample.
const SYNC: u32 = 0x0200_0000;

/// Depends on others, and decoding can't begin here.
const NON_SYNC: u32 = 0x0101_0000;
