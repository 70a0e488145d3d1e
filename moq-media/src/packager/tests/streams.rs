//! Inputs that have no boxes, in `cmaf`.

use super::*;
use crate::codec::nal;
use crate::fmp4::Demuxer;
use crate::ts;

const H264_AAC: &[u8] = include_bytes!("../../../tests/corpus/ts/h264-aac");

const H265_OPUS: &[u8] = include_bytes!("../../../tests/corpus/ts/h265-opus");

/// The catalog and the samples of the picture, by the bytes that are published of a transport stream.
fn published(input: &'static [u8]) -> (crate::catalog::Catalog, Vec<Sample>) {
    let mut demuxer = ts::Demuxer::default();
    demuxer.push(Bytes::from_static(&input[1..]));
    demuxer.finish();
    let mut packager = Packager::new(PackagerConfig {
        format: Format::Cmaf,
        ..PackagerConfig::default()
    });
    while let Some(event) = demuxer.next().unwrap() {
        packager.push(event, Duration::ZERO).unwrap();
    }
    packager.finish().unwrap();
    let (mut catalog, mut frames, mut video) = (None, Vec::new(), None);
    while let Some(output) = packager.pop() {
        match output {
            Output::Open(opened) if opened.is_video => video = Some(opened.track),
            Output::Catalog(told) => catalog = Some(told),
            Output::Frame { track, payload, .. } if Some(track) == video => frames.push(payload),
            _ => {}
        }
    }
    let catalog = catalog.unwrap();
    let Container::Cmaf { init } = catalog.video["video0"].container.clone() else {
        panic!("it is {:?}", catalog.video["video0"].container);
    };
    let mut demuxer = Demuxer::default();
    demuxer.push(init);
    frames.into_iter().for_each(|frame| demuxer.push(frame));
    demuxer.finish();
    let mut samples = Vec::new();
    while let Some(event) = demuxer.next().unwrap() {
        match event {
            Event::Init(init) => {
                let entry = &init.tracks[0].entry;
                assert_eq!(entry.config.codec, catalog.video["video0"].codec);
                assert!(entry.config.description.is_some());
            }
            Event::Sample(sample) => samples.push(sample),
            _ => {}
        }
    }
    (catalog, samples)
}

/// The first byte of each unit.
fn heads(sample: &Sample) -> Vec<u8> {
    let units = nal::with_lengths(&sample.payload, 4).map(Result::unwrap);
    let heads = units.map(|(start, _)| sample.payload.read::<1>(start).unwrap()[0]);
    heads.collect()
}

#[test]
fn h264_has_its_parameter_sets_in_the_sample_entry_alone() {
    let (catalog, samples) = published(H264_AAC);
    assert_eq!(catalog.video["video0"].codec, "avc1.64000a");
    assert_eq!(catalog.audio["audio0"].codec, "mp4a.40.2");
    assert!(catalog.audio["audio0"].description.is_some());
    assert_eq!(samples.len(), 10);
    let heads = samples.iter().flat_map(heads);
    let kinds: Vec<_> = heads.map(|head| head & 0x1f).collect();
    assert!(kinds.contains(&5), "{kinds:?}");
    assert!(!kinds.contains(&7) && !kinds.contains(&8), "{kinds:?}");
}

#[test]
fn h265_too() {
    let (catalog, samples) = published(H265_OPUS);
    let codec = &catalog.video["video0"].codec;
    assert!(codec.starts_with("hvc1.1.6.L"), "{codec}");
    let kinds: Vec<_> = samples
        .iter()
        .flat_map(heads)
        .map(|head| head >> 1 & 0x3f)
        .collect();
    assert!(
        kinds.iter().any(|kind| matches!(kind, 16..=21)),
        "{kinds:?}"
    );
    assert!(
        !kinds.iter().any(|kind| matches!(kind, 32..=34)),
        "{kinds:?}"
    );
}

#[test]
fn parameter_sets_that_are_no_part_of_the_entry_stay() {
    let mut entry = init("avc1", 30).tracks[0].entry.clone();
    let units = [0, 0, 0, 2, 0x68, 1, 0, 0, 0, 2, 0x68, 2, 0, 0, 0, 1, 0x65];
    let sample = Bytes::copy_from_slice(&units).into();
    let rest = bitstream::without_sets(&entry, &sample).unwrap();
    assert_eq!(rest.to_bytes(), units[6..]);
    entry.nal_length_size = 1;
    let cut = Bytes::from_static(&[9, 0x68]).into();
    assert_eq!(bitstream::without_sets(&entry, &cut), None);
}
