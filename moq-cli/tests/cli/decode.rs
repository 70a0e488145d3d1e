//! Bytes become readable, and what is wrong with them is shown where it is.
//!
//! `MOQ_CAPTURES` names another folder of captures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::program::{Ended, Program, Scratch};

fn decode(args: &[&str], input: &[u8]) -> Ended {
    let args = [&["decode", "-"], args].concat();
    Program::start(&args).input(input).end()
}

fn lines(ended: &Ended) -> Vec<String> {
    let text = str::from_utf8(&ended.stdout).unwrap();
    text.lines().map(String::from).collect()
}

fn objects(ended: &Ended) -> Vec<Value> {
    let lines = lines(ended);
    let objects = lines.iter().map(|line| serde_json::from_str(line));
    objects.collect::<Result<_, _>>().unwrap()
}

/// A subscription to one group of one frame, whose publisher then gives up.
fn capture() -> Vec<u8> {
    let event = |t_ms: u64, from: &str, stream: u64, more: Value| {
        let mut event = json!({"t_ms": t_ms, "from": from, "stream": stream});
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event
    };
    let write = |offset: usize, len: usize| json!({"op": "write", "offset": offset, "len": len});
    let capture = json!({
        "format": 1,
        "version": "moq-lite-06",
        "scenario": "small",
        "description": "one frame",
        "streams": [
            {"id": 0, "opener": "client", "kind": "bi",
             "client_to_server": {"hex": "020c00017201780545dc00000000"},
             "server_to_client": {"hex": "000103"}},
            {"id": 1, "opener": "server", "kind": "uni",
             "client_to_server": null,
             "server_to_client": {"hex": "000300030002026f0a0401"}},
        ],
        "datagrams": [{"from": "server", "hex": "00040a6869"}],
        "events": [
            {"t_ms": 0, "from": "client", "stream": 0, "op": "open"},
            event(0, "client", 0, write(0, 14)),
            event(1, "server", 0, write(0, 3)),
            event(2, "server", 1, write(0, 6)),
            event(3, "server", 1, write(6, 5)),
            event(4, "server", 1, json!({"op": "reset", "code": 0x34})),
            event(4, "client", 1, json!({"op": "stop_implicit"})),
            {"t_ms": 5, "from": "server", "op": "datagram", "len": 5},
            {"t_ms": 6, "from": "client", "op": "close", "code": 73, "reason": "b\u{1b}ye"},
        ],
    });
    capture.to_string().into_bytes()
}

#[test]
fn a_capture_reads_like_a_conversation() {
    let ended = decode(&[], &capture()).expect(0);
    assert_eq!(
        lines(&ended),
        [
            "moq-lite-06, small: one frame",
            "     0 ms  client → server  #0 bi   SUBSCRIBE id 0 r x priority 5 max-age 1.5s from 0",
            "     1 ms  server → client  #0 bi   SUBSCRIBE_START group 3",
            "     2 ms  server → client  #1 uni  GROUP 3 of subscription 0 r x",
            "     3 ms  server → client  #1 uni  FRAME 0 at 1 2 bytes \"o\\u{a}\"",
            "     4 ms  server → client  #1 uni  incomplete: 2 bytes of FRAME from byte 9 on wait for more",
            "     4 ms  server → client  #1 uni  RESET 0x34 OLD",
            "     4 ms  client → server  #1 uni  STOP_SENDING (let go)",
            "     5 ms  server → client          DATAGRAM group 4 of subscription 0 r x at 10 2 bytes \"hi\"",
            "     6 ms  client → server          CLOSE 0x49 application code 9 \"b\\u{1b}ye\"",
        ]
    );
}

