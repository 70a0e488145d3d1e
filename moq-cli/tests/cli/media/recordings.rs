//! `moq record` and `moq replay`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moq_media::recording::{Record, RecordingReader};

use super::files::{file, pieces, samples};
use crate::program::{Program, Relay, Scratch};

/// Groups of a track: their frames, with their timestamps, and whether they are whole.
type Groups = BTreeMap<u64, (Vec<(u64, Bytes)>, bool)>;

/// What a recording holds of each track, and whether it is complete.
fn read(path: &Path) -> (BTreeMap<String, Groups>, bool) {
    let mut reader = RecordingReader::default();
    reader.push(&std::fs::read(path).unwrap());
    let (mut names, mut tracks) = (BTreeMap::new(), BTreeMap::<String, Groups>::new());
    while let Some((_, record)) = reader.next().unwrap() {
        match record {
            Record::Track { track, name, .. } => {
                names.insert(track, name.clone());
                tracks.entry(name).or_default();
            }
            Record::Group {
                track, sequence, ..
            } => {
                let groups = tracks.get_mut(&names[&track]).unwrap();
                assert!(groups.insert(sequence, (Vec::new(), false)).is_none());
            }
            Record::Frame {
                track,
                sequence,
                timestamp,
                payload,
                ..
            } => {
                let groups = tracks.get_mut(&names[&track]).unwrap();
                groups
                    .get_mut(&sequence)
                    .unwrap()
                    .0
                    .push((timestamp, payload));
            }
            Record::GroupEnd {
                track,
                sequence,
                is_whole,
                ..
            } => {
                let groups = tracks.get_mut(&names[&track]).unwrap();
                groups.get_mut(&sequence).unwrap().1 = is_whole;
            }
            _ => {}
        }
    }
    (tracks, reader.is_complete())
}

/// Records what is published as fMP4 in real time.
fn recorded(relay: &Relay, dir: &Scratch) -> String {
    let [input, output] = ["in.mp4", "first.moq"].map(|name| {
        let path = dir.path().join(name);
        path.to_str().unwrap().to_owned()
    });
    std::fs::write(&input, file()).unwrap();
    let mut recorder = relay.run("record", "https", &["live/x", &output]);
    recorder.line("waiting for");
    let publisher = relay.run("publish", "moqt", &["live/x", &input, "--fmp4"]);
    publisher.end().expect(0);
    recorder.end().expect(0);
    output
}

#[test]
fn a_replay_is_recorded_as_what_was_recorded_before() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let first = recorded(&relay, &dir);
    let second = dir.path().join("second.moq");
    let second = second.to_str().unwrap();
    let mut recorder = relay.run("record", "moqt", &["again", second]);
    recorder.line("waiting for");
    let mut viewer = relay.run("subscribe", "https", &["again", "--fmp4"]);
    viewer.line("waiting for");
    let start = Instant::now();
    let url = format!("https://{}", relay.addr);
    let flags = ["--tls-fingerprint", &relay.fingerprint];
    let args = [&["replay", &first, &url, "again"], &flags[..]].concat();
    Program::start(&args).end().expect(0);
    assert!(
        start.elapsed() > Duration::from_millis(1_900),
        "in real time"
    );
    recorder.end().expect(0);

    let [(before, is_whole), (after, is_whole_too)] =
        [&first, second].map(|path| read(Path::new(path)));
    assert!(is_whole && is_whole_too);
    let names: Vec<_> = before.keys().map(String::as_str).collect();
    assert_eq!(names, ["audio0", "catalog.json", "video0"]);
    assert_eq!(before["video0"].len(), 2);
    let mut groups = before.values().flat_map(BTreeMap::values);
    assert!(groups.all(|(frames, is_whole)| !frames.is_empty() && *is_whole));
    assert_eq!(before, after);
    assert_eq!(samples(&viewer.end().expect(0).stdout), samples(&file()));
}

#[test]
fn a_recorder_that_is_killed_leaves_what_came() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let path = dir.path().join("killed.moq");
    let mut recorder = relay.run("record", "moqt", &["x", path.to_str().unwrap()]);
    recorder.line("waiting for");
    let mut viewer = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
    viewer.line("waiting for");
    let mut publisher = relay.run("publish", "moqt", &["x", "--fmp4"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(&pieces()[..3].concat()).unwrap();
    // Its frames go where those of the recorder go, and the file says when they are there.
    viewer.output(2_000);
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_whole = |groups: &Groups| groups.get(&0).is_some_and(|(_, is_whole)| *is_whole);
    while !read(&path).0.get("audio0").is_some_and(is_whole) {
        assert!(Instant::now() < deadline, "{:?}", read(&path));
        std::thread::yield_now();
    }
    recorder.signal("KILL");
    recorder.end();
    drop(stdin);
    publisher.end().expect(0);

    let mut file = std::fs::read(&path).unwrap();
    file.truncate(file.len() - 1);
    std::fs::write(&path, file).unwrap();
    let mut viewer = relay.run("subscribe", "moqt", &["again", "--fmp4", "--no-video"]);
    viewer.line("waiting for");
    let url = format!("moqt://{}", relay.addr);
    let path = path.to_str().unwrap();
    let flags = ["--tls-fingerprint", &relay.fingerprint, "--speed", "10"];
    let args = [&["replay", path, &url, "again"], &flags[..]].concat();
    let ended = Program::start(&args).end().expect(0);
    assert!(
        ended.stderr[0].contains("was cut off"),
        "{:?}",
        ended.stderr
    );
    let ended = viewer.end().expect(0);
    let packets = samples(&ended.stdout)[0].len();
    assert!(
        (25..=50).contains(&packets),
        "{packets}: {:?}",
        ended.stderr
    );
}

#[test]
fn an_interrupted_recorder_leaves_a_whole_recording_of_named_tracks() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let path = dir.path().join("lines.moq");
    let flags = ["x", path.to_str().unwrap(), "--track", "data"];
    let mut recorder = relay.run("record", "moqt", &flags);
    recorder.line("waiting for");
    let mut publisher = relay.run("publish", "moqt", &["x"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"a\nb\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while read(&path)
        .0
        .get("data")
        .is_none_or(|groups| groups.len() < 2)
    {
        assert!(Instant::now() < deadline, "{:?}", read(&path));
        std::thread::yield_now();
    }
    recorder.signal("INT");
    recorder.end().expect(130);
    let (tracks, is_complete) = read(&path);
    assert!(is_complete);
    let texts: Vec<_> = tracks["data"]
        .values()
        .map(|(frames, _)| &frames[0].1[..])
        .collect();
    assert_eq!(texts, [b"a", b"b"]);

    let decoded = Program::start(&["decode", path.to_str().unwrap()]).end();
    let told = String::from_utf8(decoded.expect(0).stdout).unwrap();
    assert!(
        told.contains("frame  group 1  length 1  timestamp"),
        "{told}"
    );
    assert!(told.lines().last().unwrap().ends_with("end"), "{told}");

    let refused = relay.run("record", "moqt", &flags).end().expect(1);
    assert!(
        refused.stderr[0].contains("not there yet"),
        "{:?}",
        refused.stderr
    );
    drop(stdin);
    publisher.end().expect(0);
}

#[test]
fn what_is_no_recording_is_refused() {
    let dir = Scratch::new();
    let path = dir.path().join("in.mp4");
    std::fs::write(&path, file()).unwrap();
    let path = path.to_str().unwrap();
    let ended = Program::start(&["replay", path, "moqt://127.0.0.1:1"]).end();
    let said = ended.expect(1).stderr;
    assert!(said[0].contains("it is no recording"), "{said:?}");
}
