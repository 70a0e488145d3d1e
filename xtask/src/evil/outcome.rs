//! What an attack came to, beside its limits.

use std::fmt;

/// A figure with its limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    what: String,
    unit: &'static str,
    measured: f64,
    /// At most this much, unless it is only told.
    limit: Option<f64>,
    /// Others on the machine may be the cause.
    is_time: bool,
}

/// All figures of an attack.
#[derive(Debug, Default)]
pub(super) struct Outcome(Vec<Row>);

impl Row {
    /// A figure that may be `limit` at most.
    pub(super) fn at_most(
        what: impl Into<String>,
        unit: &'static str,
        (measured, limit): (f64, f64),
    ) -> Self {
        let (what, limit) = (what.into(), Some(limit));
        Self {
            what,
            unit,
            measured,
            limit,
            is_time: false,
        }
    }

    /// A time, in milliseconds, that may be `limit` at most. It is longer on a busy machine.
    pub(super) fn in_time(what: impl Into<String>, figures: (f64, f64)) -> Self {
        let row = Self::at_most(what, "ms", figures);
        Self {
            is_time: true,
            ..row
        }
    }

    /// Something that has to be as it should.
    pub(super) fn holds(what: impl Into<String>, holds: bool) -> Self {
        Self::at_most(what, "faults", (f64::from(u8::from(!holds)), 0.0))
    }

    /// A figure without a limit.
    pub(super) fn told(what: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        let (what, limit) = (what.into(), None);
        Self {
            what,
            unit,
            measured,
            limit,
            is_time: false,
        }
    }

    fn is_good(&self) -> bool {
        self.limit.is_none_or(|limit| self.measured <= limit)
    }
}

impl Outcome {
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.0.extend(rows);
    }

    pub(super) fn is_good(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Row::is_good)
    }

    /// Whether nothing but times is beyond its limit.
    pub(super) fn is_only_late(&self) -> bool {
        let mut bad = self.0.iter().filter(|row| !row.is_good()).peekable();
        bad.peek().is_some() && bad.all(|row| row.is_time)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.limit, self.is_good()) {
            (None, _) => "    ",
            (Some(_), true) => "ok  ",
            (Some(_), false) => "FAIL",
        };
        let Self { what, unit, .. } = self;
        write!(f, "  {verdict} {what:<58} {:>9.1} {unit}", self.measured)?;
        match self.limit {
            Some(limit) => write!(f, ", at most {limit:.1}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            row.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_beyond_its_limit_fails_the_attack() {
        let mut outcome = Outcome::default();
        assert!(!outcome.is_good(), "nothing was measured");
        outcome.add(Row::at_most("memory", "MiB", (3.0, 4.0)));
        outcome.add(Row::told("CPU", "s", 9.0));
        assert!(outcome.is_good() && !outcome.is_only_late());
        outcome.add(Row::in_time("first frame", (30.0, 20.0)));
        assert!(!outcome.is_good() && outcome.is_only_late());
        outcome.add(Row::holds("it ends well", false));
        assert!(!outcome.is_good() && !outcome.is_only_late());
        let text = outcome.to_string();
        assert!(text.contains("FAIL it ends well"), "{text}");
    }
}
