//! The command line of `fuzz`.

use anyhow::{Context as _, bail, ensure};

use super::targets::Target;

/// What is fuzzed, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// For each target.
    pub(crate) seconds: u64,
    /// Empty for all.
    targets: Vec<String>,
}

impl Options {
    /// # Errors
    ///
    /// Names the option that is unknown, lacks its value or makes no sense.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            seconds: 600,
            targets: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let mut value = || args.next().with_context(|| format!("{name} needs a value"));
            match *name {
                "--quick" => options.seconds = 60,
                "--seconds" => {
                    let value = value()?;
                    let seconds = value.parse().ok().filter(|&seconds| seconds > 0);
                    options.seconds =
                        seconds.with_context(|| format!("{name} {value}: not a number above 0"))?;
                }
                "--target" => options.targets.push((*value()?).to_owned()),
                _ => bail!("unknown option {name}; see `cargo xtask fuzz --help`"),
            }
        }
        Ok(options)
    }

    /// Those of `all` that are to be fuzzed.
    pub(super) fn chosen(&self, all: Vec<Target>) -> anyhow::Result<Vec<Target>> {
        let names: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
        for name in &self.targets {
            ensure!(
                names.contains(&name.as_str()),
                "there is no target {name}, only {}",
                names.join(", ")
            );
        }
        let is_chosen =
            |target: &Target| self.targets.is_empty() || self.targets.contains(&target.name);
        Ok(all.into_iter().filter(is_chosen).collect())
    }
}

pub(crate) const HELP: &str = "\
Usage: cargo xtask fuzz [OPTIONS]

Runs every fuzz target of moq-wire and moq-media, with libFuzzer if a nightly toolchain is installed,
else with the seeded loop of their tests. Fails if an input breaks a property, and says where that input is.

  --quick          60 s per target
  --seconds N      N s per target [600]
  --target NAME    only that target; may be repeated
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_word_on_the_time_counts() {
        assert_eq!(Options::parse(&[]).unwrap().seconds, 600);
        assert_eq!(Options::parse(&["--quick"]).unwrap().seconds, 60);
        let options = Options::parse(&["--quick", "--seconds", "5"]).unwrap();
        assert_eq!(options.seconds, 5);
    }

    #[test]
    fn targets_are_those_that_exist() {
        let target = |name: &str| Target {
            package: "moq-wire",
            name: name.to_owned(),
        };
        let all = ["announce", "path", "varint"].map(target).to_vec();
        let options = Options::parse(&["--target", "varint", "--target", "path"]).unwrap();
        assert_eq!(options.chosen(all.clone()).unwrap(), all[1..]);
        assert_eq!(
            Options::parse(&[]).unwrap().chosen(all.clone()).unwrap(),
            all
        );
        let unknown = Options::parse(&["--target", "sound"]).unwrap();
        assert!(unknown.chosen(all).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Options::parse(&["--seconds"]).is_err());
        assert!(Options::parse(&["--seconds", "0"]).is_err());
        assert!(Options::parse(&["--quickly"]).is_err());
    }
}