#[test]
fn a_broken_byte_is_pointed_at_and_the_rest_goes_on() {
    // A name claims three bytes of two; an answer has two bytes too many.
    let text = "bi: 06 05 01 72 03 6d 67\n\nbi: 06 04 01 72 01 78\n< 05 7f 00 01 00 00\n";
    let ended = decode(&[], text.as_bytes()).expect(1);
    assert_eq!(
        lines(&ended),
        [
            "moq-lite-06",
            "→  #0 bi   WRONG at byte 4, in TRACK: field runs past the end of the message",
            "              1: 05 01 72 03 6d 67",
            "                          ^^",
            "→  #1 bi   TRACK r x",
            "←  #1 bi   WRONG at byte 4, in TRACK_INFO: bytes left over at the end of the message",
            "              0: 05 7f 00 01 00 00",
            "                             ^^",
            "→  #0 bi   3 bytes from byte 4 on not decoded: it comes after bytes that are wrong",
            "←  #1 bi   2 bytes from byte 4 on not decoded: it comes after bytes that are wrong",
        ]
    );
    let [line] = &ended.stderr[..] else {
        panic!("{:?}", ended.stderr)
    };
    assert!(
        line.contains("2 places") && line.contains("stream 0, opener to peer, byte 4"),
        "{line}"
    );
}

#[test]
fn raw_bytes_are_what_can_be_read_or_what_is_said() {
    let group = b"\x00\x03\x00\x07\x00\x02\x02hi\x00\x05wor";
    let ended = decode(&[], group).expect(0);
    let uni = lines(&ended);
    assert_eq!(uni[1], "→  #0 uni  GROUP 7 of subscription 0");
    assert_eq!(uni[2], "→  #0 uni  FRAME 0 at 1 2 bytes \"hi\"");
    assert!(uni[3].ends_with("incomplete: 5 bytes of FRAME from byte 9 on wait for more"));
    decode(&["--stream", "bi"], group).expect(1);
    let datagram = decode(&["--stream", "datagram"], b"\x00\x03\x07hi").expect(0);
    assert!(
        lines(&datagram)[1].ends_with("DATAGRAM group 3 of subscription 0 at 7 2 bytes \"hi\"")
    );
    let answer = decode(&["--stream", "track"], b"\x05\x7f\x53\x88\x43\xe8").expect(0);
    assert_eq!(
        lines(&answer)[1],
        "←  #0 bi   TRACK_INFO priority 127 max-age 5s timescale 1000"
    );
}

#[test]
fn the_version_says_how_to_read() {
    let subscribe = "bi: 02 09 00 01 72 01 78 05 00 00 00\n";
    decode(&["--version", "moq-lite-06"], subscribe.as_bytes()).expect(1);
    let old = "bi: 02 06 00 01 72 01 78 05\n< 00\n";
    let ended = decode(&["--version", "moq-lite-02"], old.as_bytes()).expect(0);
    assert_eq!(lines(&ended)[2], "←  #0 bi   SUBSCRIBE_OK");
    let ended = decode(&["--version", "moq-lite-99"], old.as_bytes());
    assert!(ended.expect(2).stderr[0].contains("moq-lite-07-wip"));
}

#[test]
fn json_says_the_same_to_programs() {
    let ended = decode(&["--json"], b"bi: 06 04 01 72 01 78\n< 05 01\n").expect(0);
    assert_eq!(
        objects(&ended),
        [
            json!({"type": "session", "version": "moq-lite-06", "source": "hex"}),
            json!({"type": "stream_type", "t_ms": null, "from": "opener", "stream": 0, "kind": "bi",
                   "offset": 0, "length": 1, "code": 6, "name": "Track"}),
            json!({"type": "message", "t_ms": null, "from": "opener", "stream": 0, "kind": "bi",
                   "offset": 1, "length": 5, "name": "TRACK",
                   "fields": {"broadcast": "r", "track": "x"}}),
            json!({"type": "incomplete", "t_ms": null, "from": "peer", "stream": 0, "kind": "bi",
                   "offset": 0, "length": 2, "in": "TRACK_INFO"}),
        ]
    );
}

