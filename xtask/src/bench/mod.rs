//! What a relay costs: its CPU time per delivered frame, beside a bare fan-out on quinn.
//!
//! The launcher builds everything in release mode and runs the load generator, pinned to one
//! core. The generator starts each relay pinned to another core, one after the other and again in
//! reverse, because only ratios of neighbouring windows mean anything on a shared machine.

#[cfg(feature = "bench")]
mod driver;
#[cfg(feature = "bench")]
mod fanout;
#[cfg(feature = "bench")]
mod generator;
#[cfg(feature = "bench")]
mod group;
mod launch;
#[cfg(feature = "bench")]
mod lite;
mod options;
#[cfg(feature = "bench")]
mod process;
#[cfg(feature = "bench")]
mod publisher;
#[cfg(feature = "bench")]
mod quic;
#[cfg(feature = "bench")]
mod report;
#[cfg(feature = "bench")]
mod subscriber;
#[cfg(feature = "bench")]
mod window;

#[cfg(feature = "bench")]
pub(crate) use driver::measure;
#[cfg(feature = "bench")]
pub(crate) use fanout::run as fan_out;
pub(crate) use launch::launch;
pub(crate) use options::HELP;
