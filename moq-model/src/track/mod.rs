//! Live sequences of groups.

mod consumer;
mod demand;
mod fetch;
mod latest;
mod ordered;
mod pause;
mod producer;
mod readers;
mod ready;
mod retention;
mod shared;
mod state;
mod subscription;

#[cfg(test)]
mod tests;

pub use consumer::{TrackConsumer, TrackReader};
pub use demand::{Demand, DemandWatch};
pub use fetch::Fetch;
pub use latest::LatestReader;
pub use ordered::{OrderedRead, OrderedReader};
pub use producer::TrackProducer;
pub(crate) use readers::ReaderId;
pub use ready::Ready;
pub(crate) use shared::TrackShared;
pub use subscription::{Start, Subscription, Track, TrackInfo};
