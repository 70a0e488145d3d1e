//! For programs: one JSON object per line. `args/decode.rs` documents the shape.

use moq_wire::Version;
use serde_json::{Map, Value as Json, json};

use super::half::{Found, Item};
use super::message::{Message, Value};
use super::recording::{Code, Ends, Recording};
use super::session::{Entry, Place, Told};
use super::text::{session_code_name, stream_code_name};

/// The line that comes first.
pub(crate) fn session(recording: &Recording, version: Version) -> String {
    line(json!({
        "type": "session",
        "version": version.name(),
        "source": recording.source,
    }))
}

/// The line for an entry; none for what only a binding needs.
pub(crate) fn entry(entry: &Entry, ends: Ends) -> Option<String> {
    let (kind, more) = match &entry.told {
        Told::Found(found) => found_in(found)?,
        Told::Fin => ("fin", json!({})),
        Told::Reset(code) => ("reset", coded(*code, stream_code_name)),
        Told::Stop(code) => ("stop", coded(*code, stream_code_name)),
        Told::Close(code, reason) => {
            let mut close = coded(*code, session_code_name);
            close["reason"] = json!(reason);
            ("close", close)
        }
    };
    let mut all = Map::new();
    all.insert("type".into(), json!(kind));
    all.insert("t_ms".into(), time(entry.t_ms));
    all.insert("from".into(), json!(entry.from.name(ends)));
    match entry.place {
        Place::Stream(id, kind) => {
            all.insert("stream".into(), json!(id));
            all.insert("kind".into(), json!(kind.name()));
        }
        Place::Datagram => {
            all.insert("kind".into(), json!("datagram"));
        }
        Place::Session => {}
    }
    if let Json::Object(more) = more {
        all.extend(more);
    }
    Some(line(Json::Object(all)))
}

fn line(object: Json) -> String {
    format!("{object}\n")
}

/// Whole milliseconds as a whole number.
fn time(t_ms: Option<f64>) -> Json {
    let whole = t_ms.map(|t_ms| t_ms as u64);
    match (t_ms, whole) {
        (Some(t_ms), Some(whole)) if whole as f64 == t_ms => json!(whole),
        _ => json!(t_ms),
    }
}

fn coded(code: Code, name: fn(u64) -> Option<&'static str>) -> Json {
    json!({ "code": code, "code_name": code.and_then(name) })
}

fn found_in(found: &Found) -> Option<(&'static str, Json)> {
    let Found { offset, len, item } = found;
    let span = |mut object: Json| {
        object["offset"] = json!(offset);
        object["length"] = json!(len);
        object
    };
    Some(match item {
        Item::Header => return None,
        Item::StreamType(code, name) => {
            ("stream_type", span(json!({ "code": code, "name": name })))
        }
        Item::Message(message) => {
            let said = json!({ "name": message.name, "fields": fields(message) });
            ("message", span(said))
        }
        Item::Fault(fault) => (
            "fault",
            json!({
                "in": fault.within,
                "error": fault.wrong.to_string(),
                "offset": fault.at,
                "message_offset": offset,
            }),
        ),
        Item::Incomplete(within) => ("incomplete", span(json!({ "in": within }))),
        Item::Skipped(reason) => ("skipped", span(json!({ "reason": reason }))),
    })
}

fn fields(message: &Message) -> Json {
    let fields = message.fields.iter();
    Json::Object(
        fields
            .map(|field| (field.key.clone().into_owned(), value(&field.value)))
            .collect(),
    )
}

fn value(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Number(number)
        | Value::Position(number)
        | Value::Id(number)
        | Value::Code(number)
        | Value::Size(number) => json!(number),
        Value::Ids(ids) => json!(ids),
        Value::Flag(flag) => json!(flag),
        Value::Word(word) => json!(word),
        Value::Words(words) => json!(words),
        Value::Text(text) => json!(text),
        Value::Millis(duration) => json!(duration.as_millis() as u64),
        Value::Payload(payload) => {
            let digits = payload.iter().map(|byte| format!("{byte:02x}"));
            json!(digits.collect::<String>())
        }
    }
}
