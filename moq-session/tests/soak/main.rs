//! What a relay still holds of its past: the heap must not grow with the groups, subscriptions,
//! announcements and sessions that it has seen. `cargo xtask soak` runs it for longer.

#![allow(unreachable_pub, reason = "a program of its own")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod load;
mod options;
mod slope;
mod stage;

use std::process::ExitCode;

use options::Options;
use slope::{control, measure};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            println!("soak: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut is_well = control();
    for &version in &options.versions {
        for &(load, count) in &options.loads {
            is_well &= measure(version, load, count);
        }
    }
    match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
