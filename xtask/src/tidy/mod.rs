//! Rules of the house that no compiler checks.

mod arrows;
mod cases;
mod closure;
mod docs;
mod manifest;
mod portable;
mod sources;
mod state;
mod text;
mod words;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::fuzz;
use crate::workspace::Workspace;
use sources::Source;

/// What `cargo xtask tidy --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask tidy [OPTION]

Checks the rules of the house that no compiler checks.

  --docs CRATE    only prints what the documentation of a crate's public items lacks
  --words [PATH]  only prints sentences in comments and Markdown, below PATH if given, that stack
                  three clauses or say something in a roundabout way
";

/// Checks everything, or prints what an option asks for.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    match options {
        [] => check(workspace),
        ["--docs", package] => docs::print(workspace, package),
        ["--words"] => words::print(workspace, ""),
        ["--words", under] => words::print(workspace, under),
        _ => bail!("unknown options {options:?}; see `cargo xtask tidy --help`"),
    }
}

/// Prints what was found, and fails if anything is wrong.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    arrows::check(&workspace.packages, &mut findings);
    closure::check(workspace, &mut findings)?;
    manifest::check(workspace, &mut findings)?;
    let mut all = Vec::new();
    for package in &workspace.packages {
        let sources = Source::all_in(&package.dir, &workspace.root)?;
        let is_portable = portable::PORTABLE.contains(&package.name.as_str());
        for source in &sources {
            sources::check(source, &mut findings);
            if is_portable {
                sources::check_portable(source, &package.name, &mut findings);
            }
        }
        let facts: usize = sources
            .iter()
            .map(|source| text::spec_lines(&source.text))
            .sum();
        if facts > 0 {
            findings.note(format!(
                "{}: {facts} tests name their line of the spec",
                package.name
            ));
        }
        all.extend(sources);
    }
    cases::check(&workspace.root, &all, &mut findings)?;
    state::check(&workspace.root, &mut findings)?;
    for fault in fuzz::faults(workspace)? {
        findings.fault(fault);
    }
    docs::check(workspace, &mut findings)?;
    check_pages(&workspace.root, &mut findings);
    findings.report()
}

/// What the checks have to say.
#[derive(Debug, Default)]
struct Findings {
    notes: Vec<String>,
    warnings: Vec<String>,
    faults: Vec<String>,
}

impl Findings {
    fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    fn warn(&mut self, line: String) {
        self.warnings.push(line);
    }

    fn fault(&mut self, line: String) {
        self.faults.push(line);
    }

    fn report(&self) -> anyhow::Result<()> {
        for line in &self.notes {
            eprintln!("   {line}");
        }
        for line in &self.warnings {
            eprintln!("   warning: {line}");
        }
        for line in &self.faults {
            eprintln!("   fault: {line}");
        }
        match self.faults.len() {
            0 => Ok(()),
            1 => bail!("tidy found a fault"),
            count => bail!("tidy found {count} faults"),
        }
    }
}

fn check_pages(root: &Path, findings: &mut Findings) {
    for page in PAGES {
        if !root.join(page).is_file() {
            findings.fault(format!("{page} is missing"));
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

const PAGES: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];
