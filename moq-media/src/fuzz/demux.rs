//! Files, whole and in pieces.

use bytes::Bytes;

use super::check::bounded;
use crate::fmp4::{Demuxer, Event, Limits, Sample};

/// What a demuxer tells.
#[derive(Debug, PartialEq)]
enum Told {
    Sample(Sample),
    Other(String),
    Failed(String),
}

/// A fragmented MP4 file: the same in pieces as in one, in bounded memory.
///
/// # Panics
/// When one of these does not hold.
pub fn demux(data: &[u8]) {
    let Some((&size, input)) = data.split_first() else {
        return;
    };
    let input = Bytes::copy_from_slice(input);
    let most = ALLOWANCE + 4 * input.len() as u64;
    bounded(most, || read(&input, input.len(), drop));
    let told = |size| {
        let mut told = Vec::new();
        read(&input, size, |item| told.push(item));
        told
    };
    let whole = told(input.len());
    assert_eq!(told(size.into()), whole, "in pieces of {size}");
    let sizes = whole.iter().map(|told| match told {
        Told::Sample(sample) => sample.payload.len(),
        Told::Other(_) | Told::Failed(_) => 0,
    });
    assert!(sizes.sum::<usize>() <= input.len(), "bytes are told twice");
}

/// Reads `input` in pieces of `size` bytes.
fn read(input: &Bytes, size: usize, mut tell: impl FnMut(Told)) {
    let limits = Limits {
        samples: 1_000,
        ..Limits::default()
    };
    let mut demuxer = Demuxer::new(limits);
    let size = size.max(1);
    for start in (0..input.len()).step_by(size) {
        demuxer.push(input.slice(start..input.len().min(start + size)));
        if drain(&mut demuxer, &mut tell).is_err() {
            return;
        }
    }
    demuxer.finish();
    let _ = drain(&mut demuxer, &mut tell);
}

fn drain(demuxer: &mut Demuxer, tell: &mut impl FnMut(Told)) -> Result<(), ()> {
    loop {
        match demuxer.next() {
            Ok(Some(Event::Sample(sample))) => tell(Told::Sample(sample)),
            Ok(Some(event)) => tell(Told::Other(format!("{event:?}"))),
            Ok(None) => return Ok(()),
            Err(error) => {
                tell(Told::Failed(error.to_string()));
                return Err(());
            }
        }
    }
}

/// What may be allocated for nothing: the samples of a fragment may have no bytes.
const ALLOWANCE: u64 = 1 << 20;
