use bytes::Bytes;

use super::*;
use crate::catalog::{AudioRendition, Container, VideoRendition};
use crate::codec::Media;
use crate::container::{ContainerError, cmaf, legacy};
use crate::fmp4::{Demuxer, Event, FragmentSample, InitTrack, write_init};
use crate::payload::Payload;

fn audio(name: &str) -> Source {
    Source::audio(name, &AudioRendition::new("opus", 48_000, 2)).unwrap()
}

/// H.264 whose parameter sets are in the stream.
fn video(name: &str) -> Source {
    Source::video(name, &VideoRendition::new("avc1.42c01e")).unwrap()
}

fn frame(micros: u64, payload: &[u8]) -> Bytes {
    let payload = Payload::from(Bytes::copy_from_slice(payload));
    legacy::encode(micros, &payload).unwrap()
}

/// A key frame with its parameter sets: 320×240, baseline.
const KEY: &[u8] = &[
    0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x07, 0xe4, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80,
    0, 0, 0, 1, 0x65, 9,
];

const DELTA: &[u8] = &[0, 0, 0, 1, 0x41, 9];

fn feed(assembler: &mut Assembler, frames: &[(usize, u64, u64, &[u8])]) {
    for (rendition, group, micros, payload) in frames {
        let frame = frame(*micros, payload);
        assembler
            .frame(*rendition, *group, &frame)
            .unwrap()
            .unwrap();
    }
}

/// Track, decode time and shown time in microseconds, and key mark of what the output has.
fn samples(assembler: &mut Assembler) -> Vec<(u32, i64, i64, bool)> {
    let mut demuxer = Demuxer::default();
    while let Some(bytes) = assembler.pop() {
        demuxer.push(bytes);
    }
    demuxer.finish();
    let mut samples = Vec::new();
    while let Some(event) = demuxer.next().unwrap() {
        if let Event::Sample(sample) = event {
            samples.push((sample.track, sample.dts, sample.pts, sample.is_key));
        }
    }
    samples
}

#[test]
fn output_starts_at_zero_once_all_renditions_are_there() {
    let mut assembler = Assembler::new(vec![audio("a"), audio("b")], AssemblerConfig::default());
    let late = 7_200_000_000;
    feed(
        &mut assembler,
        &[(0, 0, late + 5_000, b"x"), (0, 0, late + 25_000, b"x")],
    );
    assert!(!assembler.is_started());
    feed(&mut assembler, &[(1, 0, late, b"y")]);
    assert!(assembler.is_started());
    let expected = [
        (1, 5_000, 5_000, true),
        (1, 25_000, 25_000, true),
        (2, 0, 0, true),
    ];
    assert_eq!(samples(&mut assembler), expected);
}

#[test]
fn times_are_kept_on_request() {
    let config = AssemblerConfig { keep_time: true };
    let mut assembler = Assembler::new(vec![audio("a")], config);
    feed(&mut assembler, &[(0, 0, 7_200_000_000, b"x")]);
    assert_eq!(samples(&mut assembler)[0].1, 7_200_000_000);
}

#[test]
fn rendition_without_a_frame_is_left_out_when_the_wait_is_over() {
    let mut assembler = Assembler::new(vec![audio("a"), video("v")], AssemblerConfig::default());
    feed(&mut assembler, &[(0, 0, 0, b"x")]);
    assembler.start().unwrap();
    assert_eq!(assembler.left_out().collect::<Vec<_>>(), ["v"]);
    feed(&mut assembler, &[(1, 0, 0, KEY)]);
    assert_eq!(samples(&mut assembler).len(), 1);
}

#[test]
fn parameter_sets_are_learned_from_the_first_key_frame() {
    let mut assembler = Assembler::new(vec![video("v")], AssemblerConfig::default());
    feed(
        &mut assembler,
        &[(0, 0, 0, KEY), (0, 0, 33_333, DELTA), (0, 1, 66_666, KEY)],
    );
    let bytes: Vec<Bytes> = std::iter::from_fn(|| assembler.pop()).collect();
    let init = crate::fmp4::Init::read(&bytes[0]).unwrap();
    let config = &init.tracks[0].entry.config;
    assert_eq!(config.codec, "avc3.42c01e");
    assert!(
        matches!(
            config.media,
            Media::Video {
                width: 320,
                height: 240
            }
        ),
        "{config:?}"
    );
    let sample = &bytes[2][bytes[2].len() - 6..];
    assert_eq!(
        sample,
        [0, 0, 0, 2, 0x41, 9],
        "lengths instead of start codes"
    );
}

#[test]
fn only_the_first_frame_of_a_group_is_a_key_frame() {
    let mut assembler = Assembler::new(vec![video("v")], AssemblerConfig::default());
    feed(
        &mut assembler,
        &[(0, 3, 0, KEY), (0, 3, 40_000, DELTA), (0, 4, 80_000, KEY)],
    );
    let keys: Vec<bool> = samples(&mut assembler)
        .iter()
        .map(|sample| sample.3)
        .collect();
    assert_eq!(keys, [true, false, true]);
}

