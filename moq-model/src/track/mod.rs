//! Live sequences of groups.

mod aside;
mod consumer;
mod demand;
mod feed;
mod fetch;
mod guard;
mod info;
mod latest;
mod ordered;
mod producer;
mod read;
mod ready;
mod shared;
mod state;
mod timer;

#[cfg(test)]
mod tests;

pub use consumer::{NextGroup, TrackConsumer, TrackReader};
pub use demand::{Demand, DemandWatch, TrackEnded};
pub use feed::TrackFeed;
pub use fetch::Fetch;
pub use info::{Start, Subscription, Track, TrackInfo};
pub use latest::LatestReader;
pub use ordered::OrderedReader;
pub use producer::TrackProducer;
pub use read::TrackRead;
pub use ready::Ready;
pub(crate) use shared::TrackShared;
pub use state::Backlog;
pub(crate) use state::{
    Batch, Cursor, Frames, GroupId, MAX_BYTES, MAX_FRAMES, ReaderId, Taken, Tier,
};
