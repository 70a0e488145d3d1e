//! Whole-system simulation: a publisher, relays and subscribers in virtual time, on links with
//! faults, and a judge of what the subscribers are told. `cargo xtask sim` runs it for longer.

#![allow(unreachable_pub, reason = "a program of its own")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod content;
mod judge;
mod log;
mod net;
mod options;
mod plan;
mod publisher;
mod rng;
mod run;
mod scope;
mod sessions;
mod subscriber;
mod suite;
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
