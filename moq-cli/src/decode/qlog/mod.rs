//! A qlog: what a QUIC stack wrote down of a connection.
//!
//! Most stacks write sizes and leave the bytes of streams out. Where they are in, they are in the raw
//! data of `stream_data_moved` (also `data_moved`) events or of stream frames in packets, else perhaps
//! in HTTP/3 frames.

mod assembly;
mod event;
mod records;

use anyhow::{Context as _, bail};
use moq_wire::Version;
use serde_json::Value;

use super::recording::{End, Ends, Recording};
use assembly::Assembly;
use records::Trace;

/// What each record of a qlog in the form of a JSON text sequence begins with.
pub(crate) const RECORD_SEPARATOR: &[u8] = b"\x1e";

/// Reads a qlog.
///
/// # Errors
/// If it is none, or holds no bytes of streams.
pub(crate) fn read(input: &[u8]) -> anyhow::Result<Recording> {
    let (traces, notes) = records::traces(input)?;
    let mut recording = Recording::new("qlog", Ends::Session);
    recording.notes = notes;
    let mut traces = traces.into_iter();
    let trace = traces.next().context("the qlog holds no trace")?;
    let others = traces.count();
    if others > 0 {
        let note = format!("only the first trace is decoded, not the {others} after it");
        recording.notes.push(note);
    }
    recording.version = version(&trace);
    let mut assembly = Assembly::new(recording);
    for event in &trace.events {
        event::apply(event, trace.vantage, false, &mut assembly);
    }
    if !assembly.has_bytes() {
        for event in &trace.events {
            event::apply(event, trace.vantage, true, &mut assembly);
        }
    }
    if !assembly.has_bytes() {
        bail!(
            "the qlog holds no bytes of streams, only {} events about them: have the stack write raw data",
            trace.events.len()
        );
    }
    Ok(assembly.finish())
}

/// The draft by the name that the connection negotiated.
fn version(trace: &Trace) -> Option<Version> {
    let mut names = trace.events.iter().filter_map(|event| {
        let chosen = event.data.get("chosen_alpn")?;
        let name = chosen.get("string_value").unwrap_or(chosen).as_str()?;
        Version::ALL
            .iter()
            .copied()
            .find(|version| version.name() == name)
    });
    names.next_back()
}

/// Which end wrote it; a client where it does not say.
fn vantage(point: Option<&Value>) -> End {
    let kind = |point: &Value| {
        let kind = point.get("type")?.as_str()?;
        let flow = point.get("flow").and_then(Value::as_str);
        Some(kind == "server" || kind == "network" && flow == Some("server"))
    };
    if point.and_then(kind).unwrap_or(false) {
        End::Server
    } else {
        End::Client
    }
}

#[cfg(test)]
mod tests;
