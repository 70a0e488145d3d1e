//! The handle to a session.

use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::{
    Announced, BroadcastConsumer, BroadcastPath, Fetch, GroupConsumer, PathError, Publication,
    TrackConsumer,
};
use moq_wire::{Version, code, limits};
use tokio::sync::watch;

use crate::context::Shared;
use crate::error::{FetchError, GoawayError, SessionError};
use crate::leaving::Drain;
use crate::limits::Limit;
use crate::subscriber::Bandwidth;
use crate::transport::{MaybeSend, MaybeSync, TransportInfo, TransportStats};

/// How long a peer may be given to leave.
const MAX_DRAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// A negotiated session. Clones are handles to the same one; it closes when the last is dropped.
#[derive(Debug, Clone)]
pub struct Session {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    stats: Box<dyn StatsSource>,
}

/// Asks the transport, whatever its type.
pub(crate) trait StatsSource: std::fmt::Debug + MaybeSend + MaybeSync {
    fn stats(&self) -> TransportStats;
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared
            .request_close(code::session::NO_ERROR, "dropped");
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, stats: Box<dyn StatsSource>) -> Self {
        Self {
            handle: Arc::new(Handle { shared, stats }),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// A path of this session, as it is in the origins.
    fn below_root(&self, path: &str) -> Result<BroadcastPath, PathError> {
        self.shared().grant.root.join(&BroadcastPath::new(path)?)
    }

    /// The draft that is spoken.
    #[must_use]
    pub fn version(&self) -> Version {
        self.shared().version
    }

    /// What carries the session.
    #[must_use]
    pub fn info(&self) -> &TransportInfo {
        &self.shared().info
    }

    /// What the transport measures at this moment.
    #[must_use]
    pub fn stats(&self) -> TransportStats {
        self.handle.stats.stats()
    }

    /// Publishes a broadcast until the publication is dropped, in the origin that this session
    /// serves.
    ///
    /// The path lies below the session's root, as the peer sees it. [`Publication::path`] is where it is
    /// in the origin.
    ///
    /// # Errors
    /// [`PathError`] if `path` is no broadcast path, or too deep below the root.
    pub fn publish(
        &self,
        path: &str,
        broadcast: BroadcastConsumer,
    ) -> Result<Publication, PathError> {
        let path = self.below_root(path)?;
        Ok(self.shared().publish.publish(&path, broadcast))
    }

    /// The peer's track `track` of the broadcast `path`, whether that is announced or not.
    ///
    /// Asks the peer for the track's properties, without waiting, and subscribes once somebody reads:
    /// see [`TrackConsumer::info`] and [`TrackConsumer::subscribe`]. Drafts 01 to 04 have no request for
    /// properties. There it subscribes as soon as somebody reads or waits for the properties. A track
    /// without a reader for 5 s after the answer is let go of; a later reader asks for it anew.
    ///
    /// # Errors
    /// [`PathError`] if `path` is no broadcast path, or too deep below the session's root.
    pub fn track(&self, path: &str, track: &str) -> Result<TrackConsumer, PathError> {
        let path = self.below_root(path)?;
        Ok(self.shared().subscribing.source.track(&path, track))
    }

    /// The peer's broadcast `path`, whether that is announced or not.
    ///
    /// ```
    /// # use moq_session::{BroadcastProducer, OriginProducer, Track, Version, testing};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # let (connection, server) = testing::memory_pair(Version::Lite06);
    /// # let relay = OriginProducer::new();
    /// # let _relay = testing::serve(server, &relay);
    /// # let broadcast = BroadcastProducer::new();
    /// # let _track = broadcast.create(Track::new("chat"))?;
    /// # let _publication = relay.publish(&"room/alice".try_into()?, broadcast.consume());
    /// use moq_session::Session;
    ///
    /// let session = Session::connect(connection).await?;
    /// let room = session.broadcast("room/alice")?;
    /// room.track("chat")?.info().await?;
    /// assert!(room.track("video")?.info().await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PathError`] if `path` is no broadcast path.
    pub fn broadcast(&self, path: &str) -> Result<BroadcastConsumer, PathError> {
        let path = self.shared().grant.root.join(&BroadcastPath::new(path)?)?;
        Ok(self.shared().subscribing.source.broadcast(&path))
    }

    /// Reads one group of the peer's track `track` of the broadcast `path`, without subscribing.
    ///
    /// The peer's FIN is the end [`GroupEnd::Finished`](moq_model::GroupEnd::Finished), its RESET
    /// [`GroupEnd::Aborted`](moq_model::GroupEnd::Aborted); dropping the reader takes the request
    /// back. Waits for the track's properties only.
    ///
    /// # Errors
    /// [`FetchError::NotInVersion`] where the draft has no FETCH, [`FetchError::Path`] if `path` is
    /// no broadcast path, and [`FetchError::Track`] if the peer refuses the track.
    ///
    /// Cancel safe. Draft: FETCH.
    pub async fn fetch(
        &self,
        path: &str,
        track: &str,
        fetch: Fetch,
    ) -> Result<GroupConsumer, FetchError> {
        if !self.version().features().fetch {
            return Err(FetchError::NotInVersion(self.version()));
        }
        let track = self.track(path, track)?;
        Ok(track.fetch(fetch).await?)
    }

    /// Follows what the peer announces below `prefix`.
    ///
    /// # Errors
    /// [`PathError`] if `prefix` is no broadcast path.
    pub fn announced(&self, prefix: &str) -> Result<Announced, PathError> {
        let prefix = self.below_root(prefix)?;
        self.shared().subscribing.wants_announcements.notify_one();
        Ok(self.shared().subscribe.consume().announced(&prefix))
    }

    /// What the peer could send to this end, as it reports it: unknown at first, where the peer does
    /// not report, and where the draft has no PROBE.
    ///
    /// The peer is asked for as long as somebody holds a receiver. Draft: PROBE.
    #[must_use]
    pub fn bandwidth(&self) -> watch::Receiver<Bandwidth> {
        let probing = &self.shared().probing;
        let bandwidth = probing.bandwidth.subscribe();
        probing.wanted.notify_one();
        bandwidth
    }

    /// How often the peer has reached a limit of [`Config::limits`](crate::Config::limits), or this end's
    /// patience.
    #[must_use]
    pub fn reached(&self, limit: Limit) -> u64 {
        self.shared().limiter.reached(limit)
    }

    /// Waits for the peer's SETUP; where the draft has none, the session is set up from the start.
    ///
    /// Cancel safe. Returns also when the session ends first.
    pub async fn set_up(&self) {
        let mut peer = self.shared().peer.subscribe();
        tokio::select! {
            _ = peer.wait_for(Option::is_some) => {}
            _ = self.closed() => {}
        }
    }

    /// Asks the peer to leave, once; later calls change nothing.
    ///
    /// Everything is served on, new requests too, until the peer has left or `deadline` has passed,
    /// a day at most: the session is closed with 0 when nothing is asked, read and announced on it
    /// any more, and with 0x10 at the deadline. `uri` is where the peer should go; empty, back to
    /// where it was.
    ///
    /// # Errors
    /// [`GoawayError::NotInVersion`] where the draft has no GOAWAY, and [`GoawayError::TooLong`] for
    /// a `uri` above 8192 bytes.
    ///
    /// Draft: GOAWAY.
    pub fn goaway(&self, uri: &str, deadline: Duration) -> Result<(), GoawayError> {
        if !self.version().features().goaway {
            return Err(GoawayError::NotInVersion(self.version()));
        }
        if uri.len() > limits::MAX_GOAWAY_URI {
            return Err(GoawayError::TooLong);
        }
        let wanted = Drain {
            uri: uri.to_owned(),
            until: clock::now() + deadline.min(MAX_DRAIN),
        };
        self.shared().leaving.drain.send_if_modified(|drain| {
            let is_first = drain.is_none();
            drain.get_or_insert(wanted);
            is_first
        });
        Ok(())
    }

    /// Where the peer wants this end to go, once it has sent GOAWAY; empty, back to where it was.
    ///
    /// The text is the peer's and not to be trusted. From then on this end makes no new requests on
    /// this session, and what is announced on it is the last resort. Draft: GOAWAY.
    #[must_use]
    pub fn going_away(&self) -> watch::Receiver<Option<String>> {
        self.shared().leaving.asked.subscribe()
    }

    /// Waits until the session has ended.
    ///
    /// Cancel safe.
    pub async fn closed(&self) -> SessionError {
        let mut ended = self.shared().ended.subscribe();
        let ended = ended.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|error| error.clone())
            .unwrap_or(SessionError::Closed)
    }

    /// Whether the session has not ended yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared().ended.borrow().is_none()
    }

    /// Ends the session with a session close code; later calls change nothing.
    pub fn close(&self, code: u32, reason: &str) {
        self.shared().request_close(code, reason);
    }
}
