//! The source files of a crate, and what is wrong with one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Findings, closure, portable, read, text};

/// A source file, with its path from the workspace's root.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// Every Rust file below `dir`, in the order of their paths.
    pub(super) fn all_in(dir: &Path, root: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = Vec::new();
        collect(dir, "rs", &mut paths)?;
        paths.sort();
        let sources = paths.into_iter().map(|path| {
            Ok(Self {
                text: read(&path)?,
                path: path.strip_prefix(root).unwrap_or(&path).to_owned(),
            })
        });
        sources.collect()
    }

    /// Whether it is library code that has to run in a browser, on a clock that a test can pause.
    fn is_sans_io(&self) -> bool {
        let mut srcs = closure::SANS_IO
            .iter()
            .map(|package| Path::new(package).join("src"));
        srcs.any(|src| self.path.starts_with(src)) && self.path != Path::new(CLOCK)
    }
}

pub(super) fn check(source: &Source, findings: &mut Findings) {
    let path = source.path.display();
    let lines = source.text.lines().count();
    let is_short = SHORT.iter().any(|folder| source.path.starts_with(folder));
    let most = if is_short { GOOD_LINES } else { MOST_LINES };
    if lines > most {
        findings.fault(format!("{path} has {lines} lines, {most} are allowed"));
    } else if lines > GOOD_LINES {
        findings.warn(format!(
            "{path} has {lines} lines; look for a split above {GOOD_LINES}"
        ));
    }
    for line in text::leftovers(&source.text) {
        findings.fault(format!(
            "{path}:{line} leaves something for later and names no issue"
        ));
    }
    if source.is_sans_io() {
        for name in text::clocks_and_sockets(&source.text) {
            findings.fault(format!(
                "{path} uses {name}; only {CLOCK} asks for the time"
            ));
        }
    }
}

/// Looks for calls that only Unix has in what the package `name` ships.
pub(super) fn check_portable(source: &Source, name: &str, findings: &mut Findings) {
    if !source.path.starts_with(Path::new(name).join("src")) {
        return;
    }
    let path = source.path.display();
    for (line, call) in portable::unguarded(&source.text) {
        findings.fault(format!("{path}:{line} uses {call} outside of `cfg(unix)`"));
    }
}

/// Every file below `dir` with that extension, without hidden folders and what cargo builds.
pub(super) fn collect(dir: &Path, extension: &str, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("listing {}", dir.display()))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, extension, into)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
    Ok(())
}

/// The one file that may name a clock.
const CLOCK: &str = "moq-model/src/platform/clock.rs";

const GOOD_LINES: usize = 300;

const MOST_LINES: usize = 500;

/// Where no file is longer than is good.
const SHORT: [&str; 1] = ["moq-model/src/track"];

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Findings {
        let mut findings = Findings::default();
        let source = Source {
            path: path.into(),
            text: text.to_owned(),
        };
        check(&source, &mut findings);
        findings
    }

    #[test]
    fn file_length_warns_then_fails() {
        assert!(findings("a.rs", &"\n".repeat(300)).warnings.is_empty());
        assert_eq!(findings("a.rs", &"\n".repeat(301)).warnings.len(), 1);
        assert!(findings("a.rs", &"\n".repeat(500)).faults.is_empty());
        assert_eq!(findings("a.rs", &"\n".repeat(501)).faults.len(), 1);
    }

    #[test]
    fn files_of_a_track_are_short() {
        let lines = |lines| findings("moq-model/src/track/state/group.rs", &"\n".repeat(lines));
        assert!(lines(300).faults.is_empty());
        assert_eq!(lines(301).faults.len(), 1);
    }

    #[test]
    fn only_the_clock_may_ask_for_the_time() {
        let text = "pub use tokio::time::Instant;";
        assert!(findings(CLOCK, text).faults.is_empty());
        assert_eq!(
            findings("moq-session/src/io/reader.rs", text).faults.len(),
            1
        );
        assert!(findings("moq-cli/src/main.rs", text).faults.is_empty());
    }
}
