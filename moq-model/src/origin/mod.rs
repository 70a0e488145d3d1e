//! The broadcasts that can be reached from here.

mod announced;
mod handle;
mod route;
mod table;

#[cfg(test)]
mod tests;

pub use announced::{Announced, AnnouncedEvent};
pub use handle::{OriginConsumer, OriginProducer, Publication, SyncGuard};
pub use route::{HopId, Peer, Route, Source};
