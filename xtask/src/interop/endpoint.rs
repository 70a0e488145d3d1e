//! A test client under our command, whoever wrote the library in it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::process::{Line, Process};

/// What a scenario step yields.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A process that does what its stdin says and tells what happens, as `xtask/interop/README.md`
/// has it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Who it is in the report.
    name: String,
    process: Process,
    /// Lines that nobody has asked for yet.
    pending: Vec<Line>,
    /// When the cell has to be over.
    deadline: Instant,
}

/// A line that was waited for, in words.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    words: Vec<String>,
}

impl Event {
    /// The word at this place, counted from the event's name.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// All words but the event's name.
    pub(crate) fn rest(mut self) -> Vec<String> {
        self.words.split_off(1)
    }
}

impl Endpoint {
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        log: &Path,
        deadline: Instant,
    ) -> Outcome<Self> {
        Ok(Self {
            name: name.to_owned(),
            process: Process::start(command, log)?,
            pending: Vec::new(),
            deadline,
        })
    }

    /// Has it do something.
    pub(crate) fn tell(&mut self, command: &str) -> Outcome {
        let told = self.process.write(command);
        told.map_err(|_| self.failure(&format!("{} to do `{command}`", self.name), "it has ended"))
    }

    /// Kills it, so that it says nothing more to anybody.
    pub(crate) fn kill(&mut self) -> Outcome {
        Ok(self.process.kill()?)
    }

    /// Waits for an event; `*` stands for any word, and words may follow.
    pub(crate) fn wait(&mut self, pattern: &str) -> Outcome<Event> {
        self.wait_until(pattern, self.deadline)
    }

    /// Waits for one of two events.
    pub(crate) fn wait_either(&mut self, one: &str, other: &str) -> Outcome<Event> {
        loop {
            let found = self.take_pending(one, 0);
            if let Some(event) = found.or_else(|| self.take_pending(other, 0)) {
                return Ok(event);
            }
            match self.process.line(self.deadline) {
                Some(line) => self.pending.push(line),
                None => {
                    return Err(self.failure(
                        &format!("`{one}` or `{other}` of {}", self.name),
                        "nothing more in time",
                    ));
                }
            }
        }
    }

    fn wait_until(&mut self, pattern: &str, deadline: Instant) -> Outcome<Event> {
        let expected = format!("`{pattern}` of {}", self.name);
        let mut seen = 0;
        loop {
            if let Some(found) = self.take_pending(pattern, seen) {
                return Ok(found);
            }
            seen = self.pending.len();
            if let Some(broken) = self
                .pending
                .iter()
                .find(|line| is_fatal(&line.text, pattern))
            {
                return Err(self.failure(&expected, &broken.text));
            }
            let Some(line) = self.process.line(deadline) else {
                let why = if self.process.has_ended() {
                    "it has ended"
                } else {
                    "nothing more in time"
                };
                return Err(self.failure(&expected, why));
            };
            self.pending.push(line);
        }
    }

    /// Fails if the event comes within a moment.
    pub(crate) fn none(&mut self, pattern: &str, moment: Duration) -> Outcome {
        let deadline = Instant::now() + moment;
        loop {
            if let Some(event) = self.take_pending(pattern, 0) {
                return Err(Failure::new(
                    format!("no `{pattern}` of {}", self.name),
                    event.words.join(" "),
                ));
            }
            match self.process.line(deadline) {
                Some(line) => self.pending.push(line),
                None => return Ok(()),
            }
        }
    }

    fn take_pending(&mut self, pattern: &str, from: usize) -> Option<Event> {
        let mut lines = self.pending.iter().enumerate().skip(from);
        let (index, _) = lines.find(|(_, line)| fits(pattern, &line.text))?;
        let line = self.pending.remove(index);
        Some(Event {
            at: line.at,
            words: line.text.split(' ').map(str::to_owned).collect(),
        })
    }

    /// A failure that shows the last of what was told and not expected.
    fn failure(&self, expected: &str, why: &str) -> Failure {
        let from = self.pending.len().saturating_sub(SHOWN);
        let lines = self.pending.get(from..).unwrap_or_default();
        let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        Failure::new(
            expected,
            format!("{why}; told so far: {}", lines.join(" | ")),
        )
    }
}

/// Whether a line says that a command could not be done, when that is not what is waited for.
fn is_fatal(line: &str, pattern: &str) -> bool {
    let first = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let word = first(line);
    (word == "failed" || word == "refused") && word != first(pattern)
}

/// Whether the line begins with the pattern's words.
fn fits(pattern: &str, line: &str) -> bool {
    let mut words = line.split(' ');
    pattern.split(' ').all(|wanted| {
        let word = words.next();
        word.is_some_and(|word| wanted == "*" || wanted == word)
    })
}

/// Lines in a failure.
const SHOWN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_first_words_of_a_line() {
        assert!(fits("frame 1 * 0", "frame 1 7 0 12 abcd"));
        assert!(fits("live", "live"));
        assert!(!fits("frame 1 * 0", "frame 1 7"));
        assert!(!fits("frame 1", "frame 12 0"));
    }

    #[test]
    fn a_refusal_is_fatal_unless_it_is_waited_for() {
        assert!(is_fatal("refused by the relay", "connected *"));
        assert!(!is_fatal("refused by the relay", "refused"));
        assert!(!is_fatal("error 1 nobody", "connected *"));
    }

    #[test]
    fn events_are_found_in_any_order() {
        let log = std::env::temp_dir().join("xtask-endpoint.log");
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut echo = Endpoint::start("echo", &mut Command::new("cat"), &log, deadline).unwrap();
        echo.tell("frame 1 0 0 5").unwrap();
        echo.tell("end 1 finished").unwrap();
        assert_eq!(echo.wait("end 1").unwrap().word(2), "finished");
        assert_eq!(echo.wait("frame 1 *").unwrap().word(4), "5");
        assert!(echo.none("lost *", Duration::from_millis(1)).is_ok());
        echo.tell("failed for a reason").unwrap();
        let failure = echo.wait("connected *").unwrap_err();
        assert!(failure.received.contains("failed for a reason"));
    }
}
