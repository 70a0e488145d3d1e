//! Recordings in several files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use moq_media::recording::{Record, RecordingReader};
use serde_json::Value;

use super::files::{file, samples};
use crate::program::{Ended, Program, Relay, Scratch};

/// What files hold of each group, by track and number: frames with timestamps, and whether it is whole.
type Groups = BTreeMap<(String, u64), (Vec<(u64, Bytes)>, bool)>;

/// What the files hold together, or one of them alone.
fn read(paths: &[PathBuf]) -> Groups {
    let (mut names, mut groups) = (BTreeMap::new(), Groups::new());
    for path in paths {
        let mut reader = RecordingReader::default();
        reader.push(&std::fs::read(path).unwrap());
        let mut places = BTreeMap::new();
        while let Some((_, record)) = reader.next().unwrap() {
            match record {
                Record::Track { track, name, .. } => {
                    names.insert(track, name);
                }
                Record::Group {
                    track, sequence, ..
                } => {
                    let former = groups.insert((names[&track].clone(), sequence), (vec![], false));
                    assert_eq!(former, None, "a group begins once");
                    places.insert((track, sequence), 0);
                }
                Record::GroupAgain {
                    track,
                    sequence,
                    first,
                    ..
                } => {
                    groups.entry((names[&track].clone(), sequence)).or_default();
                    places.insert((track, sequence), first as usize);
                }
                Record::Frame {
                    track,
                    sequence,
                    timestamp,
                    payload,
                    ..
                } => {
                    let group = groups.get_mut(&(names[&track].clone(), sequence)).unwrap();
                    let place = places.get_mut(&(track, sequence)).unwrap();
                    if *place >= group.0.len() {
                        group.0.push((timestamp, payload));
                    }
                    *place += 1;
                }
                Record::GroupEnd {
                    track,
                    sequence,
                    is_whole,
                    ..
                } => {
                    let group = groups.get_mut(&(names[&track].clone(), sequence));
                    group.unwrap().1 = is_whole;
                }
                _ => {}
            }
        }
    }
    groups
}

fn parts(dir: &Scratch) -> Vec<PathBuf> {
    let paths = (1..).map(|number| dir.path().join(format!("cam.{number:05}.moq")));
    paths.take_while(|path| path.exists()).collect()
}

/// The path of a file in the directory.
fn text(dir: &Scratch, name: &str) -> String {
    dir.path().join(name).to_str().unwrap().to_owned()
}

fn replay(relay: &Relay, scheme: &str, path: &str, flags: &[&str]) -> Ended {
    let url = format!("{scheme}://{}", relay.addr);
    let tls = ["--tls-fingerprint", &relay.fingerprint];
    let args = [&["replay", path, &url, "again"], &tls[..], flags].concat();
    Program::start(&args).end()
}

#[test]
fn files_are_readable_alone_and_together_hold_what_one_holds() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let [input, whole, base, stats] =
        ["in.mp4", "whole.moq", "cam.moq", "stats.json"].map(|name| text(&dir, name));
    std::fs::write(&input, file()).unwrap();
    let flags = ["live/x", &base, "--split", "1s", "--stats-json"];
    let mut recorders = [
        relay.run("record", "https", &["live/x", &whole]),
        relay.run("record", "moqt", &flags),
    ];
    for recorder in &mut recorders {
        recorder.line("waiting for");
    }
    let publisher = relay.run("publish", "moqt", &["live/x", &input, "--fmp4"]);
    publisher.end().expect(0);
    let [_, ended] = recorders.map(|recorder| recorder.end().expect(0));
    let last = ended.stderr.iter().rfind(|line| line.starts_with('{'));
    let last: Value = serde_json::from_str(last.unwrap()).unwrap();
    let tracks = last["tracks"].as_array().unwrap();
    let video = tracks.iter().find(|track| track["name"] == "video0");
    assert_eq!(video.unwrap()["samples"], FRAMES, "{last}");
    assert_eq!(video.unwrap()["codec"], "avc1.42c01e");

    let parts = parts(&dir);
    assert!(parts.len() > 1, "{:?}", ended.stderr);
    assert_eq!(read(&parts), read(&[PathBuf::from(whole)]));
    for part in &parts {
        let groups = read(std::slice::from_ref(part));
        let catalog = groups.iter().find(|((name, _), _)| name == "catalog.json");
        assert!(!catalog.unwrap().1.0.is_empty());
    }

    let mut viewer = relay.run("subscribe", "https", &["again", "--fmp4"]);
    viewer.line("waiting for");
    let flag = format!("--stats-json={stats}");
    replay(&relay, "moqt", &base, &[&flag]).expect(0);
    assert_eq!(samples(&viewer.end().expect(0).stdout), samples(&file()));
    let told = std::fs::read_to_string(stats).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let samples: Vec<_> = last["tracks"].as_array().unwrap().iter().collect();
    assert!(
        samples.iter().any(|track| track["samples"] == FRAMES),
        "{told}"
    );

    let decoded = Program::start(&["decode", "--json", &base]).end();
    let decoded = String::from_utf8(decoded.expect(0).stdout).unwrap();
    let objects = decoded
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let numbers = objects.filter(|object: &Value| object["type"] == "part");
    let numbers: BTreeSet<_> = numbers.map(|part| part["number"].as_u64()).collect();
    assert_eq!(numbers.len(), parts.len());
}

