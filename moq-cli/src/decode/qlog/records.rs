//! The two forms of a qlog: one JSON object, or one per line or record.

use anyhow::Context as _;
use serde_json::Value;

use super::{RECORD_SEPARATOR, vantage};
use crate::decode::recording::End;

/// What one end saw of a connection.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) vantage: End,
    pub(super) events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug)]
pub(super) struct Event {
    /// Since the first one.
    pub(super) t_ms: Option<f64>,
    /// Without the category in front.
    pub(super) name: String,
    pub(super) data: Value,
}

/// Takes a file apart; also says what of it cannot be read.
///
/// # Errors
/// If its beginning is no qlog.
pub(super) fn traces(input: &[u8]) -> anyhow::Result<(Vec<Trace>, Vec<String>)> {
    if let Ok(file) = serde_json::from_slice::<Value>(input)
        && let Some(traces) = file.get("traces").and_then(Value::as_array)
    {
        let traces = traces.iter().map(|trace| {
            let events = trace.get("events").and_then(Value::as_array);
            let events = events.cloned().unwrap_or_default();
            Trace::new(trace, events)
        });
        return Ok((traces.collect(), Vec::new()));
    }
    let (header, events, unreadable) = records(input).context("this is no qlog")?;
    let trace = header.get("trace").unwrap_or(&header);
    let notes = if unreadable > 0 {
        vec![format!("{unreadable} records of the qlog are no JSON")]
    } else {
        Vec::new()
    };
    Ok((vec![Trace::new(trace, events)], notes))
}

/// The first record, the others, and how many cannot be read: the last of a process that was killed.
fn records(input: &[u8]) -> anyhow::Result<(Value, Vec<Value>, usize)> {
    let separator = RECORD_SEPARATOR.first();
    let parts = input.split(|byte| *byte == b'\n' || Some(byte) == separator);
    let mut parts = parts.filter(|part| !part.trim_ascii().is_empty());
    let header = serde_json::from_slice(parts.next().unwrap_or_default())?;
    let (mut events, mut unreadable) = (Vec::new(), 0);
    for part in parts {
        match serde_json::from_slice(part) {
            Ok(event) => events.push(event),
            Err(_) => unreadable += 1,
        }
    }
    Ok((header, events, unreadable))
}

impl Trace {
    fn new(trace: &Value, events: Vec<Value>) -> Self {
        let common = trace.get("common_fields");
        let format = common.and_then(|fields| fields.get("time_format"));
        let is_delta = matches!(
            format.and_then(Value::as_str),
            Some("delta" | "relative_to_previous_event")
        );
        let mut clock = Clock {
            is_delta,
            ..Clock::default()
        };
        Self {
            vantage: vantage(trace.get("vantage_point")),
            events: events
                .into_iter()
                .filter_map(|event| Event::new(event, &mut clock))
                .collect(),
        }
    }
}

impl Event {
    fn new(mut event: Value, clock: &mut Clock) -> Option<Self> {
        let t_ms = event.get("time").and_then(Value::as_f64);
        let t_ms = t_ms.map(|time| clock.since_first(time));
        let name = event.get("name")?.as_str()?;
        let name = name.rsplit(':').next()?.to_owned();
        let data = event.get_mut("data")?.take();
        Some(Self { t_ms, name, data })
    }
}

/// Makes times relative to the first.
#[derive(Debug, Default)]
struct Clock {
    is_delta: bool,
    first: Option<f64>,
    now: f64,
}

impl Clock {
    /// The time in milliseconds, in whole microseconds.
    fn since_first(&mut self, time: f64) -> f64 {
        self.now = if self.is_delta { self.now + time } else { time };
        let first = *self.first.get_or_insert(self.now);
        ((self.now - first) * 1e3).round() / 1e3
    }
}
