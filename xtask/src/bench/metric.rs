//! A figure that is compared, and what it came to.

use super::options::Subject;
use super::stats::Spread;

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct What {
    /// Short, and unlike any other.
    pub(super) id: String,
    pub(super) text: &'static str,
    pub(super) unit: &'static str,
    /// The most that ours ÷ the peer's may be.
    pub(super) gate: Option<f64>,
}

impl What {
    pub(super) fn new(id: impl Into<String>, text: &'static str, unit: &'static str) -> Self {
        Self {
            id: id.into(),
            text,
            unit,
            gate: None,
        }
    }

    pub(super) fn with_gate(mut self, gate: f64) -> Self {
        self.gate = Some(gate);
        self
    }
}

/// A figure of all subjects, as often as it was measured.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    pub(super) what: What,
    samples: Vec<(usize, Subject, f64)>,
}

impl Metric {
    pub(super) fn new(what: What) -> Self {
        Self {
            what,
            samples: Vec::new(),
        }
    }

    /// The figure of a subject in a round; figures of the same round are compared.
    pub(super) fn add(&mut self, round: usize, subject: Subject, value: f64) {
        self.samples.push((round, subject, value));
    }

    /// All figures of a subject.
    pub(super) fn of(&self, subject: Subject) -> Vec<f64> {
        let of_subject = self.samples.iter().filter(|(_, of, _)| *of == subject);
        of_subject.map(|(_, _, value)| *value).collect()
    }

    /// One subject's figures divided by another's, round by round.
    pub(super) fn ratio(&self, above: Subject, below: Subject) -> Option<Spread> {
        let of = |round: usize, subject: Subject| {
            let mut all = self.samples.iter();
            let found = all.find(|(at, of, _)| (*at, *of) == (round, subject));
            found.map(|(_, _, value)| *value)
        };
        let rounds = self.samples.iter().map(|(round, _, _)| *round).max()?;
        let ratios = (0..=rounds).filter_map(|round| {
            let below = of(round, below).filter(|value| *value > 0.0)?;
            Some(of(round, above)? / below)
        });
        Spread::interval(&ratios.collect::<Vec<_>>())
    }

    /// Whether the upper end of the interval keeps to the gate, where there are both.
    pub(super) fn passes(&self) -> Option<bool> {
        let ratio = self.ratio(Subject::Ours, Subject::Peer)?;
        Some(ratio.high <= self.what.gate?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_pair_figures_of_a_round() {
        let mut metric = Metric::new(What::new("x", "", "").with_gate(2.5));
        for (round, ours, peer) in [(0, 30.0, 20.0), (1, 50.0, 20.0), (2, 80.0, 40.0)] {
            metric.add(round, Subject::Ours, ours);
            metric.add(round, Subject::Peer, peer);
        }
        metric.add(3, Subject::Ours, 1000.0);
        let ratio = metric.ratio(Subject::Ours, Subject::Peer).unwrap();
        assert_eq!((ratio.median, ratio.count), (2.0, 3));
        assert_eq!(metric.passes(), Some(true));
        assert_eq!(metric.ratio(Subject::Ours, Subject::FanOut), None);
    }

    #[test]
    fn a_gate_holds_for_the_upper_end_of_the_interval() {
        let mut metric = Metric::new(What::new("x", "", "").with_gate(0.5));
        for (round, ours) in [0.2, 0.4, 0.6].into_iter().enumerate() {
            metric.add(round, Subject::Ours, ours);
            metric.add(round, Subject::Peer, 1.0);
        }
        assert_eq!(metric.passes(), Some(false));
    }
}
