//! Data from stdin to stdout.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::program::{Program, Relay};

const VERSIONS: [&str; 7] = [
    "moq-lite-01",
    "moq-lite-02",
    "moq-lite-03",
    "moq-lite-04",
    "moq-lite-05",
    "moq-lite-06",
    "moq-lite-07-wip",
];

#[test]
fn lines_arrive_as_they_are_in_every_version() {
    let relay = Relay::start(&["--version", &VERSIONS.join(",")]);
    let text = "zwölf 🦀\n\nlast\n";
    let cases = VERSIONS
        .iter()
        .flat_map(|version| ["https", "moqt"].map(|scheme| (scheme, *version)));
    let flows = cases.map(|(scheme, version)| {
        let name = format!("live/{scheme}-{version}");
        let rest = [&*name, "--version", version];
        let mut subscriber = relay.run("subscribe", scheme, &rest);
        subscriber.line("waiting for");
        let publisher = relay.run("publish", scheme, &rest);
        (version, publisher.input(text.as_bytes()), subscriber)
    });
    for (version, publisher, subscriber) in flows.collect::<Vec<_>>() {
        publisher.end().expect(0);
        let ended = subscriber.end().expect(0);
        let received = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(received, text, "{version}");
    }
}

/// Nine clients are not all given to one of four workers.
#[test]
fn workers_serve_each_others_viewers() {
    let relay = Relay::start(&["--workers", "4"]);
    let text = "zwölf 🦀\n\nlast\n";
    let subscribers = ["https", "moqt"].repeat(4).into_iter().map(|scheme| {
        let mut subscriber = relay.run("subscribe", scheme, &["live"]);
        subscriber.line("waiting for");
        subscriber
    });
    let subscribers: Vec<_> = subscribers.collect();
    let publisher = relay.run("publish", "https", &["live"]);
    publisher.input(text.as_bytes()).end().expect(0);
    for subscriber in subscribers {
        let ended = subscriber.end().expect(0);
        assert_eq!(String::from_utf8(ended.stdout).unwrap(), text);
    }
}

#[test]
fn a_relay_translates_between_versions() {
    let relay = Relay::start(&["--version", &VERSIONS.join(",")]);
    let flows = VERSIONS
        .iter()
        .zip(VERSIONS.iter().rev())
        .map(|(from, to)| {
            let name = format!("live/{from}");
            let mut subscriber = relay.run("subscribe", "https", &[&name, "--version", to]);
            subscriber.line("waiting for");
            let publisher = relay.run("publish", "moqt", &[&name, "--version", from]);
            (publisher, subscriber)
        });
    for (mut publisher, mut subscriber) in flows.collect::<Vec<_>>() {
        let mut stdin = publisher.stdin();
        // One by one: some drafts only know the newest group.
        for line in [&b"a\n"[..], b"\n", b"last\n"] {
            stdin.write_all(line).unwrap();
            assert_eq!(subscriber.output(line.len()), line);
        }
        drop(stdin);
        publisher.end().expect(0);
        assert_eq!(subscriber.end().expect(0).stdout, b"");
    }
}

#[test]
fn raw_bytes_arrive_at_two_subscribers() {
    let relay = Relay::start(&[]);
    let bytes: Vec<u8> = (0..2_000_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let rest = ["live/cam", "--raw"];
    let mut subscribers = ["https", "moqt"].map(|scheme| relay.run("subscribe", scheme, &rest));
    for subscriber in &mut subscribers {
        subscriber.line("waiting for");
    }
    relay
        .run("publish", "moqt", &rest)
        .input(&bytes)
        .end()
        .expect(0);
    for subscriber in subscribers {
        assert!(subscriber.end().expect(0).stdout == bytes);
    }
}

#[test]
fn a_subscriber_that_joins_late_begins_at_the_newest_group() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["live/x", "--json"]);
    let mut stdin = publisher.stdin();
    stdin.write_all(b"1\n2\n").unwrap();
    // What the first one wrote proves that both lines are there.
    let mut early = relay.run("subscribe", "moqt", &["live/x", "--from", "oldest"]);
    assert_eq!(early.output(4), b"1\n2\n");
    let mut late = relay.run("subscribe", "moqt", &["live/x"]);
    assert_eq!(late.output(2), b"2\n");
    stdin.write_all(b"3\n").unwrap();
    drop(stdin);
    publisher.end().expect(0);
    assert_eq!(early.end().expect(0).stdout, b"3\n");
    assert_eq!(late.end().expect(0).stdout, b"3\n");
}

