//! Samples → what is published: catalogs, tracks, groups, frames.
//!
//! [`Packager`] decides and does nothing: it is told [`Event`](crate::fmp4::Event)s and answers with
//! [`Output`]s in the order in which they are to be carried out.

mod bitstream;
mod catalog;
mod config;
mod ending;
mod output;
mod queue;
mod rate;
mod state;
mod track;

#[cfg(test)]
mod tests;

pub use config::{Format, PackagerConfig};
pub use output::{Notice, Opened, Output, TrackStats};
pub use state::Packager;
