//! The broadcasts that can be reached from here.

mod announced;
mod handle;
mod log;
mod publication;
mod route;
mod session_routes;
mod sessions;
mod table;
mod watcher;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use announced::{Announced, AnnouncedEvent};
pub use handle::{OriginConsumer, OriginProducer, SyncGuard};
pub use publication::{Publication, Unnoticed};
pub use route::{HopId, Route, SessionId, Source, SplitHorizon};
pub use session_routes::SessionRoutes;
