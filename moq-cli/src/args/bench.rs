//! What `bench` takes.

use std::fmt;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use moq_session::BroadcastPath;

use super::{ClientArgs, values};

/// `moq bench`
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Begin with these figures, of which other flags replace single ones; w1 to w6 in this order
    #[arg(
        long,
        default_value = "v4k60",
        env = "MOQ_WORKLOAD",
        hide_env_values = true
    )]
    workload: Workload,
    #[command(flatten)]
    flags: ShapeArgs,
    /// How long to measure
    #[arg(long, default_value = "10s", value_parser = values::duration)]
    #[arg(env = "MOQ_DURATION", hide_env_values = true)]
    pub(crate) duration: Duration,
    /// Let the subscribers come evenly over this time, while the publishers send already
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = values::duration)]
    #[arg(env = "MOQ_RAMP", hide_env_values = true)]
    pub(crate) ramp: Duration,
    /// Count a frame as late that comes so long after it was due
    #[arg(long, default_value = "500ms", value_name = "DURATION", value_parser = values::duration)]
    #[arg(env = "MOQ_LATE", hide_env_values = true)]
    pub(crate) late: Duration,
    /// How far behind the newest a group may be before it is given up
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = values::duration)]
    #[arg(env = "MOQ_MAX_AGE", hide_env_values = true)]
    pub(crate) max_age: Duration,
    /// Publish below this path
    #[arg(long, default_value = "bench", value_name = "PATH", value_parser = values::path)]
    #[arg(env = "MOQ_PREFIX", hide_env_values = true)]
    pub(crate) prefix: BroadcastPath,
    /// One JSON object per second, and one for the whole
    #[arg(long, env = "MOQ_JSON", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,
}

/// The flags that replace single figures of a workload.
#[derive(Debug, Default, Args)]
struct ShapeArgs {
    /// Connections that publish
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(env = "MOQ_PUBLISHERS", hide_env_values = true)]
    publishers: Option<u32>,
    /// Broadcasts of each publisher
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(env = "MOQ_BROADCASTS", hide_env_values = true)]
    broadcasts: Option<u32>,
    /// Tracks of each broadcast
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(env = "MOQ_TRACKS", hide_env_values = true)]
    tracks: Option<u32>,
    /// Connections that subscribe
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(env = "MOQ_SUBSCRIBERS", hide_env_values = true)]
    subscribers: Option<u32>,
    /// Broadcasts that each subscriber takes, all tracks of them, in turn
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(env = "MOQ_EACH", hide_env_values = true)]
    each: Option<u32>,
    /// Frames per second of each track
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    #[arg(env = "MOQ_FPS", hide_env_values = true)]
    fps: Option<u32>,
    /// Bytes per frame, at least 8
    #[arg(long, value_name = "SIZE", value_parser = frame_size)]
    #[arg(env = "MOQ_FRAME_BYTES", hide_env_values = true)]
    frame_bytes: Option<usize>,
    /// Frames per group
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8_192))]
    #[arg(env = "MOQ_GROUP_FRAMES", hide_env_values = true)]
    group_frames: Option<u32>,
}

/// The load of well-known use cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// 1 → 20, 30 × 40 000 B a second, groups of 30
    #[value(alias = "w1")]
    Hd,
    /// 1 → 100, 60 × 4 000 B a second, groups of 60
    #[value(name = "v4k60", alias = "w2")]
    V4k60,
    /// 1 → 64, 60 × 1 200 B a second, groups of 1
    #[value(alias = "w3")]
    FanoutHeavy,
    /// 1 → 64, 10 × 400 B a second, groups of 1
    #[value(alias = "w4")]
    FanoutLight,
    /// 20 → 50, 50 × 300 B a second, groups of 5
    #[value(alias = "w5")]
    Audio,
    /// 300 → 300, one to one, 1 × 300 B a second, groups of 1
    #[value(alias = "w6")]
    Chat,
}

