//! `moq catalog` and `moq fetch`.

use std::io::Write as _;

use super::files::pieces;
use crate::program::Relay;

#[test]
fn the_catalog_of_a_broadcast_is_shown() {
    let relay = Relay::start(&[]);
    let mut watcher = relay.run("catalog", "https", &["x", "--watch", "--json"]);
    watcher.line("waiting for");
    let mut publisher = relay.run("publish", "moqt", &["x", "--fmp4", "--container", "cmaf"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(&pieces()[..3].concat()).unwrap();
    // A line proves that there is a catalog.
    assert_eq!(watcher.output(1), b"{");
    let ended = relay.run("catalog", "moqt", &["x"]).end().expect(0);
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(
        text.contains("video0  video  avc1.42c01e  320×240"),
        "{text}"
    );
    assert!(
        text.contains("audio0  audio  opus  48000 Hz  2 channels"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.ends_with("cmaf")), "{text}");
    drop(stdin);
    publisher.end().expect(0);
    watcher.end().expect(0);
}

#[test]
fn single_groups_and_frames_are_fetched() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["x", "--group-frames", "3"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"a\nb\nc\nd\ne\nf\n").unwrap();
    let mut reader = relay.run("subscribe", "moqt", &["x", "--from", "oldest"]);
    assert_eq!(reader.output(12), b"a\nb\nc\nd\ne\nf\n");
    for version in ["moq-lite-06", "moq-lite-03"] {
        for (flags, expected) in [
            (&["--group", "0"][..], "a\nb\nc\n"),
            (&["--group", "0", "--frames", "1..2"], "b\n"),
            (&["--group", "1", "--frames", "2..", "--raw"], "f"),
            (&[], "d\ne\nf\n"),
            (&["--frames", "..1"], "d\n"),
        ] {
            let args = [&["x", "data", "--version", version], flags].concat();
            let ended = relay.run("fetch", "https", &args).end().expect(0);
            let text = String::from_utf8(ended.stdout).unwrap();
            assert_eq!(text, expected, "{version} {flags:?}");
        }
    }
    for args in [&["x", "data", "--group", "99"][..], &["x", "nothing"]] {
        let ended = relay.run("fetch", "moqt", args).end().expect(4);
        assert_eq!(ended.stdout, b"", "{args:?}");
    }
    drop(stdin);
    publisher.end().expect(0);
}

#[test]
fn a_group_that_is_being_published_is_fetched_to_its_end() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["x", "--group-frames", "3"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"a\nb\n").unwrap();
    let fetchers = ["moq-lite-06", "moq-lite-03"].map(|version| {
        let mut fetcher = relay.run("fetch", "https", &["x", "data", "--version", version]);
        // It has the group, and waits for the rest of it.
        assert_eq!(fetcher.output(4), b"a\nb\n", "{version}");
        fetcher
    });
    stdin.write_all(b"c\n").unwrap();
    for fetcher in fetchers {
        assert_eq!(fetcher.end().expect(0).stdout, b"c\n");
    }
    drop(stdin);
    publisher.end().expect(0);
}
