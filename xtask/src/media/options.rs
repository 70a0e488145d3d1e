//! What is run.

use anyhow::{Context as _, bail, ensure};

use super::flow::Case;
use super::streams::STREAMS;
use super::table::FIXTURES;

/// What `cargo xtask media --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask media [OPTIONS]

Has ffmpeg make files of all codecs and layouts that moq-media reads, publishes each by `moq publish --fmp4` in real
time through a relay, and compares what `moq subscribe --fmp4` writes by ffprobe. In cmaf all packets have to be equal:
count, size, key flag, pts and dts but for one constant. In legacy and loc, pts within a microsecond and a tick, and dts
has to rise. Transport streams and H.264 alone go in by --ts and --avc3; the former come out by --ts over moqt, all else by
--fmp4. Their times are judged as in legacy, and those of H.264 alone, which has none, not at all. Tracks keep their times to
each other, and ffmpeg has to decode the output without a word. What ffmpeg can't make here is skipped, with its reason; so
is everything without ffmpeg.

  --quick         five of the files, legacy over https and cmaf over moqt
  --fixture NAME  one of the files
  --version V     the draft, such as moq-lite-06
";

/// What is run.
#[derive(Debug)]
pub(super) struct Options {
    is_quick: bool,
    fixture: Option<String>,
    pub(super) version: String,
}

impl Options {
    pub(super) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            is_quick: false,
            fixture: None,
            version: "moq-lite-06".to_owned(),
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            match name {
                "--quick" => options.is_quick = true,
                "--fixture" => {
                    let value = args.next().context("--fixture needs a name")?;
                    let files = FIXTURES.iter().map(|(name, _)| *name);
                    let streams = STREAMS.iter().map(|(name, ..)| *name);
                    let names: Vec<_> = files.chain(streams).collect();
                    ensure!(
                        names.contains(&value),
                        "no such fixture; there are {}",
                        names.join(", ")
                    );
                    options.fixture = Some(value.to_owned());
                }
                "--version" => {
                    let value = args.next().context("--version needs a value")?;
                    value.clone_into(&mut options.version);
                }
                _ => bail!("unknown option `{name}`; see `cargo xtask media --help`"),
            }
        }
        Ok(options)
    }

    pub(super) fn has_fixture(&self, name: &str) -> bool {
        match &self.fixture {
            Some(fixture) => fixture == name,
            None => !self.is_quick || QUICK.contains(&name),
        }
    }

    /// The ways that a fixture goes.
    pub(super) fn cases<'a>(
        &self,
        (fixture, format): (&'a str, &'a str),
    ) -> impl Iterator<Item = Case<'a>> {
        let all: &[(&str, &str)] = if self.is_quick { FEW } else { ALL };
        all.iter().map(move |(container, scheme)| Case {
            fixture,
            format,
            container,
            scheme,
        })
    }
}

const QUICK: [&str; 5] = ["h264-bframes", "ntsc", "hev1", "audio-only", "ts-h264-aac"];

const FEW: &[(&str, &str)] = &[("legacy", "https"), ("cmaf", "moqt")];

const ALL: &[(&str, &str)] = &[
    ("legacy", "https"),
    ("legacy", "moqt"),
    ("loc", "https"),
    ("cmaf", "https"),
    ("cmaf", "moqt"),
];
