use super::*;
use crate::decode::recording::{Binding, Kind, What};

const HEADER: &str = r#"{"qlog_version":"0.3","qlog_format":"JSON-SEQ","trace":{"vantage_point":{"type":"client"}}}"#;

fn sequence(events: &[&str]) -> String {
    let records = [&[HEADER], events].concat();
    records
        .iter()
        .map(|record| format!("\x1e{record}\n"))
        .collect()
}

fn packet(name: &str, time: f64, frame: &str) -> String {
    format!(r#"{{"time":{time},"name":"transport:{name}","data":{{"frames":[{frame}]}}}}"#)
}

fn told(recording: &Recording) -> Vec<String> {
    let events = recording.events.iter();
    events
        .map(|event| format!("{:?} {:?} {:?}", event.t_ms, event.from, event.what))
        .collect()
}

#[test]
fn bytes_are_put_into_order_and_told_once() {
    let frame = |offset, data, fin| {
        format!(
            r#"{{"frame_type":"stream","stream_id":2,"offset":{offset},"length":2,"fin":{fin},"raw":{{"data":"{data}"}}}}"#
        )
    };
    let file = sequence(&[
        &packet("packet_sent", 100.0, &frame(2, "0302", true)),
        &packet("packet_sent", 101.5, &frame(0, "0101", false)),
        &packet("packet_sent", 102.0, &frame(0, "0101", false)),
    ]);
    let recording = read(file.as_bytes()).unwrap();
    assert_eq!(recording.streams[&2].kind, Kind::Uni);
    assert_eq!(
        told(&recording),
        [
            r#"Some(1.5) Client Data(2, b"\x01\x01")"#,
            r#"Some(1.5) Client Data(2, b"\x03\x02")"#,
            "Some(1.5) Client Fin(2)",
        ]
    );
}

#[test]
fn data_that_moved_has_a_direction_by_its_layers() {
    let moved = |from, to| {
        format!(
            r#"{{"time":0,"name":"quic:stream_data_moved","data":{{"stream_id":0,"offset":0,"from":"{from}","to":"{to}","raw":{{"data":"06"}}}}}}"#
        )
    };
    let file = format!(
        r#"{{"qlog_version":"0.3","traces":[{{"vantage_point":{{"type":"server"}},"events":[{},{}]}}]}}"#,
        moved("network", "transport"),
        moved("application", "transport"),
    );
    assert_eq!(
        told(&read(file.as_bytes()).unwrap()),
        [
            r#"Some(0.0) Client Data(0, b"\x06")"#,
            r#"Some(0.0) Server Data(0, b"\x06")"#,
        ]
    );
}

#[test]
fn streams_of_http3_itself_are_left_out() {
    let frame = |id, data| {
        format!(
            r#"{{"frame_type":"stream","stream_id":{id},"offset":0,"raw":{{"data":"{data}"}}}}"#
        )
    };
    let file = sequence(&[
        &packet("packet_received", 0.0, &frame(3, "000400")),
        &packet("packet_received", 0.0, &frame(7, "4054000101")),
        &packet("packet_received", 0.0, &frame(11, "4054000100")),
    ]);
    let recording = read(file.as_bytes()).unwrap();
    let streams: Vec<_> = recording.streams.iter().collect();
    assert_eq!(streams.len(), 2, "{streams:?}");
    assert_eq!(streams[0].1.binding, Binding::WebTransport);
    assert_eq!(recording.events.len(), 2);
    assert!(
        recording.notes[0].contains("HTTP/3"),
        "{:?}",
        recording.notes
    );
}

#[test]
fn codes_lose_what_the_binding_made_of_them() {
    let reset = r#"{"frame_type":"reset_stream","stream_id":0,"error_code":91141958510863}"#;
    let stop = r#"{"frame_type":"stop_sending","stream_id":0,"error_code":1}"#;
    let data = r#"{"frame_type":"stream","stream_id":0,"offset":0,"raw":{"data":"06"}}"#;
    let file = sequence(&[
        &packet("packet_sent", 0.0, data),
        &packet("packet_received", 0.0, reset),
        &packet("packet_received", 0.0, reset),
        &packet("packet_sent", 0.0, stop),
    ]);
    let recording = read(file.as_bytes()).unwrap();
    let codes = recording
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::Reset(_, code) | What::Stop(_, code) => code,
            _ => None,
        });
    assert_eq!(codes.collect::<Vec<_>>(), [0x33, 1]);
}

#[test]
fn a_qlog_without_bytes_says_so() {
    let sizes = r#"{"frame_type":"stream","stream_id":0,"offset":0,"length":20,"fin":true}"#;
    let file = sequence(&[&packet("packet_sent", 0.0, sizes)]);
    let error = read(file.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("no bytes of streams"), "{error}");
}

#[test]
fn the_draft_is_what_was_negotiated_and_gaps_are_noted() {
    let alpn = r#"{"time":0,"name":"transport:alpn_information","data":{"chosen_alpn":{"string_value":"moq-lite-05"}}}"#;
    let late = r#"{"frame_type":"stream","stream_id":0,"offset":5,"raw":{"data":"06"}}"#;
    let cut = r#"{"time":"#;
    let file = sequence(&[alpn, &packet("packet_sent", 0.0, late), cut]);
    let recording = read(file.as_bytes()).unwrap();
    assert_eq!(recording.version, Some(Version::Lite05));
    let notes = recording.notes.join("\n");
    assert!(
        notes.contains("1 records") && notes.contains("stream 0"),
        "{notes}"
    );
}
