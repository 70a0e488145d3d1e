//! The list of hard cases, whose tests have to exist.

use std::path::Path;

use super::sources::Source;
use super::{Findings, read};

/// Checks that every test which the list names is a function of some source.
pub(super) fn check(
    root: &Path,
    sources: &[Source],
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let list = read(&root.join(LIST))?;
    let names = names(&list);
    for name in &names {
        let function = format!("fn {name}(");
        if !sources.iter().any(|source| source.text.contains(&function)) {
            findings.fault(format!("{LIST} names {name}, which no source has"));
        }
    }
    findings.note(format!("{LIST}: {} tests are named", names.len()));
    Ok(())
}

/// What stands in backticks in the rows of a table and can be a test's name.
fn names(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let words = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    words.filter(|word| is_test(word)).collect()
}

/// Tests are sentences; single words and pairs name other things.
fn is_test(word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(is_name) && word.matches('_').count() > 1
}

const LIST: &str = "moq-session/tests/README.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_in_backticks_are_tests() {
        let page = "`not_in_a_row`\n| a case | `it_is_shown`, `skip_wake`, `Session::fetch`, `so_is_that` |";
        assert_eq!(names(page), ["it_is_shown", "so_is_that"]);
    }
}
