//! The command line of `cargo xtask drill takeover`.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Kills of each kind.
    pub(super) rounds: usize,
    pub(super) schemes: Vec<String>,
    pub(super) version: String,
    /// How long to publish over a link with losses instead.
    pub(super) loss: Option<Duration>,
}

impl Options {
    pub(super) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            rounds: 10,
            schemes: SCHEMES.map(str::to_owned).to_vec(),
            version: "moq-lite-06".to_owned(),
            loss: None,
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            let mut value = || {
                let value = args.next();
                value.with_context(|| format!("{name} needs a value"))
            };
            match name {
                "--quick" => options.rounds = 2,
                "--rounds" => options.rounds = value()?.parse().context("--rounds")?,
                "--version" => value()?.clone_into(&mut options.version),
                "--loss" => {
                    let minutes: u64 = value()?.parse().context("--loss")?;
                    options.loss = Some(Duration::from_secs(60 * minutes));
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_options_change_what_quick_means() {
        assert_eq!(Options::parse(&["--quick"]).unwrap().rounds, 2);
        let options = Options::parse(&["--quick", "--rounds", "7", "--loss", "3"]).unwrap();
        let minutes = Some(Duration::from_secs(180));
        assert_eq!((options.rounds, options.loss), (7, minutes));
        assert!(Options::parse(&["--scheme", "ws"]).is_err());
        assert!(Options::parse(&["--loss"]).is_err());
    }
}