/// Who sends how much to how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) publishers: u32,
    /// Of each publisher.
    pub(crate) broadcasts: u32,
    /// Of each broadcast.
    pub(crate) tracks: u32,
    pub(crate) subscribers: u32,
    /// Broadcasts that each subscriber takes.
    pub(crate) each: u32,
    /// Frames per second of each track.
    pub(crate) fps: u32,
    pub(crate) frame_bytes: usize,
    pub(crate) group_frames: u32,
}

impl BenchArgs {
    /// The workload with what the flags replace.
    pub(crate) fn shape(&self) -> Shape {
        let (preset, flags) = (self.workload.shape(), &self.flags);
        let shape = Shape {
            publishers: flags.publishers.unwrap_or(preset.publishers),
            broadcasts: flags.broadcasts.unwrap_or(preset.broadcasts),
            tracks: flags.tracks.unwrap_or(preset.tracks),
            subscribers: flags.subscribers.unwrap_or(preset.subscribers),
            each: flags.each.unwrap_or(preset.each),
            fps: flags.fps.unwrap_or(preset.fps),
            frame_bytes: flags.frame_bytes.unwrap_or(preset.frame_bytes),
            group_frames: flags.group_frames.unwrap_or(preset.group_frames),
        };
        // Nobody takes a broadcast twice.
        let all = shape.publishers.saturating_mul(shape.broadcasts);
        Shape {
            each: shape.each.min(all),
            ..shape
        }
    }
}

impl Workload {
    fn shape(self) -> Shape {
        let (publishers, subscribers, fps, frame_bytes, group_frames) = match self {
            Self::Hd => (1, 20, 30, 40_000, 30),
            Self::V4k60 => (1, 100, 60, 4_000, 60),
            Self::FanoutHeavy => (1, 64, 60, 1_200, 1),
            Self::FanoutLight => (1, 64, 10, 400, 1),
            Self::Audio => (20, 50, 50, 300, 5),
            Self::Chat => (300, 300, 1, 300, 1),
        };
        Shape {
            publishers,
            broadcasts: 1,
            tracks: 1,
            subscribers,
            each: 1,
            fps,
            frame_bytes,
            group_frames,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            publishers,
            broadcasts,
            tracks,
            subscribers,
            each,
            fps,
            frame_bytes,
            group_frames,
        } = self;
        write!(
            f,
            "{publishers} × {broadcasts} × {tracks} tracks → {subscribers} × {each}, \
             {fps} × {frame_bytes} B a second, groups of {group_frames}"
        )
    }
}

/// Reads the size of a frame that has room for the moment it was due.
fn frame_size(text: &str) -> Result<usize, String> {
    match values::size(text)? {
        size @ 8..=MAX_FRAME => Ok(size),
        _ => Err("a frame here has 8 bytes to 16MiB".into()),
    }
}

const MAX_FRAME: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, Command};
    use super::*;

    fn shape(flags: &[&str]) -> Shape {
        let cli = Cli::try_parse_from([&["moq", "bench", "moqt://h"], flags].concat()).unwrap();
        let Command::Bench(args) = cli.command else {
            panic!("bench was asked for");
        };
        args.shape()
    }

    #[test]
    fn flags_replace_single_figures_of_a_workload() {
        assert_eq!(shape(&[]), shape(&["--workload", "w2"]));
        let audio = shape(&["--workload", "audio"]);
        let more = shape(&["--workload", "w5", "--subscribers", "250"]);
        assert_eq!((audio.subscribers, more.subscribers), (50, 250));
        assert_eq!(
            Shape {
                subscribers: 50,
                ..more
            },
            audio
        );
    }

    #[test]
    fn nobody_takes_a_broadcast_twice() {
        assert_eq!(shape(&["--each", "7"]).each, 1);
        assert_eq!(shape(&["--each", "7", "--publishers", "9"]).each, 7);
    }

    #[test]
    fn a_frame_has_room_for_its_stamp() {
        assert!(frame_size("7").is_err() && frame_size("17MiB").is_err());
        assert_eq!(frame_size("4k"), Ok(4_096));
    }
}
