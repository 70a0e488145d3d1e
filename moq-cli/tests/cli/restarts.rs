//! Relays that go and come back, and signals.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::program::{Program, Relay, Scratch};

/// Ends the relay by a signal and starts it again under a running pair.
fn restart(signal: &str, scheme: &str) {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", scheme, &["live/x"]);
    subscriber.line("waiting for");
    let mut publisher = relay.run("publish", scheme, &["live/x"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"before\n").unwrap();
    assert_eq!(subscriber.output(7), b"before\n");

    let Relay {
        program,
        addr,
        fingerprint,
        state,
    } = relay;
    program.signal(signal);
    let ended = program.end();
    assert_eq!(ended.code, if signal == "KILL" { None } else { Some(0) });
    stdin.write_all(b"between\n").unwrap();
    let restarted = Instant::now();
    let relay = Relay::start_at(&addr, state, &[]);
    assert_eq!(relay.fingerprint, fingerprint);
    stdin.write_all(b"after\n").unwrap();
    assert_eq!(subscriber.output(14), b"between\nafter\n");
    assert!(
        restarted.elapsed() < Duration::from_secs(4),
        "{:?}",
        restarted.elapsed()
    );
    drop(stdin);
    publisher.end().expect(0);
    assert_eq!(subscriber.end().expect(0).stdout, b"");
}

#[test]
fn a_relay_that_is_killed_and_comes_back() {
    restart("KILL", "moqt");
    restart("KILL", "https");
}

#[test]
fn a_relay_that_ends_and_comes_back() {
    restart("TERM", "moqt");
    restart("TERM", "https");
}

#[test]
fn without_reconnecting_the_loss_is_a_failure() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "moqt", &["live/x", "--no-reconnect"]);
    subscriber.line("waiting for");
    relay.program.signal("TERM");
    let ended = subscriber.end().expect(1);
    assert!(
        ended.stderr.last().unwrap().contains("ended"),
        "{:?}",
        ended.stderr
    );
}

#[test]
fn a_publisher_that_dies_takes_its_broadcast_along() {
    let relay = Relay::start(&[]);
    let mut subscriber = relay.run("subscribe", "moqt", &["live/x"]);
    subscriber.line("waiting for");
    let mut publisher = relay.run("publish", "moqt", &["live/x"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"x\n").unwrap();
    assert_eq!(subscriber.output(2), b"x\n");
    publisher.signal("TERM");
    publisher.end().expect(143);
    let ended = subscriber.end().expect(1);
    assert!(
        ended.stderr.last().unwrap().contains("vanished"),
        "{:?}",
        ended.stderr
    );
}

#[test]
fn a_subscriber_that_stays_goes_on_with_the_next_publisher() {
    for scheme in ["moqt", "https"] {
        let relay = Relay::start(&[]);
        let mut subscriber = relay.run("subscribe", scheme, &["live/x", "--stay"]);
        subscriber.line("waiting for");
        let mut first = relay.run("publish", scheme, &["live/x"]);
        let mut stdin = first.stdin();
        stdin.write_all(b"one\n").unwrap();
        assert_eq!(subscriber.output(4), b"one\n");
        first.signal("TERM");
        first.end().expect(143);
        subscriber.line("vanished without an end; waiting for it");
        let second = relay.run("publish", scheme, &["live/x"]);
        second.input(b"two\nthree\n").end().expect(0);
        let ended = subscriber.end().expect(0);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "two\nthree\n");
        let is_said = |line: &String| line.contains("another one; beginning anew");
        assert!(ended.stderr.iter().any(is_said), "{:?}", ended.stderr);
    }
}

#[test]
fn signals_have_their_codes() {
    let relay = Relay::start(&[]);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut subscriber = relay.run("subscribe", "https", &["live/x"]);
        subscriber.line("waiting for");
        subscriber.signal(signal);
        subscriber.end().expect(code);
    }
}

#[test]
fn another_list_of_hosts_makes_another_certificate() {
    let relay = Relay::start(&[]);
    let Relay {
        program,
        fingerprint,
        state,
        ..
    } = relay;
    program.signal("INT");
    program.end().expect(0);
    let relay = Relay::start_at("127.0.0.1:0", state, &["--tls-generate", "relay.example"]);
    assert_ne!(relay.fingerprint, fingerprint);
}

#[test]
fn a_state_that_cannot_be_kept_is_told() {
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let dir = file.join("state");
    let args = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--state",
        dir.to_str().unwrap(),
    ];
    let ended = Program::start(&args).end().expect(1);
    assert!(
        ended.stderr[0].contains("state directory"),
        "{:?}",
        ended.stderr
    );
}
