//! Transport streams and H.264 without a container.

use std::path::Path;

use bytes::Bytes;
use moq_media::fmp4::{Event, Sample};
use moq_media::ts::Demuxer;

use super::files::samples;
use crate::program::{Relay, Scratch};

/// Ten pictures with B-frames, and AAC.
const TS: &[u8] = include_bytes!("../../../../moq-media/tests/corpus/ts/h264-aac");

/// The same pictures with start codes.
const H264: &[u8] = include_bytes!("../../../../moq-media/tests/corpus/annexb/b-frames");

#[test]
fn transport_stream_goes_in_and_out() {
    let relay = Relay::start(&[]);
    let cases = ["https", "moqt"].map(|scheme| {
        let run = |flag| {
            let mut subscriber = relay.run("subscribe", scheme, &[scheme, flag]);
            subscriber.line("waiting for");
            subscriber
        };
        let outputs = (run("--ts"), run("--fmp4"));
        let publisher = relay.run("publish", scheme, &[scheme, "--ts"]);
        (publisher.input(&TS[1..]), outputs)
    });
    let theirs = read(&TS[1..]);
    for (publisher, (stream, file)) in cases {
        publisher.end().expect(0);
        let ours = read(&stream.end().expect(0).stdout);
        assert_eq!(ours.len(), theirs.len());
        for track in [256, 257] {
            let of = |samples: &[Sample]| {
                let of_track = samples.iter().filter(|sample| sample.track == track);
                let fields = of_track.map(|sample| (sample.is_key, sample.payload.len()));
                fields.collect::<Vec<_>>()
            };
            assert_eq!(of(&ours), of(&theirs));
        }
        let counts = samples(&file.end().expect(0).stdout).map(|track| track.len());
        assert_eq!(counts, [10, theirs.len() - 10]);
    }
}

#[test]
fn pictures_with_start_codes_are_published() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
    subscriber.line("waiting for");
    let flags = ["x", "--avc3", "--fps", "50"];
    let publisher = relay.run("publish", "https", &flags).input(&H264[1..]);
    publisher.end().expect(0);
    let [video, _] = samples(&subscriber.end().expect(0).stdout);
    let mut shown: Vec<_> = video.iter().map(|(at, ..)| at - video[0].0).collect();
    shown.sort_unstable();
    assert_eq!(shown, (0..10).map(|n| n * 20_000).collect::<Vec<_>>());
}

#[test]
fn file_begins_again_without_a_loss() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let path = dir.path().join("in.ts");
    std::fs::write(&path, &TS[1..]).unwrap();
    let mut subscriber = relay.run("subscribe", "moqt", &["x", "--ts"]);
    subscriber.line("waiting for");
    let args = ["x", text(&path), "--ts", "--loop"];
    let publisher = relay.run("publish", "moqt", &args);
    // Three times the file; each packet has 188 bytes.
    let written = subscriber.output(3 * TS.len() / 188 * 188);
    publisher.signal("TERM");
    publisher.end().expect(143);
    subscriber.signal("TERM");
    subscriber.end().expect(143);
    let video = read(&written)
        .into_iter()
        .filter(|sample| sample.track == 256);
    let video: Vec<_> = video.collect();
    assert!(video.len() > 20, "{} pictures", video.len());
    let steps = video.windows(2).map(|pair| pair[1].dts - pair[0].dts);
    assert!(steps.into_iter().all(|step| (1..18_000).contains(&step)));
}

#[test]
fn other_input_is_refused_with_advice() {
    let relay = Relay::start(&[]);
    let refused = |flag, input: &[u8]| {
        let publisher = relay.run("publish", "moqt", &["x", flag]).input(input);
        publisher.end().expect(1).stderr.join("\n")
    };
    let told = refused("--ts", &H264[1..]);
    assert!(
        told.contains("input is no MPEG-TS") && told.contains("`-f mpegts`"),
        "{told}"
    );
    let told = refused("--avc3", &TS[1..]);
    assert!(
        told.contains("expected bytes 0, 0, 1 and parameter sets, found none at byte 0"),
        "{told}"
    );
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn read(stream: &[u8]) -> Vec<Sample> {
    let mut demuxer = Demuxer::default();
    demuxer.push(Bytes::copy_from_slice(stream));
    demuxer.finish();
    let mut samples = Vec::new();
    while let Some(event) = demuxer.next().unwrap() {
        if let Event::Sample(sample) = event {
            samples.push(sample);
        }
    }
    samples
}
