//! moq-lite sessions over any transport: announce, publish, subscribe, relay.
//!
//! A [`Session`] joins two origins over a [`Transport`](transport::Transport): what this end publishes
//! is served to the peer, what the peer announces appears here. [`Session::connect`] and
//! [`Request::accept`] start one and, with the feature `tokio`, spawn its [`Driver`]; the
//! `…_with_driver` forms hand the driver to the caller instead. [`Reconnect`] keeps a session up, and a
//! [`ResumingReader`] reads a track across the sessions that carry it. `examples/` has whole programs.
//!
//! ```
//! # use moq_session::testing;
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! # let (connection, server) = testing::memory_pair(moq_session::Version::Lite06);
//! # let relay = moq_session::OriginProducer::new();
//! # let _relay = testing::serve(server, &relay);
//! use moq_session::{BroadcastProducer, Session, Track};
//!
//! let session = Session::connect(connection).await?;
//!
//! let broadcast = BroadcastProducer::new();
//! let track = broadcast.create(Track::new("chat"))?;
//!
//! let mut group = track.append()?;
//! group.append("Hello")?;
//! group.append("World")?;
//! group.finish();
//!
//! let publication = session.publish("my-broadcast", broadcast.consume())?;
//! # drop(publication);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod transport;

mod accept;
#[cfg(feature = "web-transport-trait")]
mod compat;
mod config;
mod connect;
mod context;
mod convert;
mod driver;
mod error;
mod established;
mod grant;
mod granted;
mod handshake;
mod io;
mod leaving;
mod limiter;
mod limits;
#[cfg(feature = "memory")]
pub mod memory;
mod negotiate;
mod outstanding;
mod policy;
mod publisher;
#[cfg(feature = "tokio")]
mod reconnect;
mod request;
mod resume;
mod schedule;
mod session;
mod setup;
mod subscriber;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "web-transport-trait")]
pub use compat::{Compat, CompatRecv, CompatSend, CompatSession};
pub use config::Config;
pub use driver::Driver;
pub use error::{
    AcceptError, ConnectError, FetchError, GoawayError, GrantError, PeerFault, SessionError,
};
pub use established::Established;
pub use grant::{Grant, Pattern, PatternError};
pub use limits::{Limit, Limits, Rate};
pub use outstanding::Outstanding;
#[cfg(feature = "tokio")]
pub use reconnect::{Dial, DialError, FirstFailure, Reconnect, ReconnectPolicy, Redirects, Status};
pub use request::{Refusal, Request};
pub use resume::{
    Continuity, FoundTrack, Loss, ResumeError, ResumeEvent, ResumingReader, Search, Sessions,
    TrackFinder,
};
pub use session::Session;
pub use subscriber::Bandwidth;

pub use moq_model::{
    Abort, Announced, AnnouncedEvent, BroadcastConsumer, BroadcastPath, BroadcastProducer, Budget,
    Feeder, Fetch, Frame, GroupConsumer, GroupEnd, GroupProducer, GroupRead, HopId, LatestReader,
    NextGroup, OrderedReader, OriginConsumer, OriginProducer, PathError, Publication, ReadError,
    RouteError, Start, Subscription, Timescale, Track, TrackConsumer, TrackInfo, TrackProducer,
    TrackRead, TrackReader, Unnoticed, WriteError,
};
pub use moq_wire::{Role, Version};
