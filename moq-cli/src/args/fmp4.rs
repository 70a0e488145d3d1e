//! What `--fmp4` takes.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use moq_media::packager::Format;
use moq_media::{Choice, InputFormat};

use super::values;

/// `moq publish --fmp4`
#[derive(Debug, Clone, Args)]
pub(crate) struct Fmp4PublishArgs {
    /// Publish fragmented MP4: its tracks, and a catalog that names them
    #[arg(long, groups = ["mode", "input"], env = "MOQ_FMP4", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    fmp4: bool,
    /// Publish an MPEG transport stream: H.264, H.265, AAC and Opus of its first program
    #[arg(long, groups = ["mode", "input"], env = "MOQ_TS", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    ts: bool,
    /// Publish H.264 with start codes (Annex B), as encoders write it without a container
    #[arg(long, groups = ["mode", "input"], env = "MOQ_AVC3", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    avc3: bool,
    /// Pictures per second of --avc3, such as 25 or 30000/1001 [default: as the stream says, else 25]
    #[arg(long, value_name = "RATE", requires = "avc3", conflicts_with_all = NOT_AVC3)]
    #[arg(env = "MOQ_FPS", hide_env_values = true)]
    fps: Option<values::PictureRate>,
    /// Publish a moving picture and a beep, as H.264 and Opus, without camera or file
    #[arg(long, groups = ["mode", "input"], conflicts_with = "file")]
    #[arg(env = "MOQ_TEST_PATTERN", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    test_pattern: bool,
    /// End the test pattern after so long [default: never]
    #[arg(long, requires = "test_pattern", conflicts_with_all = NOT_A_PATTERN)]
    #[arg(value_parser = values::duration, env = "MOQ_DURATION", hide_env_values = true)]
    pub(crate) duration: Option<Duration>,
    /// How samples become frames: legacy and loc have one each, which every player reads; cmaf has a
    /// frame per fragment, whose times stay exact
    #[arg(long, value_enum, default_value_t, requires = "input")]
    #[arg(env = "MOQ_CONTAINER", hide_env_values = true)]
    pub(crate) container: Container,
    /// What a group of audio spans
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "500ms",
        requires = "input"
    )]
    #[arg(value_parser = values::duration, env = "MOQ_AUDIO_GROUP", hide_env_values = true)]
    pub(crate) audio_group: Duration,
    /// Publish at the input's own pace, also from a pipe [default: files, and no pipes]
    #[arg(long, requires = "input", env = "MOQ_PACE", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pace: bool,
    /// Publish as fast as it can be read; viewers with a shorter --max-age than the file miss some
    #[arg(long, requires = "input", conflicts_with_all = ["pace", "test_pattern"])]
    #[arg(env = "MOQ_NO_PACE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    no_pace: bool,
    /// Begin the file again at its end, for ever
    #[arg(long = "loop", requires = "input", requires = "file")]
    #[arg(env = "MOQ_LOOP", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) repeat: bool,
    /// Tell what flows as JSON, an object a second: on stderr, or into FILE after `=`
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-", requires = "input")]
    #[arg(env = "MOQ_STATS_JSON", hide_env_values = true)]
    pub(crate) stats_json: Option<PathBuf>,
}

impl Fmp4PublishArgs {
    /// What the input is, if it is media.
    pub(crate) fn input(&self) -> Option<MediaInput> {
        match (self.fmp4, self.ts, self.avc3, self.test_pattern) {
            (true, ..) => Some(MediaInput::Stream(InputFormat::Fmp4)),
            (_, true, ..) => Some(MediaInput::Stream(InputFormat::MpegTs)),
            (_, _, true, _) => {
                let rate = self.fps.map(|rate| (rate.scale, rate.duration));
                Some(MediaInput::Stream(InputFormat::AnnexB { rate }))
            }
            (.., true) => Some(MediaInput::TestPattern),
            _ => None,
        }
    }

    /// Whether to publish at the input's own pace.
    pub(crate) fn is_paced(&self, is_file: bool) -> bool {
        self.test_pattern || self.pace || (is_file && !self.no_pace)
    }
}

/// A flag that is wanted is not asked for where another one rules it out.
const NOT_AVC3: [&str; 6] = ["fmp4", "ts", "test_pattern", "lines", "raw", "json"];

const NOT_A_PATTERN: [&str; 6] = ["fmp4", "ts", "avc3", "lines", "raw", "json"];

/// What kind of media the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaInput {
    /// What stdin or a file has.
    Stream(InputFormat),
    /// What this program makes itself.
    TestPattern,
}

/// How samples become frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Container {
    /// A frame per sample
    #[default]
    Legacy,
    /// A frame per sample, with properties
    Loc,
    /// A frame per fragment
    Cmaf,
}

impl From<Container> for Format {
    fn from(container: Container) -> Self {
        match container {
            Container::Legacy => Self::Legacy,
            Container::Loc => Self::Loc,
            Container::Cmaf => Self::Cmaf,
        }
    }
}

