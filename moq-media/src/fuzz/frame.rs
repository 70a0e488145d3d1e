//! Single frames.

use bytes::Bytes;

use crate::container::{cmaf, legacy, loc};
use crate::fmp4::Init;

/// A frame of the container that the first byte picks.
///
/// # Panics
/// When a frame is another one once it is written and read again, or has more bytes in its samples than
/// it has itself.
pub fn frame(data: &[u8]) {
    let Some((&container, frame)) = data.split_first() else {
        return;
    };
    let frame = Bytes::copy_from_slice(frame);
    match container % 3 {
        0 => {
            if let Ok((timestamp, payload)) = legacy::decode(frame) {
                let again = legacy::encode(timestamp, &payload.clone().into());
                let again = again.expect("what was read can be written");
                let again = legacy::decode(again).expect("what was written can be read");
                assert_eq!(again, (timestamp, payload));
            }
        }
        1 => {
            if let Ok((timestamp, payload)) = loc::decode(frame) {
                let again = loc::encode(timestamp, &payload.clone().into());
                let again = again.expect("what was read can be written");
                let again = loc::decode(again).expect("what was written can be read");
                assert_eq!(again, (timestamp, payload));
            }
        }
        _ => fragment(&frame),
    }
}

fn fragment(frame: &Bytes) {
    let init = Init::read(&crate::doc::audio()).expect("the documentation has a moov");
    if let Ok(samples) = cmaf::decode(frame, &init) {
        let sizes = samples.iter().map(|sample| sample.payload.len());
        assert!(sizes.sum::<usize>() <= frame.len(), "bytes are told twice");
    }
}
