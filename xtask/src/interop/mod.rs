//! `cargo xtask interop`: every peer that can be had, crossed with us in every role, draft,
//! transport and scenario.
//!
//! [`peers`] says who there is, [`scenario`] what is tried, [`cell`] crosses them, [`stage`] starts
//! the processes of one cell, [`report`] tells how it went.

mod cache;
mod cell;
mod endpoint;
mod failure;
mod markdown;
mod options;
mod ours;
mod peers;
mod report;
mod run;
mod scenario;
mod sha256;
mod shaper;
mod stage;
mod system;

pub(crate) use cache::Place;
pub(crate) use options::{HELP, cached_relay, default_cache};
pub(crate) use peers::{Installed, browser};
pub(crate) use run::launch;
pub(crate) use shaper::{Link, Shaper};
pub(crate) use system::program as system_program;
