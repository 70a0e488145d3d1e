//! What an event says of streams.

use bytes::Bytes;
use moq_transport_quinn::stream_code;
use serde_json::Value;

use super::assembly::Assembly;
use super::records::Event;
use crate::decode::hex;
use crate::decode::recording::{End, What};

/// Takes over what an event says: of QUIC, or else only of HTTP/3.
pub(super) fn apply(event: &Event, vantage: End, is_http3: bool, assembly: &mut Assembly) {
    let data = &event.data;
    assembly.at(event.t_ms);
    match (event.name.as_str(), is_http3) {
        ("stream_data_moved" | "data_moved", false) => {
            if let Some(from) = moved_from(data, vantage) {
                bytes(data, from, assembly);
            }
        }
        ("packet_sent", false) => frames(data, vantage, assembly),
        ("packet_received", false) => frames(data, vantage.peer(), assembly),
        ("frame_created", true) => http3(data, vantage, assembly),
        ("frame_parsed", true) => http3(data, vantage.peer(), assembly),
        _ => {}
    }
}

/// Who sent bytes that moved between layers.
fn moved_from(data: &Value, vantage: End) -> Option<End> {
    let layer = |key| data.get(key).and_then(Value::as_str);
    match (layer("from"), layer("to")) {
        (Some("network"), _) | (_, Some("application")) => Some(vantage.peer()),
        (Some("application" | "user"), _) | (_, Some("network")) => Some(vantage),
        _ => None,
    }
}

fn frames(packet: &Value, from: End, assembly: &mut Assembly) {
    let frames = packet.get("frames").and_then(Value::as_array);
    for frame in frames.into_iter().flatten() {
        let kind = frame.get("frame_type").and_then(Value::as_str);
        let id = frame.get("stream_id").and_then(number);
        match (kind, id) {
            (Some("stream"), _) => bytes(frame, from, assembly),
            (Some("reset_stream"), Some(id)) => {
                assembly.once(id, from, What::Reset(id, code(frame)));
            }
            (Some("stop_sending"), Some(id)) => {
                assembly.once(id, from, What::Stop(id, code(frame)))
            }
            (Some("datagram"), _) => {
                if let Some(bytes) = raw(frame) {
                    assembly.datagram(from, bytes);
                }
            }
            (Some("connection_close"), _) => {
                let space = frame.get("error_space").and_then(Value::as_str);
                if space == Some("application") || space == Some("application_error") {
                    let reason = frame.get("reason").and_then(Value::as_str);
                    let reason = reason.unwrap_or_default().to_owned();
                    assembly.close(from, plain_code(frame), reason);
                }
            }
            _ => {}
        }
    }
}

/// Bytes of a stream, and its end.
fn bytes(data: &Value, from: End, assembly: &mut Assembly) {
    let Some(id) = data.get("stream_id").and_then(number) else {
        return;
    };
    let offset = data.get("offset").and_then(number);
    let bytes = raw(data).unwrap_or_default();
    let info = data.get("additional_info").and_then(Value::as_str);
    let is_last = data
        .get("fin")
        .and_then(Value::as_bool)
        .unwrap_or_else(|| info == Some("fin_set"));
    let length = data.get("length").and_then(number);
    let length = length.unwrap_or(bytes.len() as u64);
    assembly.bytes(id, from, offset, bytes);
    if let Some(offset) = offset.filter(|_| is_last) {
        assembly.last(id, from, offset.saturating_add(length));
    }
}

fn http3(data: &Value, from: End, assembly: &mut Assembly) {
    let Some(id) = data.get("stream_id").and_then(number) else {
        return;
    };
    let raw = data.get("frame").and_then(raw).or_else(|| raw(data));
    assembly.bytes(id, from, None, raw.unwrap_or_default());
}

/// The bytes that an event or frame carries.
fn raw(data: &Value) -> Option<Bytes> {
    let carried = data.get("raw").and_then(|raw| raw.get("data"));
    let text = carried.or_else(|| data.get("data"))?.as_str()?;
    hex::digits(text).ok()
}

/// Some stacks write numbers as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The code of a stream, as moq-lite counts them.
fn code(frame: &Value) -> Option<u64> {
    let code = plain_code(frame)?;
    Some(stream_code(code).map_or(code, u64::from))
}

fn plain_code(frame: &Value) -> Option<u64> {
    let keys = [
        "error_code",
        "application_error_code",
        "raw_error_code",
        "error",
    ];
    keys.iter().find_map(|key| frame.get(key).and_then(number))
}