#[test]
fn a_later_file_is_replayed_alone_and_out_of_order_none_is() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let [input, base] = ["in.mp4", "cam.moq"].map(|name| text(&dir, name));
    std::fs::write(&input, file()).unwrap();
    let flags = ["x", &base, "--split", "1s"];
    let mut recorder = relay.run("record", "https", &flags);
    recorder.line("waiting for");
    let publisher = relay.run("publish", "https", &["x", &input, "--fmp4"]);
    publisher.end().expect(0);
    recorder.end().expect(0);
    let [first, second, ..] = &parts(&dir)[..] else {
        panic!("there are several files");
    };

    let start = Instant::now();
    let mut viewer = relay.run("subscribe", "moqt", &["again", "--fmp4", "--no-video"]);
    viewer.line("waiting for");
    replay(&relay, "https", second.to_str().unwrap(), &[]).expect(0);
    let packets = &samples(&viewer.end().expect(0).stdout)[0];
    assert!((1..100).contains(&packets.len()), "{}", packets.len());
    let took = start.elapsed();
    assert!(took < Duration::from_secs(8), "it begins at once: {took:?}");

    let then = ["--then", first.to_str().unwrap()];
    let refused = replay(&relay, "moqt", second.to_str().unwrap(), &then).expect(1);
    let said = &refused.stderr[0];
    assert!(said.contains("does not go on where"), "{said}");
    let refused = relay.run("record", "https", &flags).end().expect(1);
    let said = &refused.stderr[0];
    assert!(said.contains("cam.00001.moq is there already"), "{said}");
}

#[test]
fn a_recorder_that_is_killed_between_files_leaves_what_came() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let [input, base] = ["in.mp4", "cam.moq"].map(|name| text(&dir, name));
    std::fs::write(&input, file()).unwrap();
    let flags = ["x", &base, "--split", "1s"];
    let mut recorder = relay.run("record", "moqt", &flags);
    recorder.line("waiting for");
    let publisher = relay.run("publish", "moqt", &["x", &input, "--fmp4", "--loop"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    let third = dir.path().join("cam.00003.moq");
    while third.metadata().map_or(0, |third| third.len()) < 100 {
        assert!(Instant::now() < deadline, "{:?}", parts(&dir));
        std::thread::yield_now();
    }
    recorder.signal("KILL");
    recorder.end();
    publisher.signal("INT");
    publisher.end();

    let last = parts(&dir).pop().unwrap();
    cut(&last, 1);
    let groups = read(&parts(&dir));
    let ended = play(&relay, &base, &groups);
    let said = ended.stderr.iter().any(|line| line.contains("was cut off"));
    assert!(said, "{:?}", ended.stderr);
    std::fs::write(&last, b"moq").unwrap();
    let groups = read(&parts(&dir)[..2]);
    let ended = play(&relay, &base, &groups);
    let said = &ended.stderr[0];
    assert!(
        said.ends_with("cam.00003.moq was cut off: it has nothing yet"),
        "{said}"
    );
}

/// Cuts bytes off the end of a file.
fn cut(path: &Path, bytes: usize) {
    let mut file = std::fs::read(path).unwrap();
    file.truncate(file.len() - bytes);
    std::fs::write(path, file).unwrap();
}

/// Replays the files of a killed recorder, and compares the frames of each whole audio group.
fn play(relay: &Relay, base: &str, groups: &Groups) -> Ended {
    let mut viewer = relay.run("subscribe", "https", &["again", "--fmp4", "--no-video"]);
    viewer.line("waiting for");
    let ended = replay(relay, "moqt", base, &["--speed", "4"]).expect(0);
    let packets = samples(&viewer.end().expect(0).stdout)[0].len();
    let audio = groups.iter().filter(|((name, _), _)| name == "audio0");
    let frames = audio.flat_map(|(_, (frames, _))| frames);
    let expected = frames.filter(|(_, payload)| !is_marker(payload)).count();
    assert_eq!(packets, expected);
    ended
}

/// Whether a frame is a time alone, which ends the sample before it.
fn is_marker(payload: &[u8]) -> bool {
    payload.len() == 1 << (payload[0] >> 6)
}

/// Pictures of the file, and the mark of the last one's end.
const FRAMES: u64 = 51;
