//! Public items whose documentation lacks something that callers need.
//!
//! Whatever is declared `pub` counts as public, without asking where it is re-exported: the lint
//! `unreachable_pub` sees to it that nothing else is. Implementations of traits are exempt, because
//! the trait is documented. Items that a macro writes are checked where its call spells out `pub`.

mod doc;
mod function;
mod items;
mod panics;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Findings;
use crate::workspace::Workspace;
use items::Items;
use tree::File;

/// The crates whose documentation has to be complete.
const COMPLETE: [&str; 4] = ["moq-wire", "moq-model", "moq-media", "moq-session"];

/// Something that an item's documentation lacks.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offence {
    /// From the workspace's root.
    path: PathBuf,
    line: usize,
    /// What the item is, and its name.
    item: String,
    lacks: &'static str,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "{path}:{}: {} {}", self.line, self.item, self.lacks)
    }
}

/// Each offence in a crate that has to be complete is a fault.
pub(super) fn check(workspace: &Workspace, findings: &mut Findings) -> anyhow::Result<()> {
    for name in COMPLETE {
        for offence in offences(workspace, name)? {
            findings.fault(offence.to_string());
        }
    }
    Ok(())
}

/// Prints the offences in a crate.
pub(super) fn print(workspace: &Workspace, package: &str) -> anyhow::Result<()> {
    let offences = offences(workspace, package)?;
    let mut stdout = std::io::stdout().lock();
    for offence in &offences {
        writeln!(stdout, "{offence}")?;
    }
    eprintln!("{package}: {} offences", offences.len());
    Ok(())
}

/// What the documentation of a crate's library lacks, in the order of paths and lines.
fn offences(workspace: &Workspace, package: &str) -> anyhow::Result<Vec<Offence>> {
    let dir = &workspace.package(package)?.dir;
    let files = File::all_of(&dir.join("src/lib.rs"), &workspace.root)?;
    Ok(offences_in(&files))
}

fn offences_in(files: &[File]) -> Vec<Offence> {
    let futures: BTreeSet<String> = files.iter().flat_map(|file| file.futures()).collect();
    let mut offences = Vec::new();
    for file in files {
        Items::new(file, &futures, &mut offences).visit();
    }
    offences.sort();
    offences
}

impl Offence {
    fn new(path: &Path, line: usize, item: String, lacks: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            line,
            item,
            lacks,
        }
    }
}
