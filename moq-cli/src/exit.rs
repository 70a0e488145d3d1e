//! How the program ends, and what it says then.

use std::fmt;
use std::process::ExitCode;

use crate::output;

/// The program's exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything worked.
    Ok = 0,
    /// Something failed that has no code of its own.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The server refused: authorization.
    Refused = 3,
    /// There is no such broadcast or track.
    NotFound = 4,
    /// Something took too long.
    TimedOut = 5,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What failed, with which exit code, and what to try. Used as the outermost context of an error.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure that ends the program with `exit`.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
        }
    }

    /// Says what to try.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As [`Self::with_hint`], where there may be nothing to try.
    #[must_use]
    pub(crate) fn with_hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// The exit code that an error stands for.
pub(crate) fn code(error: &anyhow::Error) -> Exit {
    error
        .downcast_ref::<Failure>()
        .map_or(Exit::Failed, |failure| failure.exit)
}

/// The one line that tells of an error: what, why, and what to try.
pub(crate) fn line(error: &anyhow::Error) -> String {
    let mut line = String::from("moq: ");
    let mut last = String::new();
    for cause in error.chain() {
        let text = one_line(&cause.to_string());
        // Some sources repeat what was said above them.
        if text.is_empty() || last.ends_with(&text) {
            continue;
        }
        if !last.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
        last = text;
    }
    if let Some(hint) = error
        .downcast_ref::<Failure>()
        .and_then(|failure| failure.hint.as_deref())
    {
        line.push_str("; ");
        line.push_str(&one_line(hint));
    }
    line
}

/// The text on one line, with everything escaped that a terminal would act upon.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line += &output::harmless(word);
    }
    line
}

/// The one line that tells of a wrong command line.
pub(crate) fn usage_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let (mut said, mut tried) = (String::new(), Vec::new());
    for part in text.lines().map(str::trim) {
        if let Some(usage) = part.strip_prefix("Usage: ") {
            let command: Vec<_> = usage
                .split(' ')
                .take_while(|word| !word.starts_with(['[', '<', '-']))
                .collect();
            tried.push(format!("try `{} --help`", command.join(" ")));
            break;
        }
        match part.strip_prefix("tip: ") {
            Some(tip) => tried.push(tip.to_owned()),
            None if part.starts_with("For more information") => {
                tried.push("try `moq --help`".into())
            }
            None if part.is_empty() => {}
            None => {
                if !said.is_empty() {
                    said.push(' ');
                }
                said.push_str(part.strip_prefix("error: ").unwrap_or(part));
            }
        }
    }
    format!(
        "moq: {}",
        one_line(&format!("{said}; {}", tried.join("; ")))
    )
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_outermost_failure_gives_code_and_hint() {
        let source = std::io::Error::other("no\nroute");
        let error = Err::<(), _>(source)
            .context("cannot reach it")
            .context(Failure::new(Exit::TimedOut, "cannot connect").with_hint("check the port"))
            .unwrap_err();
        assert_eq!(code(&error), Exit::TimedOut);
        assert_eq!(
            line(&error),
            "moq: cannot connect: cannot reach it: no route; check the port"
        );
    }

    #[test]
    fn other_errors_are_plain_failures() {
        let error = anyhow::anyhow!("broken\u{1b}[31m");
        assert_eq!(code(&error), Exit::Failed);
        assert_eq!(line(&error), "moq: broken\\u{1b}[31m");
    }

    #[test]
    fn a_source_that_repeats_its_error_is_told_once() {
        let error = anyhow::anyhow!("gone").context("it is gone");
        assert_eq!(line(&error), "moq: it is gone");
    }

    #[test]
    fn codes_are_those_of_the_manual() {
        let codes = [
            (Exit::Ok, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::Refused, 3),
            (Exit::NotFound, 4),
            (Exit::TimedOut, 5),
            (Exit::Interrupted, 130),
            (Exit::Terminated, 143),
        ];
        for (exit, code) in codes {
            assert_eq!(exit as u8, code);
        }
    }
}
