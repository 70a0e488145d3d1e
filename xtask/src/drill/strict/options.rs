//! The command line of `cargo xtask drill strict`.

use anyhow::{Context as _, bail, ensure};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) kills: usize,
    pub(super) schemes: Vec<String>,
    pub(super) versions: Vec<String>,
    pub(super) seed: u64,
    /// Logs stay after a run that went well.
    pub(super) keeps_logs: bool,
}

impl Options {
    pub(super) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            kills: 20,
            schemes: SCHEMES.map(str::to_owned).to_vec(),
            versions: VERSIONS.map(str::to_owned).to_vec(),
            seed: 1,
            keeps_logs: false,
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            let mut value = || {
                let value = args.next();
                value.with_context(|| format!("{name} needs a value"))
            };
            match name {
                "--quick" => {
                    options.kills = 3;
                    options.versions.truncate(1);
                }
                "--keep" => options.keeps_logs = true,
                "--kills" => options.kills = value()?.parse().context("--kills")?,
                "--seed" => options.seed = value()?.parse().context("--seed")?,
                "--version" => options.versions = vec![value()?.to_owned()],
                "--scheme" => {
                    let value = value()?;
                    ensure!(SCHEMES.contains(&value), "no such scheme: {value}");
                    options.schemes = vec![value.to_owned()];
                }
                _ => bail!("unknown option `{name}`; see `cargo xtask drill --help`"),
            }
        }
        Ok(options)
    }
}

const SCHEMES: [&str; 2] = ["https", "moqt"];

/// Those in which announcements tell who publishes, the newest first: only the same publisher is
/// resumed.
const VERSIONS: [&str; 3] = ["moq-lite-06", "moq-lite-05", "moq-lite-04"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_is_short_and_later_options_change_it() {
        let quick = Options::parse(&["--quick"]).unwrap();
        assert_eq!((quick.kills, quick.versions.len()), (3, 1));
        assert_eq!(quick.schemes, SCHEMES);
        let words = ["--quick", "--kills", "5", "--version", "moq-lite-04"];
        let other = Options::parse(&words).unwrap();
        assert_eq!((other.kills, &*other.versions[0]), (5, "moq-lite-04"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [&["--kills"][..], &["--scheme", "ws"], &["--kilns", "3"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
