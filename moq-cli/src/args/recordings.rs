//! What `record` and `replay` take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use moq_session::BroadcastPath;

use super::{ClientArgs, values};

/// `moq record`
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The broadcasts' paths, below that of the URL
    #[arg(required = true, num_args = 1.., value_parser = values::path, value_name = "BROADCAST")]
    pub(crate) broadcasts: Vec<BroadcastPath>,
    /// The file to write, which must not be there yet. With --split, cam.moq stands for cam.00001.moq and
    /// those after it
    pub(crate) file: PathBuf,
    /// A track that the catalog does not name; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    #[arg(env = "MOQ_TRACK", hide_env_values = true)]
    pub(crate) track: Vec<String>,
    /// End when the file has so many bytes; with --split, go on in the next file
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    #[arg(env = "MOQ_MAX_SIZE", hide_env_values = true)]
    pub(crate) max_size: Option<u64>,
    /// Begin another file after so long, where a group of the largest track begins. Each can be read alone
    #[arg(long, value_name = "DURATION", value_parser = split)]
    #[arg(env = "MOQ_SPLIT", hide_env_values = true)]
    pub(crate) split: Option<Duration>,
    /// Tell what flows as JSON, an object a second: on stderr, or into FILE after `=`
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-")]
    #[arg(env = "MOQ_STATS_JSON", hide_env_values = true)]
    pub(crate) stats_json: Option<PathBuf>,
}

/// `moq replay`
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The recording. Where it is in several files, cam.moq stands for cam.00001.moq and those after it,
    /// and the name of one of them for that one
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Publish under this path instead; where several broadcasts were recorded, below it
    #[arg(value_parser = values::path)]
    pub(crate) broadcast: Option<BroadcastPath>,
    /// Go on with this file of the same recording; may be repeated
    #[arg(long, value_name = "FILE", env = "MOQ_THEN", hide_env_values = true)]
    pub(crate) then: Vec<PathBuf>,
    /// So many times as fast as it was
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    #[arg(env = "MOQ_SPEED", hide_env_values = true)]
    pub(crate) speed: f64,
    /// Begin so long after the recording's start, with the groups that were open then
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = values::duration)]
    #[arg(env = "MOQ_FROM", hide_env_values = true)]
    pub(crate) from: Duration,
    /// Begin again at the end, for ever; each time is a broadcast of its own
    #[arg(long = "loop", env = "MOQ_LOOP", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) repeat: bool,
    /// How long to wait for a subscriber before beginning without one
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = values::duration)]
    #[arg(env = "MOQ_HOLD", hide_env_values = true)]
    pub(crate) hold: Duration,
    /// At the end, give up after this long without any progress of those who still receive
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = values::duration)]
    #[arg(env = "MOQ_LINGER", hide_env_values = true)]
    pub(crate) linger: Duration,
    /// Tell what flows as JSON, an object a second: on stderr, or into FILE after `=`
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-")]
    #[arg(env = "MOQ_STATS_JSON", hide_env_values = true)]
    pub(crate) stats_json: Option<PathBuf>,
}

fn split(text: &str) -> Result<Duration, String> {
    let duration = values::duration(text)?;
    if duration >= Duration::from_secs(1) {
        Ok(duration)
    } else {
        Err("a file takes at least a second".to_owned())
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok();
    speed
        .filter(|speed| (0.01..=1_000.0).contains(speed))
        .ok_or_else(|| "give a factor from 0.01 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, Command};
    use super::*;

    #[test]
    fn several_broadcasts_stand_in_front_of_the_file() {
        let args = ["moq", "record", "moqt://h", "a", "b/c", "out.moq"];
        let Command::Record(args) = Cli::try_parse_from(args).unwrap().command else {
            panic!("record was asked for");
        };
        let paths: Vec<_> = args.broadcasts.iter().map(BroadcastPath::as_str).collect();
        assert_eq!(paths, ["a", "b/c"]);
        assert_eq!(args.file, PathBuf::from("out.moq"));
        assert!(Cli::try_parse_from(["moq", "record", "moqt://h", "out.moq"]).is_err());
    }

    #[test]
    fn files_are_no_shorter_than_a_second() {
        assert_eq!(split("1h"), Ok(Duration::from_secs(3_600)));
        assert!(split("999ms").is_err() && split("0s").is_err());
    }

    #[test]
    fn speeds_are_sensible() {
        assert_eq!(speed("2.5"), Ok(2.5));
        for wrong in ["0", "-1", "NaN", "inf", "fast", "1e9"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }
}