#[test]
fn gap_moves_the_next_fragment_and_stretches_nothing() {
    let mut assembler = Assembler::new(vec![audio("a")], AssemblerConfig::default());
    feed(&mut assembler, &[(0, 0, 0, b"x"), (0, 0, 20_000, b"x")]);
    assembler.gap(0);
    feed(&mut assembler, &[(0, 9, 5_000_000, b"x")]);
    let times: Vec<i64> = samples(&mut assembler)
        .iter()
        .map(|sample| sample.1)
        .collect();
    assert_eq!(times, [0, 20_000, 5_000_000]);
}

#[test]
fn renditions_that_go_back_in_time_go_on_together() {
    let mut assembler = Assembler::new(vec![audio("a"), audio("b")], AssemblerConfig::default());
    feed(
        &mut assembler,
        &[(0, 0, 60_000_000, b"x"), (1, 0, 60_010_000, b"y")],
    );
    feed(
        &mut assembler,
        &[(0, 1, 1_000_000, b"x"), (1, 1, 1_010_000, b"y")],
    );
    feed(
        &mut assembler,
        &[(0, 1, 1_020_000, b"x"), (1, 1, 1_030_000, b"y")],
    );
    let times: Vec<i64> = samples(&mut assembler)
        .iter()
        .map(|sample| sample.1)
        .collect();
    assert_eq!(times[..2], [0, 10_000]);
    let rest: Vec<i64> = times[2..].iter().map(|time| time - times[2]).collect();
    assert_eq!(rest, [0, 10_000, 20_000, 30_000]);
    assert!((20_000..40_000).contains(&times[2]), "{times:?}");
}

#[test]
fn marker_is_no_sample() {
    let mut assembler = Assembler::new(vec![audio("a")], AssemblerConfig::default());
    feed(
        &mut assembler,
        &[(0, 0, 0, b"x"), (0, 0, 20_000, b""), (0, 1, 20_000, b"")],
    );
    feed(&mut assembler, &[(0, 2, 20_000, b"x")]);
    assert_eq!(samples(&mut assembler).len(), 2);
}

#[test]
fn frame_that_can_not_be_read_costs_no_more_than_itself() {
    let mut assembler = Assembler::new(vec![audio("a")], AssemblerConfig::default());
    let cut = Bytes::from_static(&[0x80]);
    assert!(assembler.frame(0, 0, &cut).unwrap().is_err());
    feed(&mut assembler, &[(0, 1, 0, b"x")]);
    assert_eq!(samples(&mut assembler).len(), 1);
}

#[test]
fn cmaf_samples_keep_ticks_and_marks() {
    let entry = audio("a").entry.unwrap();
    let scale = crate::timeline::Scale::new(44_100).unwrap();
    let media = Media::Audio {
        sample_rate: 48_000,
        channels: 2,
    };
    let init = write_init(&[InitTrack::new(cmaf::TRACK, scale, media, entry)]).unwrap();
    let mut rendition = AudioRendition::new("opus", 48_000, 2);
    rendition.container = Container::Cmaf { init };
    let source = Source::audio("a", &rendition).unwrap();
    let mut assembler = Assembler::new(vec![source], AssemblerConfig::default());
    let sample = FragmentSample::new(1_024, 3, true, Bytes::from_static(b"x").into());
    let frame = cmaf::encode(1, 88_200, &[sample.clone(), sample]).unwrap();
    assembler.frame(0, 0, &frame).unwrap().unwrap();
    let expected = [(1, 0, 3, true), (1, 1_024, 1_027, true)];
    assert_eq!(samples(&mut assembler), expected);
}

#[test]
fn rendition_that_can_not_be_written_says_why() {
    let mut rendition = VideoRendition::new("avc1.42c01e");
    rendition.container = Container::Unknown(serde_json::Value::Null);
    let error = Source::video("v", &rendition).unwrap_err().to_string();
    assert_eq!(error, "rendition v: its container is not known");
    let error = Source::video("v", &VideoRendition::new("theora")).unwrap_err();
    assert!(error.to_string().contains("theora"), "{error}");
}

#[test]
fn frame_centuries_away_is_refused() {
    let mut assembler = Assembler::new(vec![audio("a")], AssemblerConfig::default());
    feed(&mut assembler, &[(0, 0, 0, b"x")]);
    let far = assembler.frame(0, 1, &frame(1 << 60, b"x")).unwrap();
    assert!(matches!(far, Err(ContainerError::Timestamp(_))), "{far:?}");
    feed(&mut assembler, &[(0, 2, 20_000, b"x")]);
    let times = samples(&mut assembler).into_iter().map(|(_, dts, ..)| dts);
    assert_eq!(times.collect::<Vec<_>>(), [0, 20_000]);
}