#[test]
fn a_qlog_is_decoded_or_said_to_hold_no_bytes() {
    let qlog = |frame: &str| {
        let header = r#"{"qlog_version":"0.3","qlog_format":"JSON-SEQ","trace":{"vantage_point":{"type":"client"}}}"#;
        let event = format!(
            r#"{{"time":1.5,"name":"transport:packet_sent","data":{{"frames":[{frame}]}}}}"#
        );
        format!("\x1e{header}\n\x1e{event}\n").into_bytes()
    };
    let frame = r#"{"frame_type":"stream","stream_id":4,"offset":0,"length":6,"fin":true,"raw":{"data":"060401720178"}}"#;
    let ended = decode(&[], &qlog(frame)).expect(0);
    assert_eq!(
        lines(&ended)[1..],
        [
            "     0 ms  client → server  #4 bi   TRACK r x",
            "     0 ms  client → server  #4 bi   FIN",
        ]
    );
    let sizes = r#"{"frame_type":"stream","stream_id":4,"offset":0,"length":6,"fin":true}"#;
    let ended = decode(&[], &qlog(sizes)).expect(1);
    assert!(
        ended.stderr[0].contains("no bytes of streams"),
        "{:?}",
        ended.stderr
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (input, why) in [
        (&b""[..], "nothing in it"),
        (b"{\"a\":1}", "no capture and no qlog"),
        (b"{\"format\":1,", "begins like JSON"),
        (b"01\n02 0g", "line 2"),
        (
            b"{\"format\":9,\"version\":\"x\",\"streams\":[]}",
            "format 9",
        ),
    ] {
        let ended = decode(&[], input).expect(1);
        assert!(ended.stderr[0].contains(why), "{:?}", ended.stderr);
        assert_eq!(ended.stdout, b"");
    }
    let scratch = Scratch::new();
    let missing = scratch.path().join("missing");
    for path in [missing.as_path(), scratch.path()] {
        let ended = Program::start(&["decode", path.to_str().unwrap()])
            .end()
            .expect(1);
        assert!(
            ended.stderr[0].contains("cannot read"),
            "{:?}",
            ended.stderr
        );
    }
}

/// What real endpoints sent has no fault, and every byte of it is accounted for.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "says how much was checked, or that nothing was"
)]
fn recorded_sessions_are_told_completely() {
    let captures = captures();
    if captures.is_empty() {
        println!("captures: skipped, there are none");
        return;
    }
    for path in &captures {
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let path = path.to_str().unwrap();
        let ended = Program::start(&["decode", "--json", path]).end();
        let objects = objects(&ended);
        let has_faults = objects.iter().any(|object| object["type"] == "fault");
        assert_eq!(ended.code, Some(i32::from(has_faults)), "{path}");
        let mut told = BTreeMap::new();
        let golden =
            |object: &&Value| object["stream"].is_u64() && object["from"] != file["scripted"];
        for object in objects.iter().filter(golden) {
            assert_ne!(object["type"], "fault", "{path}: {object}");
            let place = (object["stream"].to_string(), object["from"].to_string());
            let next: &mut u64 = told.entry(place).or_default();
            let span = (object["offset"].as_u64(), object["length"].as_u64());
            if let (Some(offset), Some(len)) = span {
                assert_eq!(offset, *next, "{path}: {object}");
                *next += len;
            }
        }
        for stream in file["streams"].as_array().unwrap() {
            for (from, to) in [("client", "server"), ("server", "client")] {
                let hex = stream[format!("{from}_to_{to}")]["hex"].as_str();
                let place = (stream["id"].to_string(), json!(from).to_string());
                let len = told.get(&place).copied().unwrap_or(0);
                if file["scripted"] != from {
                    assert_eq!(len, hex.map_or(0, str::len) as u64 / 2, "{path}: {stream}");
                }
            }
        }
    }
    println!("captures: {} told", captures.len());
}

fn captures() -> Vec<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let folder = std::env::var_os("MOQ_CAPTURES").map_or_else(|| default.into(), PathBuf::from);
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    paths
}
