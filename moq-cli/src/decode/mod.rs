//! `moq decode`: what bytes say.
//!
//! Something that was recorded ([`input`]) becomes streams and what happened on them ([`recording`]);
//! each direction is decoded as its bytes come ([`half`]), and what is found is told in order
//! ([`session`]), to people ([`text`]) or programs ([`json`]).

mod announcements;
mod capture;
mod expect;
mod fault;
mod frames;
mod half;
mod hex;
mod input;
mod json;
mod message;
mod purpose;
mod qlog;
mod recording;
mod say;
mod session;
mod streams;
mod tape;
mod text;
mod tracks;

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Context as _;
use moq_wire::Version;

use crate::args::DecodeArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Console;
use crate::series;
use half::{Found, Item};
use recording::{Ends, Recording};
use session::{Entry, Place, Session, Told};
use text::Text;

/// Runs the command.
pub(crate) fn run(args: &DecodeArgs, console: &Console) -> anyhow::Result<Exit> {
    for named in &args.files {
        for file in series::find(named).with_context(|| cannot_read(named))? {
            one(args, &file, file != *named, console)?;
        }
    }
    Ok(Exit::Ok)
}

/// Decodes one file, which is a part of a recording if `is_part`.
fn one(args: &DecodeArgs, file: &Path, is_part: bool, console: &Console) -> anyhow::Result<()> {
    let bytes = load(file)?;
    if tape::is_recording(&bytes) {
        return tape::run(&bytes, args.json, console);
    }
    if is_part && tape::is_beginning(&bytes) {
        console.note(format_args!(
            "{} was cut off: it has nothing yet",
            file.display()
        ));
        return Ok(());
    }
    let newest = Version::OFFERED.first().copied();
    let fallback = args.version().or(newest).unwrap_or(Version::Lite06);
    let recording = input::read(bytes.into(), args.stream, fallback)?;
    let version = args.version().or(recording.version).unwrap_or(fallback);
    for note in notes(&recording, version) {
        console.note(note);
    }
    let entries = Session::entries(&recording, version);
    if !print(args, &recording, &entries, version)? {
        return Ok(());
    }
    let faults: Vec<_> = entries.iter().filter_map(place_of_fault).collect();
    let Some((first, at)) = faults.first() else {
        return Ok(());
    };
    let first = place(first, *at, recording.ends);
    let what = match faults.len() {
        1 => format!("bytes are wrong: {first}"),
        many => format!("bytes are wrong in {many} places, first: {first}"),
    };
    // A recording that knows its draft is rarely mistaken.
    let hint = "--version says of which draft they are";
    let hint = recording.version.is_none().then(|| hint.to_owned());
    Err(Failure::new(Exit::Failed, what).with_hint_if(hint).into())
}

fn load(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    read.with_context(|| cannot_read(file))
}

fn cannot_read(file: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("cannot read {}", file.display()))
        .with_hint("check its name and permissions, or give - for stdin")
}

/// What somebody should know who reads the output.
fn notes(recording: &Recording, version: Version) -> Vec<String> {
    let mut notes = recording.notes.clone();
    if let Some(said) = recording.version.filter(|said| *said != version) {
        let source = recording.source;
        notes.push(format!(
            "the {source} says {said}, but is read as {version}"
        ));
    }
    notes
}

/// Writes to stdout; says whether anybody reads it.
fn print(
    args: &DecodeArgs,
    recording: &Recording,
    entries: &[Entry],
    version: Version,
) -> anyhow::Result<bool> {
    let text = Text::new(recording);
    let mut lines = if args.json {
        json::session(recording, version)
    } else {
        Text::title(recording, version)
    };
    for entry in entries {
        if args.json {
            lines.extend(json::entry(entry, recording.ends));
        } else {
            lines += &text.lines(entry);
        }
        if lines.len() >= BATCH && !output::print(&std::mem::take(&mut lines))? {
            return Ok(false);
        }
    }
    output::print(&lines)
}

fn place_of_fault(entry: &Entry) -> Option<(&Entry, usize)> {
    match &entry.told {
        Told::Found(Found {
            item: Item::Fault(fault),
            ..
        }) => Some((entry, fault.at)),
        _ => None,
    }
}

fn place(entry: &Entry, at: usize, ends: Ends) -> String {
    let from = entry.from.name(ends);
    let to = entry.from.peer().name(ends);
    match entry.place {
        Place::Stream(id, _) => format!("stream {id}, {from} to {to}, byte {at}"),
        Place::Datagram | Place::Session => format!("a datagram, {from} to {to}, byte {at}"),
    }
}

/// Bytes that are written together.
const BATCH: usize = 64 << 10;
