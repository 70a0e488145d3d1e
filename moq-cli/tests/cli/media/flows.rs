//! `moq publish --fmp4` and `moq subscribe --fmp4`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::files::{file, pieces, samples};
use crate::program::{Program, Relay, Scratch};

#[test]
fn media_arrives_as_it_was_published() {
    let relay = Relay::start(&[]);
    let cases = ["https", "moqt"].into_iter().flat_map(|scheme| {
        let containers = ["legacy", "loc", "cmaf"].into_iter();
        containers.map(move |container| (scheme, container))
    });
    let flows = cases.map(|(scheme, container)| {
        let name = format!("live/{scheme}-{container}");
        let mut subscriber = relay.run("subscribe", scheme, &[&name, "--fmp4"]);
        subscriber.line("waiting for");
        let flags = [&*name, "--fmp4", "--container", container];
        let publisher = relay.run("publish", scheme, &flags);
        (name, publisher.input(&file()), subscriber)
    });
    for (name, publisher, subscriber) in flows.collect::<Vec<_>>() {
        publisher.end().expect(0);
        let ended = subscriber.end().expect(0);
        assert_eq!(samples(&ended.stdout), samples(&file()), "{name}");
        let told = ended.stderr.join("\n");
        assert!(told.contains("video0 avc1.42c01e 320×240, 25.00"), "{told}");
    }
}

#[test]
fn a_file_is_published_as_its_time_comes() {
    let relay = Relay::start(&[]);
    let dir = Scratch::new();
    let path = dir.path().join("in.mp4");
    std::fs::write(&path, file()).unwrap();
    let path = path.to_str().unwrap();
    let mut subscriber = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
    subscriber.line("waiting for");
    let start = Instant::now();
    let publisher = relay.run("publish", "moqt", &["x", path, "--fmp4"]);
    let ended = subscriber.end().expect(0);
    assert!(start.elapsed() > Duration::from_millis(1_900));
    assert_eq!(samples(&ended.stdout), samples(&file()));
    publisher.end().expect(0);
}

#[test]
fn renditions_can_be_chosen() {
    let relay = Relay::start(&[]);
    let run = |flags: &[&str]| relay.run("subscribe", "moqt", &[&["x", "--fmp4"], flags].concat());
    let mut sound = run(&["--no-video"]);
    let mut named = run(&["--audio", "none", "--video", "video0"]);
    let mut wrong = run(&["--video", "video7"]);
    for subscriber in [&mut sound, &mut named, &mut wrong] {
        subscriber.line("waiting for");
    }
    relay
        .run("publish", "moqt", &["x", "--fmp4"])
        .input(&file())
        .end()
        .expect(0);
    let [video, audio] = samples(&file());
    assert_eq!(samples(&sound.end().expect(0).stdout)[0], audio);
    assert_eq!(samples(&named.end().expect(0).stdout)[0], video);
    let ended = wrong.end().expect(4);
    let said = ended.stderr.last().unwrap();
    assert!(
        said.contains("no rendition video7, it has: video0, audio0"),
        "{said}"
    );
    assert_eq!(ended.stdout, b"");
}

#[test]
fn a_cut_file_delivers_what_is_whole_and_says_where() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "https", &["x", "--fmp4"]);
    subscriber.line("waiting for");
    let cut = file().len() - 1;
    let publisher = relay.run("publish", "https", &["x", "--fmp4"]);
    let ended = publisher.input(&file()[..cut]).end().expect(1);
    let said = ended.stderr.last().unwrap();
    let expected = format!("input ends inside box mdat, at byte {cut}");
    assert!(said.contains(&expected), "{said}");
    let [video, audio] = samples(&subscriber.end().expect(0).stdout);
    assert_eq!((video.len(), audio.len()), (50, 99));
}

#[test]
fn input_that_is_no_fragmented_mp4_is_refused_with_advice() {
    let relay = Relay::start(&[]);
    for (input, expected) in [
        (&b""[..], "without a moov box"),
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\x10\0mdat", "-movflags"),
        (b"\x47\x40\x11\x10\0\x42\xf0\x25", "input is no MP4"),
    ] {
        let mut subscriber = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
        subscriber.line("waiting for");
        let publisher = relay.run("publish", "moqt", &["x", "--fmp4"]);
        let said = publisher.input(input).end().expect(1).stderr;
        let said = said.last().unwrap();
        assert!(said.contains(expected), "{said}");
        let ended = subscriber.end().expect(1);
        assert_eq!(ended.stdout, b"", "no data is no success");
    }
}

#[test]
fn a_broadcast_without_media_is_not_found() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["x"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"line\n").unwrap();
    let mut reader = relay.run("subscribe", "moqt", &["x", "--from", "oldest"]);
    assert_eq!(reader.output(5), b"line\n");
    let ended = relay.run("subscribe", "moqt", &["x", "--fmp4"]).end();
    let said = ended.expect(4).stderr;
    assert!(said.last().unwrap().contains("no catalog"), "{said:?}");
}

