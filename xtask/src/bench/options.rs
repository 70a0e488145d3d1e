//! The command line of `bench relay`.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};

use super::subject::{Subject, Test, subject, test};
use super::workload::{self, Workload};

/// What is measured, how often, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whom to measure, in the order of the first pair.
    pub(crate) subjects: Vec<Subject>,
    pub(crate) tests: Vec<Test>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) peer: Option<PathBuf>,
    pub(crate) relay_cpu: usize,
    pub(crate) generator_cpu: usize,
    /// Windows per subject and workload.
    pub(crate) pairs: usize,
    /// Fresh processes per subject for memory, joining and announcements.
    pub(crate) rounds: usize,
    /// How often a window that does not count is repeated.
    pub(crate) repeats: usize,
    /// Windows count even if others used the machine.
    pub(crate) is_noisy: bool,
    /// Sizes are those of the short run.
    pub(crate) is_quick: bool,
    pub(crate) markdown: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// # Errors
    ///
    /// Names the option that is unknown, lacks its value or makes no sense.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let (mut generator_cpu, mut subjects) = (None, None);
        options.is_noisy = args.contains(&"--noisy");
        options.is_quick = args.contains(&"--quick");
        if options.is_quick {
            (options.pairs, options.rounds) = (3, 1);
            options.each_load("--seconds", "3")?;
        }
        let (mut loads, mut args) = (Vec::new(), args.iter());
        while let Some(name) = args.next() {
            if ["--quick", "--noisy"].contains(name) {
                continue;
            }
            let value = args
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            match *name {
                "--relay-cpu" => options.relay_cpu = number(name, value)?,
                "--generator-cpu" => generator_cpu = Some(number(name, value)?),
                "--pairs" => options.pairs = number(name, value)?,
                "--rounds" => options.rounds = number(name, value)?,
                "--repeats" => options.repeats = number(name, value)?,
                "--peer" => options.peer = Some(value.into()),
                "--markdown" => options.markdown = Some(value.into()),
                "--json" => options.json = Some(value.into()),
                "--workloads" => {
                    let seconds = options.workloads.first().map(|first| first.load.seconds);
                    options.workloads = list(value, Workload::find)?;
                    options.each_load("--seconds", &seconds.unwrap_or(1).to_string())?;
                }
                "--tests" => options.tests = list(value, test)?,
                "--subjects" => subjects = Some(list(value, subject)?),
                // They hold for the workloads that are chosen in the end.
                _ => loads.push((*name, *value)),
            }
        }
        for (name, value) in loads {
            options.each_load(name, value)?;
        }
        options.generator_cpu =
            generator_cpu.unwrap_or_else(|| usize::from(options.relay_cpu == 0));
        options.subjects = subjects.unwrap_or_else(|| options.usual_subjects());
        options.checked()
    }

    fn each_load(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        for workload in &mut self.workloads {
            let load = &mut workload.load;
            let field = match name {
                "--publishers" => &mut load.publishers,
                "--subscribers" => &mut load.subscribers,
                "--fps" => &mut load.fps,
                "--frame-bytes" => &mut load.frame_bytes,
                "--group-frames" => &mut load.group_frames,
                "--seconds" => &mut load.seconds,
                _ => bail!("unknown option {name}; see `cargo xtask bench relay --help`"),
            };
            *field = number(name, value)?;
        }
        Ok(())
    }

    fn usual_subjects(&self) -> Vec<Subject> {
        let mut subjects = vec![Subject::Ours, Subject::FanOut];
        subjects.extend(self.peer.as_ref().map(|_| Subject::Peer));
        subjects
    }

    fn checked(self) -> anyhow::Result<Self> {
        for Workload { load, .. } in &self.workloads {
            ensure!(
                load.frame_bytes >= 8,
                "--frame-bytes is at least 8, a frame carries a timestamp"
            );
            let rates = [load.fps, load.group_frames, load.seconds];
            let counts = [load.publishers, load.subscribers];
            ensure!(
                !rates.contains(&0) && !counts.contains(&0),
                "no count may be zero"
            );
        }
        ensure!(self.pairs > 0 && self.rounds > 0, "no count may be zero");
        ensure!(!self.subjects.is_empty(), "there is nobody to measure");
        ensure!(
            self.relay_cpu != self.generator_cpu,
            "relay and generator need a core each"
        );
        let peer = self.subjects.contains(&Subject::Peer);
        ensure!(
            !peer || self.peer.is_some(),
            "--peer names the program to run as the peer"
        );
        Ok(self)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            subjects: Vec::new(),
            tests: vec![
                Test::Load,
                Test::Latency,
                Test::Memory,
                Test::Join,
                Test::Announce,
            ],
            workloads: workload::ALL.to_vec(),
            peer: None,
            relay_cpu: 0,
            generator_cpu: 1,
            pairs: 12,
            rounds: 3,
            repeats: 3,
            is_noisy: false,
            is_quick: false,
            markdown: None,
            json: None,
        }
    }
}

