//! Random operations on moq-model, held against a slow model of it.

use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::planted::Suite;
use crate::workspace::Workspace;

/// What `cargo xtask random --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask random [OPTIONS]

Puts random operations to moq-model and to a slow model of it, and fails where the two differ; the
seed of a run that differs is printed.

  --runs N             that many runs
  --seed S             begins with that seed
  --planted [NAME...]  applies each of the patches in moq-model/tests/random/planted, or those with
                       the names, to a copy of the sources and expects a difference within
                       500 runs, or N
  --release            with optimisation, for many runs
";

/// Runs the tests with the options of their own, or over planted bugs.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(options)?;
    let test = |workspace: &Workspace| test(workspace, options.is_release);
    let args = options.args();
    if let Some(names) = &options.planted {
        let suite = Suite {
            name: "random",
            patches: "moq-model/tests/random/planted",
            test: &test,
            args: &args,
        };
        return suite.run(workspace, names);
    }
    let status = test(workspace).arg("--").args(args).status()?;
    ensure!(status.success(), "random operations on moq-model fail");
    Ok(())
}

/// The `cargo test` of the program, up to its own arguments.
fn test(workspace: &Workspace, is_release: bool) -> Command {
    let mut command = workspace.cargo(&["test", "--quiet", "-p", "moq-model", "--test", "random"]);
    if is_release {
        command.arg("--release");
    }
    command.env("CARGO_TARGET_DIR", &workspace.target);
    command
}

/// The command line of `random`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options<'a> {
    runs: Option<&'a str>,
    seed: Option<&'a str>,
    is_release: bool,
    /// Names of planted bugs, where some or all (empty) are to be tried.
    planted: Option<Vec<&'a str>>,
}

impl<'a> Options<'a> {
    fn parse(words: &[&'a str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            let mut number = || -> anyhow::Result<&'a str> {
                let value = words.next();
                let value = value.with_context(|| format!("{word} needs a value"))?;
                let number = value.parse::<u64>();
                number.with_context(|| format!("{word} {value}"))?;
                Ok(value)
            };
            match word {
                "--runs" => options.runs = Some(number()?),
                "--seed" => options.seed = Some(number()?),
                "--release" => options.is_release = true,
                "--planted" => {
                    let names = options.planted.get_or_insert_default();
                    while let Some(name) = words.next_if(|next| !next.starts_with("--")) {
                        names.push(name);
                    }
                }
                _ => bail!("unknown option {word}; see `cargo xtask random --help`"),
            }
        }
        Ok(options)
    }

    /// The arguments of the program.
    fn args(&self) -> Vec<&'a str> {
        let planted = self.planted.is_some().then_some(RUNS);
        let runs = self.runs.or(planted).map(|runs| ["--runs", runs]);
        let seed = self.seed.map(|seed| ["--seed", seed]);
        runs.into_iter().chain(seed).flatten().collect()
    }
}

/// Runs within which a planted bug has to be noticed.
const RUNS: &str = "500";

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<String> {
        let options = Options::parse(words).unwrap();
        options.args().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn own_arguments_of_the_program_are_handed_on() {
        assert!(args(&["--release"]).is_empty());
        let both = ["--seed", "7", "--runs", "20"];
        assert_eq!(args(&both), ["--runs", "20", "--seed", "7"]);
    }

    #[test]
    fn planted_bugs_have_a_number_of_runs_of_their_own() {
        assert_eq!(args(&["--planted"]), ["--runs", RUNS]);
        let few = ["--planted", "skip_wake", "--runs", "20"];
        assert_eq!(args(&few), ["--runs", "20"]);
        let options = Options::parse(&few).unwrap();
        assert_eq!(options.planted, Some(vec!["skip_wake"]));
        assert_eq!(Options::parse(&["--runs", "1"]).unwrap().planted, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            ["--runs", "many"],
            ["--release", "--seed"],
            ["skip_wake", "--planted"],
        ] {
            assert!(Options::parse(&words).is_err(), "{words:?}");
        }
    }
}
