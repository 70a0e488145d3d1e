//! Live content as producers and consumers, whatever carries it.
//!
//! An [origin](OriginProducer) holds broadcasts, a [broadcast](BroadcastProducer) holds tracks, a
//! [track](TrackProducer) holds groups and a [group](GroupProducer) holds frames. Producers write,
//! consumers read; both are cheap handles to one shared state, so a frame is stored once however
//! many read it. Nothing here knows a transport or a draft.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use moq_model::{BroadcastProducer, GroupRead, Subscription, Track};
//!
//! let broadcast = BroadcastProducer::new();
//! let track = broadcast.create(Track::new("chat"))?;
//! let mut group = track.append()?;
//! group.append("Hello")?;
//! group.finish();
//!
//! let mut reader = broadcast.consume().track("chat")?.subscribe(Subscription::default());
//! let mut group = reader.next_group().await?.expect("the track is live");
//! let GroupRead::Frame(frame) = group.next().await else { panic!("the group has a frame") };
//! assert_eq!(frame.payload, "Hello");
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod clock;
pub mod escape;
pub mod maybe;
pub mod random;

mod broadcast;
mod budget;
mod error;
mod frame;
mod group;
mod origin;
mod path;
mod ranges;
mod request;
mod state;
mod time;
mod track;

pub use broadcast::{BroadcastConsumer, BroadcastProducer};
pub use budget::Budget;
pub use error::{Abort, GroupEnd, PathError, ReadError, RouteError, WriteError};
pub use frame::Frame;
pub use group::{GroupConsumer, GroupProducer, GroupRead};
pub use origin::{
    Announced, AnnouncedEvent, HopId, OriginConsumer, OriginProducer, Peer, Publication, Route,
    SessionId, Source, SyncGuard, Unnoticed,
};
pub use path::BroadcastPath;
pub use ranges::{GroupRange, GroupRanges};
pub use request::{FetchRequest, Request, RequestQueue, RequestSource, TrackRequest};
pub use time::Timescale;
pub use track::{
    Demand, DemandWatch, Fetch, LatestReader, OrderedRead, OrderedReader, Ready, Start,
    Subscription, Track, TrackConsumer, TrackInfo, TrackProducer, TrackReader,
};
