//! What a session with a peer needs of the model, and no other program.
//!
//! A session hands on both ways. What the peer announces, it [announces](crate::OriginProducer::announce) in an
//! origin, as routes that lead to a [`RequestSource`]. What is asked of that source arrives in a
//! [`RequestQueue`]; the session answers with a [`TrackFeed`] and with groups. What the peer
//! follows or asks for, the session looks up with [`OriginConsumer::announced_for`] and
//! [`OriginConsumer::broadcast_for`], on behalf of a [`SplitHorizon`].
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use moq_model::session::{Request, RequestSource, SessionId, Source};
//! use moq_model::{BroadcastPath, OriginProducer, Route, TrackInfo};
//!
//! let origin = OriginProducer::new();
//! let session = SessionId::unique();
//! let (source, mut requests) = RequestSource::new(origin.budget().feeder());
//! let path = BroadcastPath::try_from("room/alice")?;
//! let _route = origin.announce(&path, Route::local(), Source::Requests(source), Some(session));
//!
//! // Somebody reads; the peer would be asked for the track.
//! let track = origin.consume().broadcast(&path)?.track("chat")?;
//! let Request::Track(request) = requests.next().await else { panic!("a track is asked for") };
//! request.track.accept(TrackInfo::default());
//! request.track.set_start(7);
//! let mut group = request.track.create(7)?;
//! group.append_at(0, "Hello")?;
//! # let _ = track;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`OriginConsumer::announced_for`]: crate::OriginConsumer::announced_for
//! [`OriginConsumer::broadcast_for`]: crate::OriginConsumer::broadcast_for

pub use crate::origin::{SessionId, SessionRoutes, Source, SplitHorizon, SyncGuard};
pub use crate::ranges::GroupRanges;
pub use crate::request::{FetchRequest, Request, RequestQueue, RequestSource, TrackRequest};
pub use crate::track::TrackFeed;
