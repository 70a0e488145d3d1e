//! Input for the examples of this crate's documentation.

use bytes::Bytes;

use crate::codec::{Config, Media};
use crate::fmp4::{FragmentSample, InitTrack, write_entry, write_fragment, write_init};
use crate::timeline::Scale;

/// A second of Opus in one fragmented MP4, whose packets decode to nothing.
///
/// # Panics
/// Never: what is written is fixed.
#[must_use]
pub fn audio() -> Bytes {
    let media = Media::Audio {
        sample_rate: 48_000,
        channels: 2,
    };
    let scale = Scale::new(48_000).expect("48 000 is not zero");
    let entry = write_entry(&Config::new("opus".to_owned(), None, media));
    let entry = entry.expect("Opus has an entry");
    let mut file = write_init(&[InitTrack::new(1, scale, media, entry)])
        .expect("one track fits")
        .to_vec();
    for fragment in 0..10_u32 {
        let silence = Bytes::from_static(&[0xfc, 0xff, 0xfe]);
        let samples = vec![FragmentSample::new(960, 0, true, silence.into()); 5];
        let start = u64::from(fragment) * 4_800;
        let fragment = write_fragment(fragment + 1, 1, start, &samples);
        file.extend_from_slice(&fragment.expect("five samples fit"));
    }
    file.into()
}
