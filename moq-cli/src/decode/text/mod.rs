//! For people: a line for each thing that happened.

use std::fmt::Write as _;
use std::time::Duration;

use moq_model::text::Escaped;
use moq_wire::{Version, code};

use super::fault::Fault;
use super::half::{Found, Item};
use super::message::{Field, Message, Value};
use super::recording::{Code, End, Ends, Recording};
use super::session::{Entry, Place, Told};

/// Writes lines of one recording.
#[derive(Debug)]
pub(crate) struct Text {
    ends: Ends,
    has_times: bool,
    /// Of the widest stream number.
    digits: usize,
}

impl Text {
    pub(crate) fn new(recording: &Recording) -> Self {
        let last = recording.streams.keys().next_back();
        Self {
            ends: recording.ends,
            has_times: recording.events.iter().any(|event| event.t_ms.is_some()),
            digits: last.copied().unwrap_or(0).to_string().len(),
        }
    }

    /// What comes first.
    pub(crate) fn title(recording: &Recording, version: Version) -> String {
        match &recording.title {
            Some(title) => format!("{version}, {}\n", Escaped(title)),
            None => format!("{version}\n"),
        }
    }

    /// The lines for an entry; none for what goes without saying.
    pub(crate) fn lines(&self, entry: &Entry) -> String {
        let said = match &entry.told {
            Told::Found(found) => match told(found) {
                Some(said) => said,
                None => return String::new(),
            },
            Told::Fin => "FIN".into(),
            Told::Reset(code) => format!("RESET {}", stream_code(*code)),
            Told::Stop(code) => format!("STOP_SENDING {}", stream_code(*code)),
            Told::Close(code, reason) => format!("CLOSE {}{}", session_code(*code), quote(reason)),
        };
        let start = self.start(entry);
        let mut lines = format!("{start}{said}\n");
        if let Told::Found(Found {
            item: Item::Fault(fault),
            ..
        }) = &entry.told
        {
            let margin = " ".repeat(start.chars().count());
            for line in excerpt(fault) {
                // Writing into a string cannot fail.
                let _ = writeln!(lines, "{margin}{line}");
            }
        }
        lines
    }

    /// When, who, where.
    fn start(&self, entry: &Entry) -> String {
        let mut start = String::new();
        if self.has_times {
            let time = entry.t_ms.map(|t_ms| format!("{t_ms} ms"));
            let _ = write!(start, "{:>9}  ", time.unwrap_or_default());
        }
        start += match (self.ends, entry.from) {
            (Ends::Session, End::Client) => "client → server  ",
            (Ends::Session, End::Server) => "server → client  ",
            (Ends::Stream, End::Client) => "→  ",
            (Ends::Stream, End::Server) => "←  ",
        };
        let place = match entry.place {
            Place::Stream(id, kind) => {
                format!("#{id:<width$} {:<3}", kind.name(), width = self.digits)
            }
            Place::Datagram | Place::Session => String::new(),
        };
        let _ = write!(start, "{place:<width$}  ", width = self.digits + 5);
        start
    }
}

fn told(found: &Found) -> Option<String> {
    match &found.item {
        Item::Header => None,
        // The one request that is nothing but its type.
        Item::StreamType(_, "Probe") => Some("asks for PROBE".into()),
        Item::StreamType(..) => None,
        Item::Message(message) => Some(said(message)),
        Item::Fault(fault) => {
            let within = fault.within.map(|within| format!(", in {within}"));
            let within = within.unwrap_or_default();
            Some(format!(
                "WRONG at byte {}{within}: {}",
                fault.at, fault.wrong
            ))
        }
        Item::Incomplete(within) => Some(format!(
            "incomplete: {} of {within} from byte {} on wait for more",
            bytes(found.len as u64),
            found.offset
        )),
        Item::Skipped(reason) => Some(format!(
            "{} from byte {} on not decoded: {reason}",
            bytes(found.len as u64),
            found.offset
        )),
    }
}

/// A message on one line.
fn said(message: &Message) -> String {
    let mut line = String::from(message.name);
    for Field { label, value, .. } in &message.fields {
        let Some(shown) = shown(value, label.is_empty()) else {
            continue;
        };
        for part in [label.as_ref(), &shown] {
            if !part.is_empty() {
                line.push(' ');
                line.push_str(part);
            }
        }
    }
    line
}

