//! What a recording of `moq record` says.

use std::collections::BTreeMap;

use moq_media::recording::{MAGIC, Record, RecordingReader};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::output::{self, harmless};
use crate::progress::Console;

/// Whether bytes are a recording.
pub(super) fn is_recording(bytes: &[u8]) -> bool {
    // The version is not looked at: a later one is refused with the right words.
    bytes.starts_with(&MAGIC[..MAGIC.len() - 1])
}

/// Whether bytes are the beginning of a recording that was cut off at once.
pub(super) fn is_beginning(bytes: &[u8]) -> bool {
    MAGIC.starts_with(bytes)
}

/// Prints a line per record.
///
/// # Errors
/// If a record is damaged; what came before it is printed.
pub(super) fn run(bytes: &[u8], is_json: bool, console: &Console) -> anyhow::Result<()> {
    let mut reader = RecordingReader::default();
    reader.push(bytes);
    let (mut names, mut lines) = (BTreeMap::new(), String::new());
    let ended = loop {
        match reader.next() {
            Ok(Some((offset, record))) => {
                if let Record::Track { track, name, .. } = &record {
                    names.insert(*track, name.clone());
                }
                lines += &line(offset, &record, &names, is_json);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        if lines.len() >= BATCH && !output::print(&std::mem::take(&mut lines))? {
            return Ok(());
        }
    };
    if !output::print(&lines)? {
        return Ok(());
    }
    if let Some(error) = ended {
        let failure = Failure::new(Exit::Failed, "the recording is damaged");
        return Err(anyhow::Error::new(error).context(failure));
    }
    if !reader.is_complete() {
        let (rest, end) = (reader.rest(), reader.offset());
        console.note(format_args!(
            "the recording was cut off: {rest} bytes behind byte {end} are dropped"
        ));
    }
    Ok(())
}

fn line(offset: u64, record: &Record, names: &BTreeMap<u32, String>, is_json: bool) -> String {
    let name = |track: &u32| names.get(track).cloned().unwrap_or_default();
    let mut told = match record {
        Record::Start { unix } => json!({"type": "start", "unix_ms": unix.as_millis() as u64}),
        Record::Broadcast { path, .. } => json!({"type": "broadcast", "path": path}),
        Record::Track {
            name,
            priority,
            max_age,
            timescale,
            ..
        } => json!({"type": "track", "track": name, "priority": priority,
            "max_age_ms": max_age.as_millis() as u64, "timescale": timescale}),
        Record::Group {
            track, sequence, ..
        } => json!({"type": "group", "track": name(track), "group": sequence}),
        Record::Part { number, .. } => json!({"type": "part", "number": number}),
        Record::GroupAgain {
            track,
            sequence,
            first,
            ..
        } => json!({"type": "group_again", "track": name(track), "group": sequence,
            "first": first}),
        Record::Frame {
            track,
            sequence,
            timestamp,
            payload,
            ..
        } => json!({"type": "frame", "track": name(track), "group": sequence,
            "timestamp": timestamp, "length": payload.len()}),
        Record::GroupEnd {
            track,
            sequence,
            is_whole,
            ..
        } => json!({"type": "group_end", "track": name(track), "group": sequence,
            "whole": is_whole}),
        Record::Lost {
            track, first, end, ..
        } => {
            json!({"type": "lost", "track": name(track), "first": first, "last": end.saturating_sub(1)})
        }
        Record::TrackEnd {
            track, is_finished, ..
        } => json!({"type": "track_end", "track": name(track), "finished": is_finished}),
        Record::Index { entries } => json!({"type": "index", "groups": entries.len()}),
        _ => json!({"type": "end"}),
    };
    told["offset"] = offset.into();
    told["t_ms"] = record
        .at()
        .map_or(Value::Null, |at| Value::from(at.as_micros() as f64 / 1e3));
    if is_json {
        return format!("{told}\n");
    }
    text(&told)
}

/// The time, what it is, and its fields.
fn text(told: &Value) -> String {
    let at = told["t_ms"].as_f64();
    let at = at.map_or_else(String::new, |at| format!("{at:.1} ms"));
    let mut line = format!("{at:>12}  ");
    let kind = told["type"].as_str().unwrap_or_default();
    line += &kind.replace('_', " ");
    for (key, value) in told.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "type" | "offset" | "t_ms") {
            let value = match value {
                Value::String(text) => harmless(text),
                other => other.to_string(),
            };
            line += &format!("  {} {value}", key.replace('_', " "));
        }
    }
    line + "\n"
}

/// Bytes that are written together.
const BATCH: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_record_is_one_line_of_either_kind() {
        let names = BTreeMap::from([(3, "video\u{1b}".to_owned())]);
        let record = Record::Group {
            track: 3,
            sequence: 7,
            at: Duration::from_micros(1_500),
        };
        let expected = "      1.5 ms  group  group 7  track video\\u{1b}\n";
        assert_eq!(line(9, &record, &names, false), expected);
        let told: Value = serde_json::from_str(&line(9, &record, &names, true)).unwrap();
        assert_eq!(
            told,
            json!({"type": "group", "track": "video\u{1b}", "group": 7, "offset": 9, "t_ms": 1.5})
        );
    }
}
