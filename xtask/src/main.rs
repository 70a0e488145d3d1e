//! The workspace's own tools: `cargo xtask --help` lists them.

mod bench;
mod ci;
mod conformance;
mod drill;
mod evil;
mod fan_out;
mod fuzz;
mod instructions;
mod interop;
mod media;
mod planted;
mod process;
mod random;
mod relay;
mod sim;
mod soak;
mod tidy;
mod tools;
mod workspace;

use std::io::Write as _;
use std::process::ExitCode;

use crate::workspace::Workspace;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => std::io::stdout().write_all(HELP.as_bytes())?,
        ["ci"] => ci::run(&Workspace::load()?)?,
        ["tidy", "--help" | "-h"] => std::io::stdout().write_all(tidy::HELP.as_bytes())?,
        ["tidy", options @ ..] => tidy::run(&Workspace::load()?, options)?,
        ["interop", "--help" | "-h"] => std::io::stdout().write_all(interop::HELP.as_bytes())?,
        ["interop", options @ ..] => return interop::launch(&Workspace::load()?, options),
        ["conformance", "--help" | "-h"] => {
            std::io::stdout().write_all(conformance::HELP.as_bytes())?;
        }
        ["conformance", options @ ..] => return conformance::run(&Workspace::load()?, options),
        ["bench", "--help" | "-h"] | ["bench", "relay", "--help" | "-h"] => {
            std::io::stdout().write_all(bench::HELP.as_bytes())?;
        }
        ["bench", "wire"] => instructions::run(&Workspace::load()?)?,
        ["bench", "wire", "--help" | "-h"] => {
            std::io::stdout().write_all(instructions::HELP.as_bytes())?;
        }
        ["bench", "micro", "--help" | "-h"] => {
            std::io::stdout().write_all(instructions::MICRO_HELP.as_bytes())?;
        }
        ["bench", "micro", options @ ..] => instructions::micro(&Workspace::load()?, options)?,
        ["bench", "fan-out"] => fan_out::run(&Workspace::load()?)?,
        ["bench", "fan-out", "--help" | "-h"] => {
            std::io::stdout().write_all(fan_out::HELP.as_bytes())?;
        }
        ["bench", "relay", options @ ..] => bench::launch(&Workspace::load()?, options)?,
        ["fuzz", "--help" | "-h"] => std::io::stdout().write_all(fuzz::HELP.as_bytes())?,
        ["fuzz", options @ ..] => fuzz::run(&Workspace::load()?, options)?,
        #[cfg(feature = "bench")]
        ["bench-run", options @ ..] => bench::measure(options)?,
        #[cfg(feature = "bench")]
        ["bench-awake"] => bench::stay_awake()?,
        #[cfg(feature = "bench")]
        ["bench-fanout", address] => bench::fan_out(address)?,
        ["sim", "--help" | "-h"] => std::io::stdout().write_all(sim::HELP.as_bytes())?,
        ["sim", options @ ..] => sim::run(&Workspace::load()?, options)?,
        ["random", "--help" | "-h"] => std::io::stdout().write_all(random::HELP.as_bytes())?,
        ["random", options @ ..] => random::run(&Workspace::load()?, options)?,
        ["soak", "--help" | "-h"] => std::io::stdout().write_all(soak::HELP.as_bytes())?,
        ["soak", options @ ..] => soak::run(&Workspace::load()?, options)?,
        ["drill", "--help" | "-h"] => std::io::stdout().write_all(drill::HELP.as_bytes())?,
        ["evil", "--help" | "-h"] => std::io::stdout().write_all(evil::HELP.as_bytes())?,
        ["evil", options @ ..] => return evil::run(&Workspace::load()?, options),
        ["media", "--help" | "-h"] => std::io::stdout().write_all(media::HELP.as_bytes())?,
        ["media", options @ ..] => media::run(&Workspace::load()?, options)?,
        ["drill", options @ ..] => drill::run(&Workspace::load()?, options)?,
        _ => anyhow::bail!(
            "unknown command `{}`; see `cargo xtask --help`",
            words.join(" ")
        ),
    }
    Ok(ExitCode::SUCCESS)
}

const HELP: &str = "\
Usage: cargo xtask COMMAND

  ci            everything that has to pass before a change is merged
  tidy          crate arrows, dependency budgets, clocks, file lengths, lints, leftovers
  sim           publisher, relays and subscribers in virtual time, on links with faults
                (`cargo xtask sim --help` lists its options)
  random        random operations on moq-model, held against a slow model of it
                (`cargo xtask random --help` lists its options)
  soak          what a relay still holds of 10^6 groups and 10^5 subscriptions and announcements
                (`cargo xtask soak --help` lists its options)
  drill         kills relay and publisher under subscribers, in real processes
                (`cargo xtask drill --help` lists its options)
  evil          hostile peers against a relay, and what they cost others
                (`cargo xtask evil --help` lists its options)
  media         files of ffmpeg through publisher, relay and subscriber, judged by ffprobe
                (`cargo xtask media --help` lists its options)
  bench relay   CPU per delivered frame of the relay, beside a bare fan-out on quinn
                (`cargo xtask bench relay --help` lists its options)
  bench wire    instructions per message of the wire format, beside others
  bench micro   instructions of the crates' own benchmarks, beside what was counted before
  bench fan-out instructions and allocations of delivery to many viewers, beside moq-net
  fuzz          every fuzz target for a while
                (`cargo xtask fuzz --help` lists its options)
  interop       crosses us with other implementations and tells the results as TAP
                (`cargo xtask interop --help` lists its options)
  conformance   a foreign client against the servers of both transports
                (`cargo xtask conformance --help` lists its options)
";