#[test]
fn a_catalog_that_can_not_be_used_says_why() {
    let relay = Relay::start(&[]);
    let base64 =
        r#"{"video":{"renditions":{"v":{"codec":"avc1.64001e","description":"AWQAHv/h"}}}}"#;
    let absent = r#"{"audio":{"renditions":{"gone":{"codec":"opus","sampleRate":48000,"numberOfChannels":2}}}}"#;
    let cases = [
        ("base64", base64, "video.renditions.v.description", 1),
        ("array", "[1]", "expected an object, found an array", 1),
        (
            "theora",
            r#"{"video":{"renditions":{"v":{"codec":"theora"}}}}"#,
            "theora",
            1,
        ),
        ("absent", absent, "no track `gone`", 4),
    ];
    for (name, catalog, expected, code) in cases {
        let mut subscriber = relay.run("subscribe", "moqt", &[name, "--fmp4"]);
        subscriber.line("waiting for");
        let flags = [name, "--track", "catalog.json", "--json"];
        let mut publisher = relay.run("publish", "moqt", &flags);
        let mut stdin = publisher.stdin();
        writeln!(stdin, "{catalog}").unwrap();
        // The publisher goes on, and yet the subscriber does not wait for ever.
        let ended = subscriber.end().expect(code);
        let said = ended.stderr.last().unwrap();
        assert!(said.contains(expected), "{name}: {said}");
        assert_eq!(ended.stdout, b"", "{name}");
        drop(stdin);
        publisher.end().expect(0);
    }
}

#[test]
fn viewers_that_are_cut_off_before_the_end_are_a_failure() {
    let dir = Scratch::new();
    let path = dir.path().join("in.mp4");
    std::fs::write(&path, file()).unwrap();
    let path = path.to_str().unwrap();
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
    subscriber.line("waiting for");
    let args = ["x", path, "--fmp4", "--linger", "1s"];
    let publisher = relay.run("publish", "moqt", &args);
    fragments(&mut subscriber, 5);
    // It is not there any more when the file ends.
    relay.program.signal("TERM");
    relay.program.end().expect(0);
    let ended = publisher.end().expect(1);
    let told = ended.stderr.join("\n");
    assert!(told.contains("not everything was delivered"), "{told}");
}

#[test]
fn media_goes_on_after_the_relay_was_killed() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "moqt", &["x", "--fmp4"]);
    subscriber.line("waiting for");
    let mut publisher = relay.run("publish", "moqt", &["x", "--fmp4"]);
    let mut stdin = publisher.stdin();
    let pieces = pieces();
    stdin.write_all(&pieces[..3].concat()).unwrap();
    let mut written = fragments(&mut subscriber, 75);
    let Relay {
        program,
        addr,
        state,
        ..
    } = relay;
    program.signal("KILL");
    program.end();
    let _relay = Relay::start_at(&addr, state, &[]);
    // What comes now proves that both are there again.
    stdin.write_all(&pieces[3]).unwrap();
    written.extend(fragments(&mut subscriber, 25));
    stdin.write_all(&pieces[4]).unwrap();
    drop(stdin);
    publisher.end().expect(0);
    written.extend(subscriber.end().expect(0).stdout);
    assert_eq!(samples(&written), samples(&file()));
}

#[test]
fn media_goes_on_with_the_next_publisher_that_has_no_input_yet() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "https", &["x", "--fmp4", "--stay"]);
    subscriber.line("waiting for");
    let mut first = relay.run("publish", "moqt", &["x", "--fmp4"]);
    let mut stdin = first.stdin();
    stdin.write_all(&pieces()[..3].concat()).unwrap();
    let mut written = fragments(&mut subscriber, 75);
    first.signal("TERM");
    first.end().expect(143);
    subscriber.line("vanished without an end; waiting for it");
    let mut second = relay.run("publish", "moqt", &["x", "--fmp4"]);
    second.line("publishing");
    // It is announced, and its tracks are not there.
    relay
        .run("fetch", "https", &["x", "video0"])
        .end()
        .expect(4);
    second.input(&file()).end().expect(0);
    let ended = subscriber.end().expect(0);
    written.extend(ended.stdout);
    let is_said = |line: &String| line.contains("another one; beginning anew");
    assert!(ended.stderr.iter().any(is_said), "{:?}", ended.stderr);
    for (track, whole) in samples(&written).into_iter().zip(samples(&file())) {
        let payloads = track.iter().map(|(_, _, payload)| payload);
        let last = payloads.skip(track.len() - whole.len());
        assert!(last.eq(whole.iter().map(|(_, _, payload)| payload)));
    }
}

/// The output up to the end of so many fragments.
fn fragments(program: &mut Program, mut count: usize) -> Vec<u8> {
    let mut written = Vec::new();
    while count > 0 {
        let head = program.output(8);
        let len = u32::from_be_bytes(head[..4].try_into().unwrap());
        count -= usize::from(&head[4..] == b"mdat");
        written.extend(head);
        written.extend(program.output(len as usize - 8));
    }
    written
}