/// A value, unless it goes without saying.
fn shown(value: &Value, is_bare: bool) -> Option<String> {
    Some(match value {
        Value::None | Value::Position(0) | Value::Flag(false) => return None,
        Value::Flag(true) => String::new(),
        Value::Number(number) | Value::Position(number) => number.to_string(),
        Value::Id(id) => format!("{id:#x}"),
        Value::Ids(ids) => {
            let ids: Vec<_> = ids.iter().map(|id| format!("{id:#x}")).collect();
            format!("[{}]", ids.join(", "))
        }
        Value::Code(code) => stream_code(Some(*code)),
        Value::Word(word) => (*word).into(),
        Value::Words(words) => words.join(", "),
        Value::Text(text) if is_plain(text) => Escaped(text).to_string(),
        Value::Text(text) => quoted(text),
        Value::Millis(duration) => millis(*duration),
        Value::Size(size) => bytes(*size),
        Value::Payload(payload) if payload.is_empty() && is_bare => return None,
        Value::Payload(payload) => preview(payload),
    })
}

/// Whether text needs no quotes to be told from what is around it.
fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\');
    !text.is_empty() && text.chars().all(is_plain)
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", Escaped(&text))
}

/// As [`quoted`] after a space, or nothing for nothing.
fn quote(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" {}", quoted(text))
    }
}

/// The beginning of a payload: as text if it is that, else as hex.
fn preview(payload: &[u8]) -> String {
    let shown = &payload[..payload.len().min(TEXT_SHOWN)];
    let text = match str::from_utf8(shown) {
        Ok(text) => Some(text),
        // A character may have been cut in two.
        Err(error) if error.error_len().is_none() && shown.len() < payload.len() => shown
            .get(..error.valid_up_to())
            .and_then(|start| str::from_utf8(start).ok()),
        Err(_) => None,
    };
    let is_text = |text: &&str| {
        text.chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
    };
    if let Some(text) = text.filter(is_text) {
        let more = if text.len() < payload.len() {
            "…"
        } else {
            ""
        };
        return format!("{}{more}", quoted(text));
    }
    let shown = &payload[..payload.len().min(HEX_SHOWN)];
    let more = if shown.len() < payload.len() {
        " …"
    } else {
        ""
    };
    format!("{}{more}", hex(shown))
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// The bytes around a fault, and marks below those that are wrong.
fn excerpt(fault: &Fault) -> [String; 2] {
    let Fault {
        excerpt, marked, ..
    } = fault;
    let marks = (0..marked.end).map(|at| if marked.contains(&at) { "^^" } else { "  " });
    let from = format!("{:>4}: ", fault.excerpt_at);
    let marks = marks.collect::<Vec<_>>().join(" ");
    [
        format!("{from}{}", hex(excerpt)),
        format!("{}{}", " ".repeat(from.len()), marks),
    ]
}

fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".into(),
        _ => format!("{count} bytes"),
    }
}

fn millis(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1_000 && millis > 0 {
        return format!("{millis}ms");
    }
    let seconds = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    format!("{}s", seconds.trim_end_matches('0').trim_end_matches('.'))
}

fn stream_code(code: Code) -> String {
    match code {
        Some(code) => named(code, stream_code_name(code)),
        None => "(let go)".into(),
    }
}

fn session_code(code: Code) -> String {
    match code {
        Some(code) => named(code, session_code_name(code)),
        None => "without a code".into(),
    }
}

fn named(code: u64, name: Option<&str>) -> String {
    let application = u32::try_from(code).ok().and_then(code::from_application);
    match (name, application) {
        (Some(name), _) => format!("{code:#x} {name}"),
        (None, Some(n)) => format!("{code:#x} application code {n}"),
        (None, None) => format!("{code:#x} unknown"),
    }
}

/// The name of a stream's code.
pub(crate) fn stream_code_name(code: u64) -> Option<&'static str> {
    u32::try_from(code).ok().and_then(code::stream::name)
}

/// The name of a session's code.
pub(crate) fn session_code_name(code: u64) -> Option<&'static str> {
    u32::try_from(code).ok().and_then(code::session::name)
}

/// Bytes of a payload that are shown as text.
const TEXT_SHOWN: usize = 40;

/// Bytes of a payload that are shown as hex.
const HEX_SHOWN: usize = 12;

#[cfg(test)]
mod tests;
