//! A small load through a real relay.

use serde_json::Value;

use crate::program::{Program, Relay};

const SMALL: [&str; 16] = [
    "--publishers",
    "2",
    "--broadcasts",
    "2",
    "--tracks",
    "2",
    "--subscribers",
    "3",
    "--each",
    "2",
    "--fps",
    "20",
    "--group-frames",
    "5",
    "--duration",
    "1s",
];

#[test]
fn everything_of_a_small_load_is_delivered_and_told_as_json() {
    let relay = Relay::start(&[]);
    for scheme in ["https", "moqt"] {
        let flags = [&SMALL[..], &["--json", "--frame-bytes", "100"]].concat();
        let ended = relay.run("bench", scheme, &flags).end().expect(0);
        let lines: Vec<Value> = String::from_utf8(ended.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [begin, second, summary] = &lines[..] else {
            panic!("a begin, a second and a summary: {lines:?}");
        };
        assert_eq!(begin["event"], "begin");
        assert_eq!(
            (&second["event"], &second["second"]),
            (&"second".into(), &1.into())
        );
        assert_eq!(summary["event"], "summary");
        // 3 subscribers, 2 broadcasts of 2 tracks each, 4 groups of 5 frames in a second.
        let groups = &summary["groups"];
        assert_eq!(
            (&groups["expected"], &groups["delivered"]),
            (&48.into(), &48.into())
        );
        assert_eq!(summary["frames"]["delivered"], 240);
        assert_eq!(summary["frames"]["lost"], 0);
        assert_eq!(summary["bytes"], 24_000);
        let latency = ["p50", "p90", "p99", "p99.9", "max"];
        let latency = latency.map(|name| summary["latency_us"][name].as_u64().unwrap());
        assert!(latency[0] > 0 && latency.is_sorted(), "{latency:?}");
        let session = summary["session"].as_str().unwrap();
        assert!(session.starts_with("moq-lite-06 over "), "{session}");
    }
}

#[test]
fn people_get_a_table_and_subscribers_may_come_one_after_the_other() {
    let relay = Relay::start(&[]);
    let flags = [&SMALL[..], &["--ramp", "500ms", "--version", "moq-lite-03"]].concat();
    let ended = relay.run("bench", "moqt", &flags).end().expect(0);
    let table = String::from_utf8(ended.stdout).unwrap();
    for line in [
        "load        2 × 2 × 2 tracks → 3 × 2, 20 × 4000 B a second, groups of 5",
        "session     moq-lite-03 over ",
        "frames      240 of 240 delivered, 0 skipped, 0 lost, ",
        "groups      48 of 48 delivered, 0 skipped, 0 lost",
        "latency     p50 ",
    ] {
        assert!(
            table.lines().any(|found| found.starts_with(line)),
            "{line}: {table}"
        );
    }
}

#[test]
fn nothing_that_listens_is_a_failure() {
    let url = "moqt://127.0.0.1:9";
    let flags = ["--tls-insecure", "--timeout", "200ms"];
    let ended = Program::start(&[&["bench", url], &flags[..]].concat()).end();
    assert_ne!(ended.code, Some(0));
    assert!(ended.stdout.is_empty());
}
