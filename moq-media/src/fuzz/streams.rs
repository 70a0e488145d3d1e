//! Streams without boxes, whole and in pieces.

use bytes::Bytes;

use super::check::bounded;
use crate::fmp4::{DemuxError, Event};
use crate::{annexb, ts};

/// A transport stream: the same in pieces as in one, in bounded memory.
///
/// # Panics
/// When one of these does not hold.
pub fn ts(data: &[u8]) {
    check(data, |input, size, tell| {
        let mut demuxer = ts::Demuxer::default();
        for piece in pieces(input, size) {
            demuxer.push(piece);
            drain(|| demuxer.next(), tell);
        }
        demuxer.finish();
        drain(|| demuxer.next(), tell);
    });
}

/// H.264 with start codes, likewise.
///
/// # Panics
/// When one of these does not hold.
pub fn annexb(data: &[u8]) {
    check(data, |input, size, tell| {
        let mut demuxer = annexb::Demuxer::default();
        for piece in pieces(input, size) {
            demuxer.push(piece);
            drain(|| demuxer.next(), tell);
        }
        demuxer.finish();
        drain(|| demuxer.next(), tell);
    });
}

/// What is told of an event, and how many bytes its sample has.
type Tell<'a> = dyn FnMut(String, usize) + 'a;

/// Reads the input in pieces of `size` bytes.
type Read = fn(&Bytes, usize, &mut Tell<'_>);

fn check(data: &[u8], read: Read) {
    let Some((&size, input)) = data.split_first() else {
        return;
    };
    let input = Bytes::copy_from_slice(input);
    let most = ALLOWANCE + FACTOR * input.len() as u64;
    bounded(most, || read(&input, input.len().max(1), &mut |_, _| {}));
    let told = |size| {
        let (mut told, mut bytes) = (Vec::new(), 0);
        read(&input, size, &mut |text, size| {
            told.push(text);
            bytes += size;
        });
        (told, bytes)
    };
    let (whole, bytes) = told(input.len().max(1));
    let (pieces, _) = told(usize::from(size).max(1));
    assert_eq!(pieces, whole, "in pieces of {size}");
    // A start code of three bytes becomes a length of four.
    assert!(bytes <= 2 * input.len(), "bytes are told twice");
}

fn pieces(input: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    let starts = (0..input.len()).step_by(size);
    starts.map(move |start| input.slice(start..input.len().min(start + size)))
}

fn drain(mut next: impl FnMut() -> Result<Option<Event>, DemuxError>, tell: &mut Tell<'_>) {
    loop {
        match next() {
            Ok(Some(Event::Sample(sample))) => {
                let bytes = sample.payload.len();
                tell(format!("{sample:?}"), bytes);
            }
            Ok(Some(event)) => tell(format!("{event:?}"), 0),
            Ok(None) => return,
            Err(error) => {
                tell(error.to_string(), 0);
                return;
            }
        }
    }
}

/// What may be allocated for nothing.
const ALLOWANCE: u64 = 1 << 20;

/// Bytes that may be held for each that came: each is copied a few times, and an event has its own size.
const FACTOR: u64 = 64;
