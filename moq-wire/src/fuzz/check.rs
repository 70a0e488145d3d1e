//! What has to hold of anything that is decoded.

use std::fmt::Debug;
use std::sync::OnceLock;

use bytes::BytesMut;

use crate::codec::{Decode, Encode, decode_body};
use crate::envelope::{put_message, split_message};
use crate::error::DecodeError;
use crate::limits::MAX_MESSAGE;
use crate::version::Version;

/// Runs a function once and says how many bytes it had allocated at most.
pub type Meter = fn(&mut dyn FnMut()) -> u64;

/// Lets every target check, with `meter`, how much memory it takes to decode.
///
/// Only the first call has an effect.
pub fn measure_with(meter: Meter) {
    METER.get_or_init(|| meter);
}

static METER: OnceLock<Meter> = OnceLock::new();

/// Runs `decode` on `input` bytes.
pub(super) fn bounded<T>(input: usize, decode: impl FnOnce() -> T) -> T {
    let Some(meter) = METER.get() else {
        return decode();
    };
    let mut decode = Some(decode);
    let mut result = None;
    let peak = meter(&mut || result = decode.take().map(|decode| decode()));
    assert!(
        peak <= ALLOWANCE + input as u64,
        "{peak} bytes were allocated for {input}"
    );
    result.expect("a meter runs what it measures")
}

/// The version that the first byte picks, and the rest.
pub(super) fn versioned(data: &[u8]) -> Option<(Version, BytesMut)> {
    let (&first, rest) = data.split_first()?;
    let version = Version::ALL[usize::from(first) % Version::ALL.len()];
    Some((version, BytesMut::from(rest)))
}

/// Takes one message off the front of `buf`, if there is a good one, and checks it.
pub(super) fn message<M>(buf: &mut BytesMut, version: Version) -> Option<M>
where
    M: Encode + Decode + PartialEq + Debug,
{
    let received = buf.clone();
    let body = bounded(received.len(), || split_message(buf, MAX_MESSAGE, version))
        .ok()
        .flatten()?;
    let message = bounded(body.len(), || decode_body::<M>(body, version)).ok()?;
    let mut written = BytesMut::new();
    let put = put_message(&message, &mut written, version);
    assert_eq!(put, Ok(()), "what was decoded can be encoded");
    let taken = received.len() - buf.len();
    for spelling in [&received[..taken], &written[..]] {
        let mut again = BytesMut::new();
        trickle(spelling, &[(spelling.len(), &message)], |buf| {
            let Some(body) = split_message(buf, MAX_MESSAGE, version)? else {
                return Ok(None);
            };
            let message = decode_body::<M>(body, version)?;
            assert_eq!(put_message(&message, &mut again, version), Ok(()));
            Ok(Some(message))
        });
        assert_eq!(again, written);
    }
    Some(message)
}

/// Takes items off the front of `data` for as long as there are good ones, and checks that they are
/// the same when the bytes arrive one by one. `decoder` makes what takes off one item.
pub(super) fn items<T, S>(data: &BytesMut, decoder: impl Fn() -> S) -> Vec<T>
where
    T: PartialEq + Debug,
    S: FnMut(&mut BytesMut) -> Result<Option<T>, DecodeError>,
{
    let mut buf = data.clone();
    let mut split = decoder();
    let mut items = Vec::new();
    let mut ends = Vec::new();
    while let Ok(Some(item)) = bounded(buf.len(), || split(&mut buf)) {
        items.push(item);
        ends.push(data.len() - buf.len());
    }
    let taken = ends.last().copied().unwrap_or(0);
    let items_with_ends = ends.into_iter().zip(&items).collect::<Vec<_>>();
    trickle(&data[..taken], &items_with_ends, decoder());
    items
}

/// Feeds `stream` byte by byte: each item has to appear where it ends, and nothing else anywhere.
pub(super) fn trickle<T: PartialEq + Debug>(
    stream: &[u8],
    items: &[(usize, &T)],
    mut split: impl FnMut(&mut BytesMut) -> Result<Option<T>, DecodeError>,
) {
    let mut expected = items.iter().copied().peekable();
    let mut buf = BytesMut::new();
    for (index, byte) in stream.iter().enumerate() {
        buf.extend_from_slice(&[*byte]);
        let item = split(&mut buf).expect("what was encoded can be decoded");
        let due = expected.next_if(|&(end, _)| end == index + 1);
        assert_eq!(item.as_ref(), due.map(|(_, item)| item));
    }
    assert_eq!(expected.next(), None);
    assert!(buf.is_empty());
}

/// What may be allocated for nothing.
const ALLOWANCE: u64 = 4096;
