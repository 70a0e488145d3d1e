//! What `catalog` and `fetch` take.

use std::ops::Range;
use std::str::FromStr;

use clap::Args;
use clap::builder::FalseyValueParser;
use moq_session::BroadcastPath;

use super::{ClientArgs, values};

/// `moq catalog`
#[derive(Debug, Args)]
pub(crate) struct CatalogArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The broadcast's path, below that of the URL
    #[arg(value_parser = values::path)]
    pub(crate) broadcast: BroadcastPath,
    /// Go on with each change
    #[arg(long, env = "MOQ_WATCH", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) watch: bool,
    /// The document itself, on one line
    #[arg(long, env = "MOQ_JSON", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,
}

/// `moq fetch`
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The broadcast's path, below that of the URL
    #[arg(value_parser = values::path)]
    pub(crate) broadcast: BroadcastPath,
    /// The track's name
    pub(crate) track: String,
    /// The number of the group [default: the newest]
    #[arg(long, value_name = "N", env = "MOQ_GROUP", hide_env_values = true)]
    pub(crate) group: Option<u64>,
    /// Which frames of it, counted from 0, the last one excluded: 2..5, 2.. or ..5 [default: all]
    #[arg(
        long,
        value_name = "A..B",
        default_value = "..",
        hide_default_value = true
    )]
    #[arg(env = "MOQ_FRAMES", hide_env_values = true)]
    pub(crate) frames: Frames,
    /// Put nothing between frames; without it, each ends with a line end
    #[arg(long, env = "MOQ_RAW", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) raw: bool,
}

/// Some frames of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frames {
    /// The first.
    pub(crate) first: u64,
    /// The one after the last; `None` for all.
    pub(crate) end: Option<u64>,
}

impl Frames {
    /// Whether the frame of this number is one of them.
    pub(crate) fn has(self, number: u64) -> bool {
        let Range { start, end } = self.first..self.end.unwrap_or(u64::MAX);
        (start..end).contains(&number)
    }
}

impl FromStr for Frames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, end) = text.split_once("..").ok_or(ADVICE)?;
        let number = |text: &str| match text {
            "" => Ok(None),
            text => text.parse::<u64>().map(Some).map_err(|_| ADVICE),
        };
        let (first, end) = (number(first)?.unwrap_or(0), number(end)?);
        if end.is_some_and(|end| end <= first) {
            return Err("there is no frame in it".to_owned());
        }
        Ok(Self { first, end })
    }
}

const ADVICE: &str = "write it like 2..5, 2.. or ..5";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_a_range_without_its_end() {
        let frames = |text: &str| text.parse::<Frames>();
        let (first, end) = (2, Some(5));
        assert_eq!(frames("2..5"), Ok(Frames { first, end }));
        assert_eq!(
            frames(".."),
            Ok(Frames {
                first: 0,
                end: None
            })
        );
        assert!(frames("2..5").unwrap().has(4) && !frames("2..5").unwrap().has(5));
        assert!(frames("..5").unwrap().has(0) && !frames("2..").unwrap().has(1));
        for wrong in ["2", "5..2", "2..2", "a..", "-1..2"] {
            assert!(frames(wrong).is_err(), "{wrong}");
        }
    }
}
