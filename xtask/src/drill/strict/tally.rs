//! What a subscriber has received, and when.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::super::ends::END;
use crate::process::Line;

/// The lines of one subscriber.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When each line came.
    came: Vec<Instant>,
    /// The number after that of the last line.
    next: u64,
    skipped: u64,
}

impl Tally {
    /// Takes in a line.
    ///
    /// # Errors
    /// If it is half, comes twice or out of order.
    pub(super) fn take(&mut self, line: &Line) -> anyhow::Result<()> {
        let words: Vec<&str> = line.text.split(' ').collect();
        let [_, number, END] = words[..] else {
            bail!("a line is half: `{}`", line.text);
        };
        let number: u64 = number.parse().context("reading the number of a line")?;
        let last = self.next.checked_sub(1);
        ensure!(number >= self.next, "line {number} comes after {last:?}");
        self.skipped += number - self.next;
        self.next = number + 1;
        self.came.push(line.at);
        Ok(())
    }

    /// The number after that of the last line.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The longest time without a line that began before `until` and ended after `kill`.
    fn pause(&self, kill: Instant, until: Instant) -> Duration {
        let pairs = self.came.windows(2);
        let pauses = pairs.filter(|pair| pair[0] < until && pair[1] > kill);
        pauses
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or_default()
    }

    /// What to tell of it after kills at these times.
    pub(super) fn report(&self, kills: &[Instant]) -> Report {
        let end = self.came.last().copied();
        let after = kills.iter().skip(1).copied().chain(end);
        let pairs = kills.iter().copied().zip(after);
        Report {
            groups: self.came.len(),
            skipped: self.skipped,
            pauses: pairs.map(|(kill, until)| self.pause(kill, until)).collect(),
        }
    }
}

/// How a run went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    groups: usize,
    skipped: u64,
    /// The longest time without data around each kill.
    pauses: Vec<Duration>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.pauses.clone();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default().as_secs_f64();
        write!(
            f,
            "{} groups, {} kills, {} skipped, without data per kill at most {:.2} s, in the middle {:.2} s",
            self.groups,
            sorted.len(),
            self.skipped,
            at(sorted.len().saturating_sub(1)),
            at(sorted.len() / 2),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tally of lines with these numbers, at these milliseconds after `start`.
    fn tally(start: Instant, lines: &[(u64, &str)]) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        for (at, text) in lines {
            tally.take(&Line {
                at: start + Duration::from_millis(*at),
                text: format!("x {text}"),
            })?;
        }
        Ok(tally)
    }

    #[test]
    fn what_was_left_out_is_counted() {
        let tally = tally(Instant::now(), &[(0, "1 end"), (1, "2 end"), (2, "5 end")]).unwrap();
        assert_eq!((tally.skipped(), tally.next()), (3, 6));
    }

    #[test]
    fn half_lines_and_those_that_come_twice_are_refused() {
        let start = Instant::now();
        assert!(tally(start, &[(0, "0 end"), (1, "0 end")]).is_err());
        assert!(tally(start, &[(0, "1 end"), (1, "0 end")]).is_err());
        assert!(tally(start, &[(0, "0 en")]).is_err());
    }

    #[test]
    fn a_pause_belongs_to_the_kills_in_it() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let lines = [
            (0, "0 end"),
            (105, "1 end"),
            (900, "2 end"),
            (1_500, "3 end"),
            (1_510, "4 end"),
        ];
        let report = tally(start, &lines).unwrap().report(&[at(100), at(1_000)]);
        let pauses = [795, 600].map(Duration::from_millis);
        assert_eq!(report.pauses, pauses);
        assert_eq!(
            report.to_string(),
            "5 groups, 2 kills, 0 skipped, without data per kill at most 0.80 s, in the middle 0.80 s"
        );
    }
}
