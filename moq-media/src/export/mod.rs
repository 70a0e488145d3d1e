//! A broadcast → fragmented MP4.

mod catalog;
mod choice;
mod config;
mod following;
mod notice;
mod opening;
mod reader;
mod renditions;
mod resuming;

pub use catalog::CatalogTrack;
pub use choice::Choice;
pub use config::ExportConfig;
pub use notice::ExportNotice;
pub use reader::Export;
