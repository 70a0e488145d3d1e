//! Damaged input all the way through, without ffmpeg.

mod random;

use std::time::Duration;

use bytes::Bytes;
use moq_media::assembler::{Assembler, AssemblerConfig, Source};
use moq_media::catalog::CatalogReader;
use moq_media::container::{cmaf, legacy, loc};
use moq_media::fmp4::{Demuxer, Init};
use moq_media::packager::{Format, Output, Packager, PackagerConfig};
use random::Random;

#[test]
fn damaged_files_end_in_a_value() {
    let good = moq_media::doc::audio();
    let mut random = Random(27);
    let mut frames = 0;
    for round in 0..3_000 {
        let bad = damaged(&good, &mut random);
        let format = [Format::Legacy, Format::Loc, Format::Cmaf][round % 3];
        frames += packaged(bad, format);
    }
    assert!(frames > 10_000, "most of the input is still good: {frames}");
}

/// How many frames become of an input, whatever is wrong with it.
fn packaged(input: Bytes, format: Format) -> usize {
    let mut config = PackagerConfig::default();
    config.format = format;
    let (mut demuxer, mut packager) = (Demuxer::default(), Packager::new(config));
    demuxer.push(input);
    demuxer.finish();
    while let Ok(Some(event)) = demuxer.next() {
        if packager.push(event, Duration::ZERO).is_err() {
            break;
        }
    }
    let _ = packager.finish();
    let outputs = std::iter::from_fn(|| packager.pop());
    outputs
        .filter(|output| matches!(output, Output::Frame { .. }))
        .count()
}

#[test]
fn damaged_frames_and_catalogs_end_in_a_value() {
    let json = br#"{"video":{"renditions":{"v":{"codec":"avc1.64001e","description":"0164001e",
        "container":{"kind":"cmaf","init":"AAAA"},"codedWidth":640,"codedHeight":360}},"flip":true},
        "audio":{"renditions":{"a":{"codec":"mp4a.40.2","description":"1190","sampleRate":48000,
        "numberOfChannels":2,"container":{"kind":"legacy"}}}},"clock":{"wall":null}}"#;
    let doc = moq_media::doc::audio();
    let init = Init::read(&doc).expect("there is a moov");
    let moof = doc
        .windows(4)
        .position(|kind| kind == b"moof")
        .expect("there are fragments");
    let frame = doc.slice(moof - 4..);
    let mut random = Random(28);
    let mut read = 0;
    for _ in 0..20_000 {
        let bad = damaged(&Bytes::from_static(json), &mut random);
        if let Ok(reading) = CatalogReader::default().snapshot(&bad) {
            let written = reading.catalog.to_json();
            let again = CatalogReader::default().snapshot(written.as_bytes());
            assert_eq!(again.expect("our own").catalog, reading.catalog);
            read += 1;
            let video = reading.catalog.video.iter();
            let sources = video.filter_map(|(name, video)| Source::video(name, video).ok());
            let _ = Assembler::new(sources.collect(), AssemblerConfig::default());
        }
        let bad = damaged(&frame, &mut random);
        let _ = cmaf::decode(&bad, &init);
        let _ = legacy::decode(bad.clone());
        let _ = loc::decode(bad);
    }
    assert!(read > 100, "{read}");
}

/// Some bytes changed, and often the end cut off.
fn damaged(good: &Bytes, random: &mut Random) -> Bytes {
    let mut bad = good.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bad.len());
        bad[at] = random.below(256) as u8;
    }
    if random.below(2) == 0 {
        bad.truncate(1 + random.below(bad.len()));
    }
    bad.into()
}
