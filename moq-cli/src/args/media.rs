//! What `publish` and `subscribe` take.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use moq_session::BroadcastPath;

use super::fmp4::{Fmp4PublishArgs, Fmp4SubscribeArgs};
use super::{ClientArgs, values};

/// `moq publish`
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The broadcast's path, below that of the URL
    #[arg(value_parser = values::path)]
    pub(crate) broadcast: BroadcastPath,
    /// What to publish; stdin without it or with `-`
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) media: MediaArgs,
    #[command(flatten)]
    pub(crate) fmp4: Fmp4PublishArgs,
    /// End a group after this many frames [default: 1 with --lines and --json]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_FRAMES))]
    #[arg(env = "MOQ_GROUP_FRAMES", hide_env_values = true)]
    pub(crate) group_frames: Option<u32>,
    /// End a group after this many bytes, at most 32MiB
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = values::group_size)]
    #[arg(env = "MOQ_GROUP_BYTES", hide_env_values = true)]
    pub(crate) group_bytes: usize,
    /// How long to wait for a subscriber before reading the input without one
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = values::duration)]
    #[arg(env = "MOQ_HOLD", hide_env_values = true)]
    pub(crate) hold: Duration,
    /// At the end, give up after this long without any progress of those who still receive
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = values::duration)]
    #[arg(env = "MOQ_LINGER", hide_env_values = true)]
    pub(crate) linger: Duration,
}

/// `moq subscribe`
#[derive(Debug, Args)]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The broadcast's path, below that of the URL
    #[arg(value_parser = values::path)]
    pub(crate) broadcast: BroadcastPath,
    #[command(flatten)]
    pub(crate) media: MediaArgs,
    #[command(flatten)]
    pub(crate) fmp4: Fmp4SubscribeArgs,
    /// Where to begin: oldest, newest, or the number of a group [default: oldest if the broadcast
    /// had to be waited for, else newest]
    #[arg(long, value_name = "START", env = "MOQ_FROM", hide_env_values = true)]
    pub(crate) from: Option<Beginning>,
    /// How much may be held while a group before it is missing [default: a quarter of the memory,
    /// at most 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = values::buffer)]
    #[arg(env = "MOQ_BUFFER", hide_env_values = true)]
    pub(crate) buffer: Option<u64>,
    /// Wait for the broadcast to come back when it vanishes without an end, and go on with it
    #[arg(long, env = "MOQ_STAY", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) stay: bool,
    /// Fail if anything is missing
    #[arg(long, env = "MOQ_STRICT", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) strict: bool,
}

/// What both sides of a track have in common.
#[derive(Debug, Clone, Args)]
pub(crate) struct MediaArgs {
    /// The track's name
    #[arg(long, value_name = "NAME", default_value = "data")]
    #[arg(env = "MOQ_TRACK", hide_env_values = true)]
    pub(crate) track: String,
    /// A frame is a line (the default)
    #[arg(long, group = "mode", env = "MOQ_LINES", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    lines: bool,
    /// Frames are bytes as they come
    #[arg(long, group = "mode", env = "MOQ_RAW", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    raw: bool,
    /// A frame is a line of JSON, which is checked
    #[arg(long, group = "mode", env = "MOQ_JSON", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    json: bool,
    /// How far behind the newest a group may be before it is given up
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    #[arg(env = "MOQ_MAX_AGE", hide_env_values = true)]
    pub(crate) max_age: Duration,
}

impl MediaArgs {
    /// What a frame is.
    pub(crate) fn mode(&self) -> Mode {
        match (self.raw, self.json) {
            (true, _) => Mode::Raw,
            (_, true) => Mode::Json,
            _ => Mode::Lines,
        }
    }
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A line without its end.
    Lines,
    /// Some bytes.
    Raw,
    /// A line that holds a JSON value.
    Json,
}

/// Where a subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// At the oldest group there is.
    Oldest,
    /// At the newest group.
    Newest,
    /// At this group, or the first after it.
    Group(u64),
}

impl FromStr for Beginning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "oldest" => Ok(Self::Oldest),
            "newest" => Ok(Self::Newest),
            number => number
                .parse()
                .map(Self::Group)
                .map_err(|_| "give oldest, newest or the number of a group".to_owned()),
        }
    }
}

/// What a group can hold.
const MAX_FRAMES: i64 = 8_192;
