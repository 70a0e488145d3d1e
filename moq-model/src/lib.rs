//! Live content as producers and consumers, whatever carries it.
//!
//! An [origin](OriginProducer) holds broadcasts, a [broadcast](BroadcastProducer) holds tracks, a
//! [track](TrackProducer) holds groups and a [group](GroupProducer) holds frames. Producers write,
//! consumers read; both are cheap handles to one shared state, so a frame is stored once however
//! many read it. Nothing here knows a transport or a draft.
//!
//! # Writing
//!
//! ```
//! use moq_model::{BroadcastPath, BroadcastProducer, OriginProducer, Track};
//!
//! let origin = OriginProducer::new();
//! let broadcast = BroadcastProducer::new();
//! let path = BroadcastPath::try_from("room/alice")?;
//! let publication = origin.publish(&path, broadcast.consume());
//!
//! let track = broadcast.create(Track::new("chat"))?;
//! let mut group = track.append()?;
//! group.append("Hello")?;
//! group.append("World")?;
//! group.finish();
//! track.finish();
//! # drop(publication);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading
//!
//! Who reads follows what is announced, and takes a track of a broadcast: newest group first, as
//! here, or in sequence.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! # use moq_model::{BroadcastProducer, OriginProducer, Track};
//! # let origin = OriginProducer::new();
//! # let broadcast = BroadcastProducer::new();
//! # let _publication = origin.publish(&BroadcastPath::try_from("room/alice")?, broadcast.consume());
//! # let writer = broadcast.create(Track::new("chat"))?;
//! # for text in ["Hello", "World"] {
//! #     let mut group = writer.append()?;
//! #     group.append(text)?;
//! #     group.finish();
//! # }
//! # writer.finish();
//! use moq_model::{AnnouncedEvent, BroadcastPath, GroupRead, Start, Subscription, TrackRead};
//!
//! let consumer = origin.consume();
//! let mut announced = consumer.announced(&BroadcastPath::try_from("room")?);
//! let AnnouncedEvent::Start(path, _route) = announced.next().await else {
//!     panic!("the room is empty");
//! };
//! let track = consumer.broadcast(&path)?.track("chat")?;
//!
//! // The newest group, perhaps while it grows.
//! let mut newest = track.subscribe(Subscription::default());
//! let mut group = newest.next_group().await?.expect("the track has a group");
//! while let GroupRead::Frame(frame) = group.next().await {
//!     println!("{}: {} bytes", frame.timestamp, frame.payload.len());
//! }
//!
//! // Everything that is held and comes, in sequence.
//! let wanted = Subscription::default().with_start(Start::OLDEST);
//! let mut ordered = track.subscribe(wanted).ordered();
//! # let mut texts = Vec::new();
//! while let Some(read) = ordered.next().await? {
//!     match read {
//!         TrackRead::Frame { group, index, frame } => {
//!             println!("frame {index} of group {group}: {} bytes", frame.payload.len());
//! #           texts.push(frame.payload);
//!         }
//!         TrackRead::Skipped { groups, cause } => {
//!             println!("groups {groups:?} are missing: {cause}");
//!         }
//!         _ => {}
//!     }
//! }
//! # assert_eq!(texts, ["Hello", "World"]);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod platform;
pub mod session;
pub mod text;

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

pub(crate) use platform::{clock, random};

pub use broadcast::{BroadcastConsumer, BroadcastProducer};
pub use budget::{Budget, Feeder};
pub use error::{Abort, GroupEnd, PathError, ReadError, RouteError, WriteError};
pub use frame::Frame;
pub use group::{GroupConsumer, GroupProducer, GroupRead};
pub use origin::{
    Announced, AnnouncedEvent, HopId, OriginConsumer, OriginProducer, Publication, Route, Unnoticed,
};
pub use path::BroadcastPath;
pub use ranges::GroupRange;
pub use time::Timescale;
pub use track::{
    Backlog, Demand, DemandWatch, Fetch, LatestReader, NextGroup, OrderedReader, Ready, Start,
    Subscription, Track, TrackConsumer, TrackEnded, TrackInfo, TrackProducer, TrackRead,
    TrackReader,
};
