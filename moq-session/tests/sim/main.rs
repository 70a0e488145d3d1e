//! Whole-system simulation: a publisher, relays and subscribers in virtual time, on links with
//! faults, and a judge of what the subscribers are told. `cargo xtask sim` runs it for longer.

#![allow(unreachable_pub, reason = "a program of its own")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod content;
mod draw;
mod fetcher;
mod gauges;
mod hostile;
mod in_order;
mod judge;
mod latest;
mod log;
mod net;
mod newest_first;
mod options;
mod plan;
mod publisher;
mod reads;
mod rng;
mod rules;
mod run;
mod scope;
mod sessions;
mod siblings;
mod subscriber;
mod suite;
mod tally;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            println!("sim: {error}");
            return ExitCode::FAILURE;
        }
    };
    if suite::main(&options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
