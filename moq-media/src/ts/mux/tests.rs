use super::*;
use crate::fmp4::Event;
use crate::ts::Demuxer;

const H264_AAC: &[u8] = include_bytes!("../../../tests/corpus/ts/h264-aac");
const H265_OPUS: &[u8] = include_bytes!("../../../tests/corpus/ts/h265-opus");

/// The tracks of a stream and its samples, which are moved by `ticks`.
fn read(stream: Bytes, ticks: i64) -> (Init, Vec<Sample>) {
    let mut demuxer = Demuxer::default();
    demuxer.push(stream);
    demuxer.finish();
    let (mut found, mut samples) = (None, Vec::new());
    while let Some(event) = demuxer.next().unwrap() {
        match event {
            Event::Init(init) => found = Some(init),
            Event::Sample(mut sample) => {
                sample.dts += ticks;
                sample.pts += ticks;
                samples.push(sample);
            }
            Event::FragmentEnd => {}
            other => panic!("{other:?}"),
        }
    }
    (Init::clone(&found.unwrap()), samples)
}

fn write(init: &Init, samples: &[Sample]) -> Bytes {
    let mut muxer = Muxer::new(init).unwrap();
    let written = samples.iter().map(|sample| muxer.write(sample).unwrap());
    written.collect::<Vec<_>>().concat().into()
}

fn assert_same(ours: &[Sample], theirs: &[Sample]) {
    assert_eq!(ours.len(), theirs.len());
    for track in [256, 257] {
        let of = |samples: &[Sample]| {
            let of_track = samples.iter().filter(|sample| sample.track == track);
            of_track.cloned().collect::<Vec<_>>()
        };
        let (ours, theirs) = (of(ours), of(theirs));
        let moved = ours[0].dts - theirs[0].dts;
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours.dts - theirs.dts - moved).abs() <= 1, "decoded");
            assert!((ours.pts - theirs.pts - moved).abs() <= 1, "shown");
            assert_eq!(ours.is_key, theirs.is_key);
            // Delimiters differ in what they promise, and in nothing else.
            assert_eq!(ours.payload.len(), theirs.payload.len());
        }
    }
}

#[test]
fn what_was_written_is_read_again() {
    for input in [H264_AAC, H265_OPUS] {
        let (init, samples) = read(Bytes::from_static(&input[1..]), 0);
        let stream = write(&init, &samples);
        assert_eq!(stream.len() % 188, 0);
        let (again, written) = read(stream, 0);
        let codecs = |init: &Init| {
            let entries = init.tracks.iter().map(|track| track.entry.config.clone());
            entries.collect::<Vec<_>>()
        };
        assert_eq!(codecs(&again), codecs(&init));
        assert_same(&written, &samples);
    }
}

#[test]
fn times_wrap_around_and_go_on() {
    let near = (1 << 33) - 126_000 - 10_000;
    let (init, samples) = read(Bytes::from_static(&H264_AAC[1..]), 0);
    let moved = near - samples[0].dts;
    let (_, samples) = read(Bytes::from_static(&H264_AAC[1..]), moved);
    let (_, written) = read(write(&init, &samples), 0);
    assert!(written.iter().any(|sample| sample.pts > 1 << 33));
    assert_same(&written, &samples);
}

#[test]
fn what_has_no_place_is_refused() {
    let mut demuxer = crate::fmp4::Demuxer::default();
    demuxer.push(crate::doc::audio());
    let Some(Event::Init(init)) = demuxer.next().unwrap() else {
        panic!("a file begins with its tracks");
    };
    let mut init = Init::clone(&init);
    assert!(Muxer::new(&init).is_ok());
    init.tracks[0].entry.config.codec = "flac".to_owned();
    let error = Muxer::new(&init).unwrap_err();
    assert_eq!(
        error.to_string(),
        "MPEG-TS takes H.264, H.265, AAC and Opus, found flac"
    );
}
