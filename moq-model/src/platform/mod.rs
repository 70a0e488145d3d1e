//! What differs between native targets and a browser, and what a simulation sets: the time, random
//! numbers, and whether there are threads.
//!
//! For the crates that are built on this one. A program that only reads and writes tracks needs
//! nothing of it.

pub mod clock;
pub mod random;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod browser;
mod maybe;

pub use maybe::{MaybeSend, MaybeSync};
