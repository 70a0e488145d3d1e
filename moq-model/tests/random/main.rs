//! Random operations on a track, held against a slow reference of it. `cargo xtask random` runs it
//! for longer.

#![allow(unreachable_pub, reason = "a program of its own")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod options;
mod reference;
mod rng;
mod run;
mod script;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;

use allocation_counter::measure;
use options::Options;
use script::Script;

/// One run in so many is repeated to see whether it leaves something on the heap.
const LEAKS: u64 = 16;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            println!("random: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut counts = BTreeMap::<&str, u64>::new();
    for seed in options.seed..options.seed + options.runs {
        let script = Script::new(seed, options.ops);
        let report = run::run(&script);
        if options.is_verbose {
            println!("{}", report.log.join("\n"));
        }
        if seed.is_multiple_of(LEAKS) && report.difference.is_none() {
            let left = measure(|| drop(run::run(&script))).bytes_current;
            if left != 0 {
                println!("random: seed {seed}: {left} B outlive the last handle");
                return ExitCode::FAILURE;
            }
        }
        if report.difference.is_some() {
            tell(seed, &options, &script, report);
            return ExitCode::FAILURE;
        }
        for (what, count) in report.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    println!(
        "random: {} runs of {} operations, 0 differences",
        options.runs, options.ops
    );
    println!("random: {counts:?}");
    ExitCode::SUCCESS
}

/// Prints how a run differs, and the fewest operations that make it differ.
fn tell(seed: u64, options: &Options, script: &Script, report: run::Report) {
    let difference = report.difference.clone().unwrap_or_default();
    println!("random: seed {seed}: {difference}");
    println!("after {} operations; what is needed of them:", report.done);
    let (script, fewest) = run::shrink(script, report);
    println!("{}", fewest.log.join("\n"));
    println!("{}", fewest.difference.unwrap_or_default());
    for op in &script.ops {
        println!("  {op}");
    }
    println!(
        "repeat it with `cargo test -p moq-model --test random -- --seed {seed} --ops {}`",
        options.ops
    );
}
