//! The command line of `bench relay`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The `moq relay` of this workspace.
    Ours,
    /// The least that a fan-out on quinn has to do.
    FanOut,
    /// A `moq-relay` that we did not write.
    Peer,
}

/// What is measured, and under which load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whom to measure, in the order of the first pair.
    pub(crate) subjects: Vec<Subject>,
    pub(crate) peer: Option<PathBuf>,
    pub(crate) relay_cpu: usize,
    pub(crate) generator_cpu: usize,
    pub(crate) pairs: usize,
    pub(crate) load: Load,
}

/// What one publisher sends to all subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) subscribers: u64,
    /// Frames per second.
    pub(crate) fps: u64,
    pub(crate) frame_bytes: u64,
    pub(crate) group_frames: u64,
    /// How long to measure, in seconds.
    pub(crate) seconds: u64,
}

impl Options {
    /// # Errors
    ///
    /// Names the option that is unknown, lacks its value or makes no sense.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut generator_cpu = None;
        let mut subjects = None;
        if args.contains(&"--quick") {
            options.pairs = 2;
            options.load.subscribers = 20;
            options.load.seconds = 3;
        }
        let mut args = args.iter().filter(|arg| **arg != "--quick");
        while let Some(name) = args.next() {
            let value = args.next().with_context(|| format!("{name} needs a value"));
            match *name {
                "--relay-cpu" => options.relay_cpu = number(name, value?)?,
                "--generator-cpu" => generator_cpu = Some(number(name, value?)?),
                "--pairs" => options.pairs = number(name, value?)?,
                "--subscribers" => options.load.subscribers = number(name, value?)?,
                "--fps" => options.load.fps = number(name, value?)?,
                "--frame-bytes" => options.load.frame_bytes = number(name, value?)?,
                "--group-frames" => options.load.group_frames = number(name, value?)?,
                "--seconds" => options.load.seconds = number(name, value?)?,
                "--peer" => options.peer = Some(value?.into()),
                "--subjects" => {
                    subjects = Some(value?.split(',').map(subject).collect::<Result<_, _>>()?)
                }
                _ => bail!("unknown option {name}; see `cargo xtask bench relay --help`"),
            }
        }
        options.generator_cpu =
            generator_cpu.unwrap_or_else(|| usize::from(options.relay_cpu == 0));
        options.subjects = subjects.unwrap_or_else(|| options.usual_subjects());
        options.checked()
    }

    fn usual_subjects(&self) -> Vec<Subject> {
        let mut subjects = vec![Subject::Ours, Subject::FanOut];
        subjects.extend(self.peer.as_ref().map(|_| Subject::Peer));
        subjects
    }

    fn checked(self) -> anyhow::Result<Self> {
        let load = self.load;
        ensure!(
            load.frame_bytes >= 8,
            "--frame-bytes is at least 8, a frame carries a timestamp"
        );
        let all = [load.subscribers, load.fps, load.group_frames, load.seconds];
        ensure!(!all.contains(&0) && self.pairs > 0, "no count may be zero");
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
            peer: None,
            relay_cpu: 0,
            generator_cpu: 1,
            pairs: 3,
            load: Load {
                subscribers: 100,
                fps: 60,
                frame_bytes: 4000,
                group_frames: 60,
                seconds: 10,
            },
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subscribers,
            fps,
            frame_bytes,
            group_frames,
            seconds,
        } = self;
        write!(
            f,
            "1 → {subscribers}, {fps} fps × {frame_bytes} B, {group_frames}-frame groups, {seconds} s"
        )
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ours => "ours",
            Self::FanOut => "fanout",
            Self::Peer => "peer",
        })
    }
}

fn subject(name: &str) -> anyhow::Result<Subject> {
    let mut all = [Subject::Ours, Subject::FanOut, Subject::Peer].into_iter();
    all.find(|subject| subject.to_string() == name)
        .with_context(|| format!("there is no subject {name}"))
}

fn number<T: FromStr>(name: &str, value: &str) -> anyhow::Result<T> {
    let number = value.parse().ok();
    number.with_context(|| format!("{name} {value}: not a number"))
}

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench relay [OPTIONS]

Measures the CPU time that a relay needs per delivered frame, over raw QUIC on loopback.

  --quick             20 subscribers, 2 pairs of 3 s
  --subscribers N     connections that subscribe [100]
  --fps N             frames per second [60]
  --frame-bytes N     bytes per frame [4000]
  --group-frames N    frames per group [60]
  --seconds N         how long each window lasts, after 2 s of warm-up [10]
  --pairs N           windows per subject, in alternating order [3]
  --relay-cpu N       core of the subject [0]
  --generator-cpu N   core of the load generator [1, or 0 if the subject has 1]
  --peer PATH         also measure that moq-relay
  --subjects LIST     of ours, fanout, peer, separated by commas [ours,fanout, peer if given]
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_measure_us_beside_the_fan_out() {
        let options = Options::parse(&[]).unwrap();
        assert_eq!(options.subjects, [Subject::Ours, Subject::FanOut]);
        assert_eq!(options.load.subscribers, 100);
    }

    #[test]
    fn explicit_options_win_over_quick() {
        let options = Options::parse(&["--subscribers", "5", "--quick", "--peer", "x"]).unwrap();
        assert_eq!(
            (
                options.load.subscribers,
                options.load.seconds,
                options.pairs
            ),
            (5, 3, 2)
        );
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
        assert!(Options::parse(&["--fps"]).is_err());
        assert!(Options::parse(&["--fps", "many"]).is_err());
        assert!(Options::parse(&["--fps", "0"]).is_err());
        assert!(Options::parse(&["--frame-bytes", "7"]).is_err());
        assert!(Options::parse(&["--subjects", "peer"]).is_err());
        assert!(Options::parse(&["--faster", "yes"]).is_err());
    }
}
