//! Frames of renditions → fragmented MP4.
//!
//! [`Assembler`] is given a catalog's renditions and their frames as they come, and answers with
//! bytes that `ffmpeg`, `ffplay` and `mpv` read while the file grows.

mod sources;
mod state;
mod stats;
mod track;

#[cfg(test)]
mod tests;

pub use sources::Source;
pub use state::{Assembler, AssemblerConfig};
pub use stats::WrittenStats;