/// `moq subscribe --fmp4`
#[derive(Debug, Clone, Args)]
pub(crate) struct Fmp4SubscribeArgs {
    /// Write the media as fragmented MP4, which players read while it grows
    #[arg(long, groups = ["mode", "output"], env = "MOQ_FMP4", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    fmp4: bool,
    /// Write the media as an MPEG transport stream: H.264, H.265, AAC and Opus
    #[arg(long, groups = ["mode", "output"], env = "MOQ_TS", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) ts: bool,
    /// Which video: best, all, none, or a name of the catalog
    #[arg(long, value_name = "NAME", default_value = "best", requires = "output")]
    #[arg(env = "MOQ_VIDEO", hide_env_values = true)]
    video: Rendition,
    /// Which audio: best, all, none, or a name of the catalog
    #[arg(long, value_name = "NAME", default_value = "best", requires = "output")]
    #[arg(env = "MOQ_AUDIO", hide_env_values = true)]
    audio: Rendition,
    /// No video; the same as --video none
    #[arg(
        long,
        requires = "output",
        env = "MOQ_NO_VIDEO",
        hide_env_values = true
    )]
    #[arg(value_parser = FalseyValueParser::new())]
    no_video: bool,
    /// No audio; the same as --audio none
    #[arg(
        long,
        requires = "output",
        env = "MOQ_NO_AUDIO",
        hide_env_values = true
    )]
    #[arg(value_parser = FalseyValueParser::new())]
    no_audio: bool,
    /// Keep the broadcast's times, instead of beginning at zero
    #[arg(
        long,
        requires = "output",
        env = "MOQ_KEEP_TIME",
        hide_env_values = true
    )]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) keep_time: bool,
    /// Tell what flows as JSON, an object a second: on stderr, or into FILE after `=`
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-", requires = "output")]
    #[arg(env = "MOQ_STATS_JSON", hide_env_values = true)]
    pub(crate) stats_json: Option<PathBuf>,
}

impl Fmp4SubscribeArgs {
    /// Whether media is written.
    pub(crate) fn is_media(&self) -> bool {
        self.fmp4 || self.ts
    }

    /// Which video is written.
    pub(crate) fn video(&self) -> Choice {
        chosen(&self.video, self.no_video)
    }

    /// Which audio is written.
    pub(crate) fn audio(&self) -> Choice {
        chosen(&self.audio, self.no_audio)
    }
}

fn chosen(rendition: &Rendition, is_off: bool) -> Choice {
    if is_off {
        Choice::None
    } else {
        rendition.0.clone()
    }
}

/// Which renditions of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rendition(Choice);

impl FromStr for Rendition {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(match text {
            "best" => Choice::Best,
            "all" => Choice::All,
            "none" => Choice::None,
            name => Choice::Named(name.to_owned()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use moq_media::timeline::Scale;

    use super::super::{Cli, Command};
    use super::*;

    fn parse(args: &[&str]) -> Result<Command, clap::Error> {
        Cli::try_parse_from([&["moq"], args].concat()).map(|cli| cli.command)
    }

    #[test]
    fn renditions_are_words_or_names() {
        let args = ["subscribe", "moqt://h", "x", "--fmp4", "--video", "video1"];
        let Command::Subscribe(args) = parse(&[&args[..], &["--no-audio"]].concat()).unwrap()
        else {
            panic!("subscribe was asked for");
        };
        assert_eq!(args.fmp4.video(), Choice::Named("video1".to_owned()));
        assert_eq!(args.fmp4.audio(), Choice::None);
    }

    #[test]
    fn files_are_paced_and_pipes_are_not() {
        let paced = |flags: &[&str], is_file| {
            let args = ["publish", "moqt://h", "x", "in.mp4", "--fmp4"];
            let Command::Publish(args) = parse(&[&args[..], flags].concat()).unwrap() else {
                panic!("publish was asked for");
            };
            args.fmp4.is_paced(is_file)
        };
        assert!(paced(&[], true) && !paced(&[], false));
        assert!(!paced(&["--no-pace"], true) && paced(&["--pace"], false));
    }

    #[test]
    fn inputs_are_told_apart() {
        let input = |flags: &[&str]| {
            let args = ["publish", "moqt://h", "x"];
            let Command::Publish(args) = parse(&[&args[..], flags].concat()).unwrap() else {
                panic!("publish was asked for");
            };
            args.fmp4.input()
        };
        let stream = |format| Some(MediaInput::Stream(format));
        assert_eq!(input(&["--fmp4"]), stream(InputFormat::Fmp4));
        assert_eq!(input(&["--ts", "in.ts"]), stream(InputFormat::MpegTs));
        let rate = Scale::new(30_000).map(|scale| (scale, 1_001));
        let avc3 = input(&["--avc3", "--fps", "30000/1001"]);
        assert_eq!(avc3, stream(InputFormat::AnnexB { rate }));
        assert_eq!(input(&["--test-pattern"]), Some(MediaInput::TestPattern));
        assert_eq!(input(&["--raw"]), None);
    }

    #[test]
    fn flags_of_media_want_fmp4() {
        for flags in [
            &["publish", "moqt://h", "x", "f", "--no-pace"][..],
            &["publish", "moqt://h", "x", "--fmp4", "--loop"],
            &["publish", "moqt://h", "x", "--fmp4", "--raw"],
            &["publish", "moqt://h", "x", "--fmp4", "--ts"],
            &["publish", "moqt://h", "x", "--ts", "--fps", "25"],
            &["publish", "moqt://h", "x", "--fmp4", "--duration", "1s"],
            &["publish", "moqt://h", "x", "--avc3", "--fps", "0"],
            &["publish", "moqt://h", "x", "in", "--test-pattern"],
            &["subscribe", "moqt://h", "x", "--keep-time"],
        ] {
            assert!(parse(flags).is_err(), "{flags:?}");
        }
    }
}
