//! How often a relay said the same thing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The part of a log that is written from now on.
#[derive(Debug)]
pub(super) struct LogPart {
    path: PathBuf,
    from: usize,
}

impl LogPart {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            from: read(path).len(),
        }
    }

    /// What was written.
    pub(super) fn text(&self) -> String {
        let mut text = read(&self.path);
        text.split_off(self.from.min(text.len()))
    }

    /// The most frequent cause of a line, and how many lines it has.
    pub(super) fn most_frequent(&self) -> (usize, String) {
        self.most_frequent_of(|_| true)
    }

    /// The same of the lines that pass a test.
    pub(super) fn most_frequent_of(&self, counts: impl Fn(&str) -> bool) -> (usize, String) {
        let mut causes = BTreeMap::<String, usize>::new();
        let text = self.text();
        for line in text.lines().filter(|line| counts(line)) {
            *causes.entry(cause(line)).or_default() += 1;
        }
        let most = causes.into_iter().max_by_key(|(_, count)| *count);
        most.map_or_else(Default::default, |(cause, count)| (count, cause))
    }
}

/// A line without its time and its counts, so that lines on one thing are the same.
fn cause(line: &str) -> String {
    let words = line.split_whitespace().skip(1);
    let words: Vec<_> = words.filter(|word| !word.starts_with("times=")).collect();
    words.join(" ")
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_in_counts_have_one_cause() {
        let at = |rest: &str| cause(&format!("2026-11-30T10:00:00Z  WARN x: reached {rest}"));
        let one = at("limit=a times=1 remote=127.0.0.1:54");
        assert_eq!(one, at("limit=a times=90 remote=127.0.0.1:54"));
        assert_ne!(one, at("limit=b times=1 remote=127.0.0.1:54"));
        assert_ne!(one, at("limit=a times=1 remote=127.0.0.1:55"));
    }
}
