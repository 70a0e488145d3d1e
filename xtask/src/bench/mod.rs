//! What a relay costs, beside a bare fan-out on quinn and a relay that others wrote: CPU time per
//! delivered frame, memory, joining, announcements.
//!
//! The launcher builds everything in release mode and runs the load generator, pinned to one
//! core. The generator starts each relay pinned to another core, one after the other and again in
//! reverse, because only ratios of neighbouring windows mean anything on a shared machine.

#[cfg(feature = "bench")]
mod announce;
#[cfg(feature = "bench")]
mod awake;
#[cfg(feature = "bench")]
mod cross;
#[cfg(feature = "bench")]
mod dialer;
#[cfg(feature = "bench")]
mod direct;
#[cfg(feature = "bench")]
mod driver;
#[cfg(feature = "bench")]
mod fanout;
#[cfg(feature = "bench")]
mod generator;
#[cfg(feature = "bench")]
mod group;
#[cfg(feature = "bench")]
mod join;
#[cfg(feature = "bench")]
mod latency;
mod launch;
#[cfg(feature = "bench")]
mod lite;
#[cfg(feature = "bench")]
mod memory;
#[cfg(feature = "bench")]
mod metric;
mod options;
#[cfg(feature = "bench")]
mod process;
#[cfg(feature = "bench")]
mod programs;
#[cfg(feature = "bench")]
mod publisher;
#[cfg(feature = "bench")]
mod quic;
#[cfg(feature = "bench")]
mod report;
#[cfg(feature = "bench")]
mod setting;
#[cfg(feature = "bench")]
mod stats;
mod subject;
#[cfg(feature = "bench")]
mod subscriber;
#[cfg(feature = "bench")]
mod timer;
#[cfg(feature = "bench")]
mod window;
mod workload;

#[cfg(feature = "bench")]
pub(crate) use awake::stay_awake;
#[cfg(feature = "bench")]
pub(crate) use driver::measure;
#[cfg(feature = "bench")]
pub(crate) use fanout::run as fan_out;
pub(crate) use launch::launch;
pub(crate) use options::HELP;