#[test]
fn ls_shows_what_lives() {
    let relay = Relay::start(&[]);
    let mut publisher = relay.run("publish", "moqt", &["room/a", "--hold", "60s"]);
    publisher.line("publishing");
    let subscriber = relay.run("subscribe", "https", &["room/a"]);
    // Once data has come through, the relay knows of the broadcast for sure.
    let mut stdin = publisher.stdin();
    stdin.write_all(b"x\n").unwrap();
    let listed = relay.run("ls", "https", &[]).end().expect(0);
    assert_eq!(listed.stdout, b"room/a\n");
    let listed = relay.run("ls", "moqt", &["room", "--json"]).end().expect(0);
    assert_eq!(listed.stdout, b"{\"path\":\"room/a\"}\n");
    assert_eq!(
        relay.run("ls", "moqt", &["hall"]).end().expect(0).stdout,
        b""
    );
    drop(stdin);
    publisher.end().expect(0);
    assert_eq!(subscriber.end().expect(0).stdout, b"x\n");
    assert_eq!(relay.run("ls", "https", &[]).end().expect(0).stdout, b"");
}

#[test]
fn the_urls_path_is_the_root() {
    let relay = Relay::start(&[]);
    let below = |scheme: &str| format!("{scheme}://{}/anon", relay.addr);
    for scheme in ["https", "moqt"] {
        let name = format!("anon/{scheme}");
        let mut subscriber = relay.run("subscribe", "moqt", &[&name]);
        subscriber.line("waiting for");
        let url = below(scheme);
        let args = [
            "publish",
            &url,
            scheme,
            "--tls-fingerprint",
            &relay.fingerprint,
        ];
        Program::start(&args).input(b"x\n").end().expect(0);
        assert_eq!(subscriber.end().expect(0).stdout, b"x\n", "{scheme}");
    }
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let relay = Relay::start(&[]);
    let mut head = Command::new("head")
        .args(["-n", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut publisher = relay.run("publish", "moqt", &["live/x", "--group-frames", "4096"]);
    publisher.line("publishing");
    let subscriber = Command::new(env!("CARGO_BIN_EXE_moq"))
        .args(relay.args(
            "subscribe",
            "moqt",
            &["live/x", "--from", "oldest", "--quiet"],
        ))
        .stdout(head.stdin.take().unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = publisher.stdin();
    let feeder = std::thread::spawn(move || while stdin.write_all(b"line\n").is_ok() {});
    let mut shown = String::new();
    head.stdout
        .take()
        .unwrap()
        .read_to_string(&mut shown)
        .unwrap();
    head.wait().unwrap();
    assert_eq!(shown, "line\n");
    let subscriber = subscriber.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&subscriber.stderr), "");
    assert_eq!(subscriber.status.code(), Some(0));
    drop(publisher);
    feeder.join().unwrap();
}

#[test]
fn ping_tells_what_was_negotiated() {
    let relay = Relay::start(&[]);
    for (scheme, transport) in [
        ("https", "WebTransport"),
        ("moqt", "raw QUIC"),
        ("http", "WebTransport"),
    ] {
        let ended = relay.run("ping", scheme, &[]).end().expect(0);
        let report = String::from_utf8(ended.stdout).unwrap();
        assert!(
            report.contains("moq-lite-06") && report.contains(transport),
            "{report}"
        );
    }
}

#[test]
fn http_serves_the_fingerprint() {
    let relay = Relay::start(&[]);
    let ask = |page: &str| {
        let mut stream = TcpStream::connect(&relay.addr).unwrap();
        write!(
            stream,
            "GET {page} HTTP/1.1\r\nHost: {}\r\n\r\n",
            relay.addr
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("/certificate.sha256");
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(&relay.fingerprint),
        "{answer}"
    );
    assert!(
        answer.contains("access-control-allow-origin: *"),
        "{answer}"
    );
    assert!(ask("/health").starts_with("HTTP/1.1 200 "));
    assert!(ask("/other").starts_with("HTTP/1.1 404 "));
}

#[test]
fn the_demo_loses_nothing() {
    let ended = Program::start(&["demo", "--duration", "1s"])
        .end()
        .expect(0);
    let report = String::from_utf8(ended.stdout).unwrap();
    assert!(
        report.contains("frames sent 60, received 60; latency p50 "),
        "{report}"
    );
    assert!(
        report.contains("moq subscribe https://127.0.0.1:"),
        "{report}"
    );
}

#[test]
fn completions_come_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = Program::start(&["completions", shell]).end().expect(0);
        assert!(
            String::from_utf8(ended.stdout)
                .unwrap()
                .contains("subscribe"),
            "{shell}"
        );
    }
}