fn list<T>(value: &str, find: impl Fn(&str) -> Option<T>) -> anyhow::Result<Vec<T>> {
    let found = value
        .split(',')
        .map(|name| find(name).with_context(|| format!("there is no {name}")));
    found.collect()
}

fn number<T: FromStr>(name: &str, value: &str) -> anyhow::Result<T> {
    let number = value.parse().ok();
    number.with_context(|| format!("{name} {value}: not a number"))
}

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench relay [OPTIONS]

Measures what a relay costs, over raw QUIC on loopback: CPU per delivered frame under six workloads,
added latency, memory, joining, announcements. One relay after the other, in alternating order, each on one core.

  --quick             3 pairs of 3 s, 1 round: about 10 minutes instead of an hour
  --peer PATH         also measure that moq-relay [0.17.10 in the cache of `cargo xtask interop`, if there]
  --subjects LIST     of ours, fanout, peer [ours,fanout, and peer if given]
  --tests LIST        of load, latency, memory, join, announce, cross [all but cross, which measures the
                      workloads once more with `moq bench`, to see that both find the same]
  --workloads LIST    of w1 hd, w2 v4k60, w3 fanout-heavy, w4 fanout-light, w5 audio, w6 chat [all]
  --markdown FILE     write the report there instead of to stdout
  --json FILE         write all figures there
  --noisy             count windows during which others used the machine: for trying things out
  --pairs N           windows per subject and workload, in alternating order [12]
  --rounds N          fresh processes per subject for everything else [3]
  --repeats N         how often a window that does not count is repeated [3]
  --relay-cpu N       core of the subject [0]
  --generator-cpu N   core of the load generator [1, or 0 if the subject has 1]

Of every chosen workload:
  --seconds N         how long each window lasts, after 2 s of warm-up [5]
  --publishers N, --subscribers N, --fps N, --frame-bytes N, --group-frames N
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_measure_us_beside_the_fan_out() {
        let options = Options::parse(&[]).unwrap();
        assert_eq!(options.subjects, [Subject::Ours, Subject::FanOut]);
        assert_eq!((options.workloads.len(), options.pairs), (6, 12));
    }

    #[test]
    fn explicit_options_win_over_quick() {
        let args = [
            "--subscribers",
            "5",
            "--quick",
            "--peer",
            "x",
            "--workloads",
            "audio,w2",
        ];
        let options = Options::parse(&args).unwrap();
        let loads = options.workloads.iter().map(|workload| workload.load);
        let loads: Vec<_> = loads.map(|load| (load.subscribers, load.seconds)).collect();
        assert_eq!((loads, options.pairs), (vec![(5, 3), (5, 3)], 3));
        assert_eq!(options.subjects.last(), Some(&Subject::Peer));
    }

    #[test]
    fn generator_avoids_the_core_of_the_relay() {
        let options = Options::parse(&["--relay-cpu", "1"]).unwrap();
        assert_eq!(options.generator_cpu, 0);
        assert!(Options::parse(&["--generator-cpu", "0"]).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for args in [
            &["--fps"][..],
            &["--fps", "many"],
            &["--fps", "0"],
            &["--frame-bytes", "7"],
            &["--subjects", "peer"],
            &["--subjects", "control"],
            &["--workloads", "w1,w9"],
            &["--tests", "speed"],
            &["--faster", "yes"],
        ] {
            assert!(Options::parse(args).is_err(), "{args:?}");
        }
    }
}
