//! A figure that is compared, and what it came to.

use super::stats::Spread;
use super::subject::Subject;

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct What {
    /// Short, and unlike any other.
    pub(super) id: String,
    pub(super) text: &'static str,
    pub(super) unit: &'static str,
    pub(super) gate: Option<Gate>,
}

/// What a figure has to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gate {
    /// The most that the interval of ours ÷ the peer's may reach.
    Ratio(f64),
    /// The most that the median of ours may be, in either direction.
    Ours(f64),
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

    /// A share of the peer's figure that ours has to keep to.
    pub(super) fn with_gate(mut self, share: f64) -> Self {
        self.gate = Some(Gate::Ratio(share));
        self
    }

    /// A bound that ours has to keep to, whatever the peer's is.
    pub(super) fn with_bound(mut self, bound: f64) -> Self {
        self.gate = Some(Gate::Ours(bound));
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

    /// One subject's figures divided by another's.
    pub(super) fn ratio(&self, above: Subject, below: Subject) -> Option<Spread> {
        Spread::interval(&self.ratios(above, below))
    }

    /// One subject's figures divided by another's, round by round.
    pub(super) fn ratios(&self, above: Subject, below: Subject) -> Vec<f64> {
        let of = |round: usize, subject: Subject| {
            let mut all = self.samples.iter();
            let found = all.find(|(at, of, _)| (*at, *of) == (round, subject));
            found.map(|(_, _, value)| *value)
        };
        let rounds = self.samples.iter().map(|(round, _, _)| *round + 1).max();
        let ratios = (0..rounds.unwrap_or(0)).filter_map(|round| {
            let below = of(round, below).filter(|value| *value > 0.0)?;
            Some(of(round, above)? / below)
        });
        ratios.collect()
    }

    /// Whether the gate is kept to, where there is one and all that it needs.
    pub(super) fn passes(&self) -> Option<bool> {
        match self.what.gate? {
            Gate::Ratio(most) => Some(self.ratio(Subject::Ours, Subject::Peer)?.high <= most),
            Gate::Ours(most) => {
                let ours = Spread::range(&self.of(Subject::Ours))?;
                Some(ours.median.abs() <= most)
            }
        }
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

    #[test]
    fn a_bound_holds_for_the_median_of_ours() {
        for (ours, passes) in [(20.0, true), (-20.0, true), (-21.0, false)] {
            let mut metric = Metric::new(What::new("x", "", "").with_bound(20.0));
            assert_eq!(metric.passes(), None);
            metric.add(0, Subject::Peer, 1000.0);
            metric.add(0, Subject::Ours, ours);
            assert_eq!(metric.passes(), Some(passes));
        }
    }
}
