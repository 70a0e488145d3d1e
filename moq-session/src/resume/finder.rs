//! Waiting for a track.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use moq_model::{BroadcastConsumer, BroadcastPath, HopId, OriginConsumer, TrackConsumer};

use super::event::ResumeError;
use super::following::{Following, closed, next, until};
use super::sessions::Sessions;
use crate::session::Session;

/// Finds one track of one broadcast, as often as it is lost.
///
/// The broadcast is found by what is announced in an origin, at its path or above it. Where nothing can
/// be announced, because the path is hidden or there is no origin, the peer is asked for the track, each
/// second until it has it: a relay refuses at once what it has no route for.
///
/// Whoever reads what was found calls [`Self::reached`] before the next search, and whoever was refused
/// calls [`Self::refused`]. A [`ResumingReader`](super::ResumingReader) does.
#[derive(Debug)]
pub struct TrackFinder {
    origin: Option<OriginConsumer>,
    sessions: Option<Sessions>,
    path: BroadcastPath,
    track: Arc<str>,
    /// Asks for what is not announced, too.
    is_blind: bool,
    search: Option<Following>,
    /// The broadcast had to be waited for, this time or before.
    was_awaited: bool,
    /// That it is waited for was told.
    is_told: bool,
    /// When to ask again for what was refused; until then only news is a reason to.
    ask_again: Option<Instant>,
}

/// How a search goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Search {
    /// Nobody publishes the broadcast, as far as is known; told once for each wait.
    Waiting,
    /// A track to read.
    Found(FoundTrack),
}

/// A track that was found.
#[derive(Debug)]
#[non_exhaustive]
pub struct FoundTrack {
    /// The track. Whether its publisher has it, [`TrackConsumer::info`] tells.
    pub track: TrackConsumer,
    /// The broadcast that it is of, for its other tracks.
    pub broadcast: BroadcastConsumer,
    /// Who publishes the broadcast: the first hop of its route, unless that only stands for somebody
    /// without an id.
    pub publisher: Option<HopId>,
    /// Whether the broadcast itself is announced, and not only something above it, or nothing.
    pub is_announced: bool,
    /// Whether it had to be waited for, this time or before.
    pub was_awaited: bool,
    /// The session that was up then.
    pub(super) session: Option<Session>,
}

impl TrackFinder {
    /// Looks for a track in an origin.
    #[must_use]
    pub fn new(origin: OriginConsumer, path: BroadcastPath, track: &str) -> Self {
        Self::with(Some(origin), None, path, track)
    }

    /// Asks each session for a track, whether it is announced or not.
    #[must_use]
    pub fn blind(sessions: Sessions, path: BroadcastPath, track: &str) -> Self {
        Self::with(None, Some(sessions), path, track).with_blind(true)
    }

    fn with(
        origin: Option<OriginConsumer>,
        sessions: Option<Sessions>,
        path: BroadcastPath,
        track: &str,
    ) -> Self {
        let is_blind = path.is_hidden();
        Self {
            origin,
            sessions,
            path,
            track: track.into(),
            is_blind,
            search: None,
            was_awaited: false,
            is_told: false,
            ask_again: None,
        }
    }

    /// Looks only while one of these sessions is up, and asks them for what is not announced.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Sessions) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Asks the sessions for the track even if nothing that is announced covers it; for a hidden path
    /// they always are.
    #[must_use]
    pub fn with_blind(mut self, is_blind: bool) -> Self {
        self.is_blind = is_blind || self.path.is_hidden();
        self
    }

    /// The broadcast that is looked for.
    #[must_use]
    pub fn path(&self) -> &BroadcastPath {
        &self.path
    }

    /// Waits until the track can be asked for.
    ///
    /// # Errors
    /// [`ResumeError::NoSession`] once there will be no further session.
    ///
    /// Cancel safe.
    pub async fn find(&mut self) -> Result<FoundTrack, ResumeError> {
        loop {
            if let Search::Found(found) = self.next().await? {
                return Ok(found);
            }
        }
    }

    /// As [`Self::find`], and tells when there is nothing to find yet.
    ///
    /// # Errors
    /// As [`Self::find`].
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Search, ResumeError> {
        loop {
            let Some(search) = &mut self.search else {
                self.search = Some(self.follow().await?);
                self.ask_again = None;
                continue;
            };
            if search.is_live && self.ask_again.is_some() && !self.is_told {
                return Ok(self.waits());
            }
            let is_news = tokio::select! {
                biased;
                event = next(search.announced.as_mut(), search.has_asked) => {
                    search.note(event, &self.path)
                }
                () = closed(search.session.as_ref()) => {
                    self.search = None;
                    continue;
                }
                () = until(self.ask_again), if search.is_live => {
                    self.ask_again = None;
                    search.has_asked = false;
                    true
                }
            };
            if is_news {
                self.ask_again = None;
            }
            if let Some(found) = self.ask() {
                return Ok(Search::Found(found));
            }
            let is_live = self.search.as_ref().is_some_and(|search| search.is_live);
            if is_live && !self.is_told {
                return Ok(self.waits());
            }
        }
    }

    /// What was found is read: the next search begins anew.
    pub fn reached(&mut self) {
        self.search = None;
        self.ask_again = None;
        self.is_told = false;
    }

    /// What was found is not there after all. It is asked for again in a second, or when something is
    /// announced.
    pub fn refused(&mut self) {
        self.ask_again = Some(clock::now() + RETRY);
    }

    fn waits(&mut self) -> Search {
        self.was_awaited = true;
        self.is_told = true;
        Search::Waiting
    }

    /// Begins to follow what is announced, once there is a session.
    async fn follow(&mut self) -> Result<Following, ResumeError> {
        let session = match &mut self.sessions {
            Some(sessions) => Some(sessions.up().await.ok_or(ResumeError::NoSession)?),
            None => None,
        };
        let announced = self.origin.as_ref();
        let announced = announced.map(|origin| origin.announced(&self.path));
        Ok(Following {
            is_live: announced.is_none(),
            announced,
            session,
            routes: BTreeMap::new(),
            has_asked: false,
        })
    }

    /// The track, if something leads to it that was not refused.
    fn ask(&mut self) -> Option<FoundTrack> {
        let search = self.search.as_mut()?;
        if self.ask_again.is_some() {
            return None;
        }
        let covering = search.routes.last_key_value();
        let (publisher, is_announced) = match covering {
            Some((path, publisher)) => (*publisher, *path == self.path),
            None => (None, false),
        };
        let session = self.sessions.as_ref().and_then(Sessions::current);
        let origin = self.origin.as_ref();
        let broadcast = origin.and_then(|origin| origin.broadcast(&self.path).ok());
        let broadcast = match broadcast {
            Some(broadcast) => broadcast,
            None if self.is_blind && search.is_live && !search.has_asked => {
                search.has_asked = true;
                let session = session.as_ref()?;
                session.broadcast(self.path.as_str()).ok()?
            }
            None => return None,
        };
        Some(FoundTrack {
            track: broadcast.track(&self.track).ok()?,
            broadcast,
            publisher,
            is_announced,
            was_awaited: self.was_awaited,
            session,
        })
    }
}

/// How long what was refused is left alone without news.
const RETRY: Duration = Duration::from_secs(1);
