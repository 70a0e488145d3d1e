//! `moq publish --test-pattern`, and the figures that are told of media.

use serde_json::Value;

use super::files::samples;
use crate::program::{Program, Relay, Scratch};

#[test]
fn pattern_arrives_with_picture_and_sound() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let flows = ["https", "moqt"].map(|scheme| {
        let file = dir.path().join(format!("{scheme}.json"));
        let flag = format!("--stats-json={}", file.display());
        let mut subscriber = relay.run("subscribe", scheme, &[scheme, "--fmp4", &flag]);
        subscriber.line("waiting for");
        let flags = [scheme, "--test-pattern", "--duration", "2s", "--stats-json"];
        (relay.run("publish", scheme, &flags), subscriber, file)
    });
    for (publisher, subscriber, file) in flows {
        let told = publisher.end().expect(0).stderr;
        let ended = subscriber.end().expect(0);
        let tracks = samples(&ended.stdout);
        let counts: Vec<_> = tracks.iter().map(Vec::len).collect();
        assert_eq!(counts, [50, 100]);
        let objects = told.iter().filter(|line| line.starts_with('{'));
        check(&objects.cloned().collect::<Vec<_>>());
        let objects = std::fs::read_to_string(file).unwrap();
        check(&objects.lines().map(str::to_owned).collect::<Vec<_>>());
    }
}

/// The figures of the whole pattern stand in the last object.
fn check(objects: &[String]) {
    let objects = objects.iter().map(|line| serde_json::from_str(line));
    let objects: Vec<Value> = objects.collect::<Result<_, _>>().unwrap();
    assert!(objects.len() >= 2, "an object a second, and a last one");
    let last = objects.last().unwrap();
    assert_eq!(last["end"], true);
    assert!(
        objects[..objects.len() - 1]
            .iter()
            .all(|object| object["end"] == false)
    );
    let [video, audio] = last["tracks"].as_array().unwrap().as_slice() else {
        panic!("{last}");
    };
    assert_eq!(
        (&video["name"], &audio["codec"]),
        (&"video0".into(), &"opus".into())
    );
    assert_eq!(
        (&video["width"], &video["height"]),
        (&320.into(), &180.into())
    );
    assert_eq!((&video["fps"], &audio["fps"]), (&25.0.into(), &50.0.into()));
    assert_eq!(video["gop_seconds"], 1.0);
    assert_eq!(
        (&video["samples"], &video["groups"]),
        (&50.into(), &2.into())
    );
    assert_eq!(video["skipped_groups"], 0);
    assert!(video["kbps"].as_f64().unwrap() > 10.0);
    assert!(video["age_ms"].is_u64());
}

#[test]
fn demo_of_media_tells_of_both_tracks() {
    let ended = Program::start(&["demo", "--media", "--duration", "2s"])
        .end()
        .expect(0);
    let report = String::from_utf8(ended.stdout).unwrap();
    let expected = "video0 avc1.42400d 320×180, 25.00 fps, ";
    assert!(report.contains(expected), "{report}");
    assert!(
        report.contains("audio0 opus, 50.00 packets/s, "),
        "{report}"
    );
    assert_eq!(report.matches(" ms ago, 0 groups skipped\n").count(), 2);
    assert!(report.contains(" --fmp4 | ffplay -\n"), "{report}");
}
