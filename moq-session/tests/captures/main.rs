//! Recorded sessions, replayed.
//!
//! Of two recorded ends, everything is decoded and encoded to the same bytes. Where one end was a
//! script, a session takes the place of the other one: it is fed what the script sent, its
//! application does what the recorded one did, and what it answers is compared (`compare.rs` says
//! how). What the application did is worked out from the recording (`plan.rs`). Where a robust
//! endpoint does better than the recorded one, `known.rs` says what and why.
//!
//! `MOQ_CAPTURES` names another folder of captures. Where there are none, nothing is checked.

mod agree;
mod announcing;
mod cast;
mod compare;
mod flip;
mod known;
mod message;
mod plan;
mod publishing;
mod recording;
mod stage;
mod subscribing;
mod tape;
mod track;
mod words;

#[expect(dead_code, reason = "bytes are flipped in the file here")]
#[path = "../../../moq-wire/tests/captures/capture.rs"]
mod capture;
#[path = "../../../moq-wire/tests/captures/direction.rs"]
mod direction;
#[path = "../../../moq-wire/tests/captures/replay.rs"]
mod replay;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use known::Known;
use recording::{Recording, Side};

type Outcome<T = ()> = Result<T, String>;

#[test]
#[expect(
    clippy::print_stdout,
    reason = "says how much was checked, or that nothing was"
)]
fn recorded_sessions_are_answered_as_recorded() {
    let folder = folder();
    let files = files(&folder);
    if files.is_empty() {
        println!("captures: skipped, there are none in {}", folder.display());
        return;
    }
    let (mut passed, mut known, mut failed) = (0, Vec::new(), Vec::new());
    for (name, file) in &files {
        match check(file) {
            Ok(None) => passed += 1,
            Ok(Some(difference)) => {
                passed += 1;
                known.push(format!("{name}: {difference}"));
            }
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    println!(
        "captures: {} files, {passed} passed, {} known differences",
        files.len(),
        known.len()
    );
    known.iter().for_each(|known| println!("  {known}"));
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// Checks one file; says what is different on purpose.
fn check(file: &[u8]) -> Outcome<Option<String>> {
    let recording = Recording::parse(file)?;
    agree::check(&recording)?;
    if recording.scripted.is_none() {
        replay::replay(&capture::Capture::parse(file)?)?;
        return Ok(None);
    }
    let known = Known::of(&recording);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let found = runtime.block_on(stage::perform(&recording, known))?;
    let list: Vec<_> = found.iter().map(ToString::to_string).collect();
    match known {
        Some(known) if known.explains(&found) => {
            Ok(Some(format!("{} — §{}", list.join("; "), known.reason)))
        }
        None if found.is_empty() => Ok(None),
        _ => Err(format!("\n    {}", list.join("\n    "))),
    }
}

/// What is said once and could have been otherwise, such as a name or a payload, is taken for what the
/// application did. Everything else is noticed: here the first byte of each half and all of SETUP.
#[test]
fn a_flipped_byte_is_noticed() {
    for scripted in [None, Some(Side::Client), Some(Side::Server)] {
        let is_meant = |file: &[u8]| {
            let recording = Recording::parse(file).ok();
            recording.is_some_and(|recording| {
                recording.scripted == scripted && recording.version.features().setup_stream
            })
        };
        let files = files(Path::new(SHARED)).into_iter();
        let mut files = files.filter(|(_, file)| is_meant(file) && check(file) == Ok(None));
        let Some((name, file)) = files.next() else {
            continue;
        };
        for (half, at) in flip::places(&file) {
            let flipped = flip::flip(&file, &half, at);
            assert!(check(&flipped).is_err(), "{name}: byte {at} of {half}");
        }
    }
}

/// Every capture of a folder with its name, in the order of names.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("readable").path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "json");
    let mut paths: Vec<_> = paths.filter(is_capture).collect();
    paths.sort();
    let files = paths.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), fs::read(path).expect("readable"))
    });
    files.collect()
}

fn folder() -> PathBuf {
    env::var_os("MOQ_CAPTURES").map_or_else(|| SHARED.into(), PathBuf::from)
}

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
