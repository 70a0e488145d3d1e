//! Fragmented MP4 in and out.

mod files;
mod flows;
mod recordings;
mod single;
