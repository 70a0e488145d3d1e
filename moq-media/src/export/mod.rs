//! A broadcast → fragmented MP4.

mod catalog;
mod choice;
mod config;
mod notice;
mod reader;
mod renditions;

pub use choice::Choice;
pub use config::ExportConfig;
pub use notice::ExportNotice;
pub use reader::Export;
