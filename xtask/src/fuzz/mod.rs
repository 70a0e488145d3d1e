//! Fuzzing of what reads bytes of others: every target for a while, then a table.
//!
//! With a nightly toolchain, libFuzzer runs the targets in the folder `fuzz` of each crate. Without
//! one, the seeded loop of that crate's tests runs them, over and over with other seeds.

mod libfuzzer;
mod options;
mod report;
mod seeded;
mod targets;

use std::io::Write as _;

use anyhow::ensure;

use crate::tools::rustup_lists;
use crate::workspace::Workspace;
use libfuzzer::LibFuzzer;
pub(crate) use options::HELP;
use options::Options;
use report::{Outcome, table};
pub(crate) use targets::faults;
use targets::{PACKAGES, Target};

/// Fuzzes with the options given, and fails if anything is found.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let faults = faults(workspace)?;
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    let targets = options.chosen(targets::all(workspace)?)?;
    let outcomes = fuzz(workspace, &targets, options.seconds)?;
    std::io::stdout().write_all(table(&outcomes).as_bytes())?;

    let found = outcomes.iter().filter_map(|outcome| {
        let finding = outcome.finding.as_ref()?;
        Some(format!("\n  {}: {}", outcome.target, finding.display()))
    });
    let found = found.collect::<String>();
    ensure!(found.is_empty(), "inputs that fail:{found}");
    Ok(())
}

fn fuzz(workspace: &Workspace, targets: &[Target], seconds: u64) -> anyhow::Result<Vec<Outcome>> {
    if rustup_lists(&["toolchain", "list"], NIGHTLY) {
        eprintln!("{seconds} s of libFuzzer per target");
        let mut outcomes = Vec::new();
        for package in PACKAGES {
            let of_package = |target: &&Target| target.package == package;
            let targets: Vec<_> = targets.iter().filter(of_package).collect();
            if !targets.is_empty() {
                let fuzzer = LibFuzzer::build(workspace, package)?;
                let run = |target: &Target| fuzzer.run(&target.name, seconds);
                outcomes.extend(each(targets, run)?);
            }
        }
        Ok(outcomes)
    } else {
        eprintln!(
            "{seconds} s of the seeded loop per target, because there is no nightly toolchain"
        );
        each(targets, |target| seeded::run(workspace, target, seconds))
    }
}

fn each<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
    mut run: impl FnMut(&Target) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Vec<Outcome>> {
    let outcomes = targets.into_iter().map(|target| {
        let outcome = run(target)?;
        eprintln!("   {outcome}");
        Ok(outcome)
    });
    outcomes.collect()
}

const NIGHTLY: &str = "nightly";
