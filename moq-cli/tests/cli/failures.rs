//! What goes wrong is told on one line, with its exit code, in time.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::program::{Program, Relay, Scratch};

/// Runs a command that must fail; yields the line that says why.
#[track_caller]
fn failure<S: AsRef<str>>(args: &[S], code: i32) -> String {
    let started = Instant::now();
    let mut args: Vec<_> = args.iter().map(AsRef::as_ref).collect();
    args.extend(["--timeout", "3s"]);
    let ended = Program::start(&args).end().expect(code);
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{args:?} took {:?}",
        started.elapsed()
    );
    assert_eq!(ended.stdout, b"");
    let notes = |line: &&String| line.contains("waiting for") || line.contains("publishing `");
    let lines: Vec<_> = ended.stderr.iter().filter(|line| !notes(line)).collect();
    let [line] = lines[..] else {
        panic!("{args:?}: {:#?}", ended.stderr)
    };
    assert!(line.starts_with("moq: ") && line.contains("; "), "{line}");
    line.clone()
}

#[test]
fn an_unknown_host() {
    let line = failure(&["ping", "https://nowhere.invalid"], 1);
    assert!(line.contains("nowhere.invalid"), "{line}");
}

#[test]
fn a_port_where_nobody_listens() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    drop(socket);
    for scheme in ["moqt", "https"] {
        let line = failure(&["subscribe", &format!("{scheme}://{addr}"), "x"], 1);
        assert!(line.contains("nothing listens"), "{line}");
    }
}

#[test]
fn a_server_that_never_answers() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    failure(&["publish", &format!("moqt://{addr}"), "x"], 5);
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let relay = Relay::start(&[]);
    for scheme in ["moqt", "https"] {
        let url = format!("{scheme}://{}", relay.addr);
        let line = failure(&["ping", &url], 1);
        assert!(
            line.contains(&relay.fingerprint) && line.contains("--tls-fingerprint"),
            "{line}"
        );
        let other = "0".repeat(64);
        let line = failure(&["ping", &url, "--tls-fingerprint", &other], 1);
        assert!(line.contains("not the pinned one"), "{line}");
    }
}

#[test]
fn no_common_version() {
    let relay = Relay::start(&["--version", "moq-lite-04"]);
    for scheme in ["moqt", "https"] {
        let args = relay.args("subscribe", scheme, &["x", "--version", "moq-lite-06"]);
        let line = failure(&args, 1);
        assert!(line.contains("--version"), "{line}");
    }
}

#[test]
fn a_broadcast_or_track_that_is_not_there() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["here", "--hold", "60s"]);
    publisher.line("publishing");
    for scheme in ["moqt", "https"] {
        let line = failure(&relay.args("subscribe", scheme, &["there"]), 4);
        assert!(line.contains("`there`"), "{line}");
        let line = failure(
            &relay.args("subscribe", scheme, &["here", "--track", "other"]),
            4,
        );
        assert!(line.contains("`other`"), "{line}");
    }
}

#[test]
fn a_path_that_is_not_public() {
    let relay = Relay::start(&["--auth-public", "room/**"]);
    for scheme in ["moqt", "https"] {
        let url = format!("{scheme}://{}/hall", relay.addr);
        let pin = ["--tls-fingerprint", relay.fingerprint.as_str()];
        failure(&[&["subscribe", url.as_str(), "x"], &pin[..]].concat(), 3);
        failure(&[&["publish", url.as_str(), "x"], &pin[..]].concat(), 3);
        failure(&[&["ping", url.as_str()], &pin[..]].concat(), 3);
    }
}

#[test]
fn a_broadcast_that_the_relay_does_not_take() {
    let relay = Relay::start(&["--auth-public", "room/**", "--auth-public", ".x/**"]);
    for scheme in ["moqt", "https"] {
        for of_media in [&[][..], &["--fmp4"]] {
            let flags = [&["hall"], of_media].concat();
            let line = failure(&relay.args("publish", scheme, &flags), 3);
            assert!(line.contains("does not take `hall`"), "{line}");
            assert!(line.contains("only below `.x`, `room`"), "{line}");
            let flags = [&[".x/y", "--hold", "60s"], of_media].concat();
            let mut hidden = relay.run("publish", scheme, &flags);
            hidden.line("publishing");
            hidden.line("`.x/y` is hidden");
            let mut listed = relay.run("ls", scheme, &[".x", "--watch"]);
            assert_eq!(listed.output(7), b"+ .x/y\n");
        }
        let listed = relay.run("ls", scheme, &[]).end();
        assert_eq!(listed.stdout, b"", "it is hidden from above");
    }
}

#[test]
fn input_that_cannot_be_read() {
    let scratch = Scratch::new();
    let missing = scratch.path().join("missing");
    let line = failure(
        &[
            "publish",
            "moqt://127.0.0.1:1",
            "x",
            missing.to_str().unwrap(),
        ],
        1,
    );
    assert!(line.contains("missing"), "{line}");
    failure(
        &[
            "publish",
            "moqt://127.0.0.1:1",
            "x",
            scratch.path().to_str().unwrap(),
        ],
        1,
    );
}

#[test]
fn input_that_is_no_json() {
    let relay = Relay::start(&[]);
    let publisher = relay.run("publish", "moqt", &["x", "--json", "--hold", "0s"]);
    let ended = publisher.input(b"{}\n{\n").end().expect(1);
    let line = ended.stderr.last().unwrap();
    assert!(line.contains("line 2 of the input is no JSON"), "{line}");
}

#[test]
fn a_wrong_command_line() {
    for args in [
        &["ping", "nonsense"][..],
        &["ping", "wss://h"],
        &["ping", "moqt://h", "--unknown"],
        &["subscribe", "moqt://h"],
        &["subscribe", "moqt://h", "x", "--raw", "--lines"],
        &["ping", "moqt://h", "--version", "moq-lite-99"],
        &["ping", "moqt://h", "--tls-fingerprint", "xyz"],
    ] {
        failure(args, 2);
    }
    Program::start(&["ping", "moqt://h", "--timeout", "soon"])
        .end()
        .expect(2);
    Program::start(&["unknown"]).end().expect(2);
    Program::start(&["--version"]).end().expect(0);
}

#[test]
fn a_relay_for_others_says_what_they_may_do() {
    let ended = Program::start(&["relay", "--listen", "0.0.0.0:0"])
        .end()
        .expect(2);
    assert!(
        ended.stderr[0].contains("--auth-public"),
        "{:?}",
        ended.stderr
    );
}

#[test]
fn a_port_that_is_taken() {
    let relay = Relay::start(&[]);
    let state = Scratch::new();
    let dir = state.path().to_str().unwrap();
    let ended = Program::start(&["relay", "--listen", &relay.addr, "--state", dir])
        .end()
        .expect(1);
    assert!(ended.stderr[0].contains(&relay.addr), "{:?}", ended.stderr);
}
