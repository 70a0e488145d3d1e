//! Fragmented MP4 in and out.

mod files;
mod flows;
mod parts;
mod pattern;
mod recordings;
mod single;
mod streams;
