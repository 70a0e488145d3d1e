//! Recorded sessions decode completely, and encode to the same bytes.
//!
//! Of a session whose one end was a script, only what the other end sent is looked at. Parameters of
//! SETUP are compared as a set. Where announcements refer to earlier ones, the encoder writes them in
//! full; there the events are compared instead of the bytes.
//!
//! `MOQ_CAPTURES` names another folder of captures.

mod capture;
mod direction;
mod replay;

use std::env;
use std::fs;
use std::path::PathBuf;

use capture::Capture;
use replay::replay;

type Outcome<T = ()> = Result<T, String>;

#[test]
#[expect(
    clippy::print_stdout,
    reason = "says how much was checked, or that nothing was"
)]
fn recorded_sessions_encode_to_the_same_bytes() {
    let captures = captures();
    if captures.is_empty() {
        println!(
            "captures: skipped, there are none in {}",
            folder().display()
        );
        return;
    }
    let failures = captures.iter().filter_map(|(name, capture)| {
        let error = replay(capture).err()?;
        Some(format!("{name}: {error}"))
    });
    let failures = failures.collect::<Vec<_>>();
    println!(
        "captures: {} files, {} passed",
        captures.len(),
        captures.len() - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Announcements that may refer to earlier ones have several spellings for one meaning, so drafts
/// with those are left out.
#[test]
fn a_flipped_byte_is_noticed() {
    let mut captures = captures();
    captures.retain(|(_, capture)| !capture.version.features().announce_compression);
    for (name, capture) in captures {
        let Ok(before) = replay(&capture) else {
            continue;
        };
        let bytes = capture.golden_bytes();
        for at in (0..bytes).filter(|_| bytes <= FEW_BYTES) {
            let mut flipped = capture.clone();
            flipped.flip(at);
            assert_ne!(replay(&flipped), Ok(before.clone()), "{name}, byte {at}");
        }
    }
}

/// Above this, to flip every byte takes too long.
const FEW_BYTES: usize = 500;

/// Every capture with its name, in the order of names.
fn captures() -> Vec<(String, Capture)> {
    let Ok(entries) = fs::read_dir(folder()) else {
        return Vec::new();
    };
    let mut paths = entries
        .map(|entry| entry.expect("readable").path())
        .collect::<Vec<_>>();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    let captures = paths.iter().map(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let capture = Capture::parse(&fs::read(path).expect("readable"));
        (
            name.clone(),
            capture.unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    });
    captures.collect()
}

fn folder() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    env::var_os("MOQ_CAPTURES").map_or_else(|| default.into(), PathBuf::from)
}
