//! A reader that goes on elsewhere.

use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use moq_model::{Abort, HopId, ReadError, Start, Subscription, TrackReader};
use moq_wire::code;

use super::event::{Continuity, Loss, ResumeError, ResumeEvent};
use super::finder::{FoundTrack, Search, TrackFinder};
use super::reading::Reading;
use crate::session::Session;

/// Reads a track in sequence, over as many subscriptions, sessions and publishers as it takes.
///
/// While the publisher is the same, which is told by the first hop of its route, reading goes on at the
/// frame after the last one that was read; what is gone by then is told as skipped. A publisher without
/// an id is taken for the same only across a lost session. With another publisher reading begins anew.
///
/// ```
/// # use moq_session::testing;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use moq_session::{BroadcastProducer, OriginProducer, ResumeEvent, ResumingReader};
/// use moq_session::{Track, TrackFinder, TrackRead};
///
/// let origin = OriginProducer::new(); // which a `Reconnect` fills, say
/// # let broadcast = BroadcastProducer::new();
/// # let track = broadcast.create(Track::new("chat"))?;
/// # let mut group = track.append()?;
/// # group.append("Hello")?;
/// # group.finish();
/// # track.finish();
/// # let _publication = origin.publish(&"room".parse()?, broadcast.consume());
/// let finder = TrackFinder::new(origin.consume(), "room".parse()?, "chat");
/// let mut reader = ResumingReader::new(finder).with_stay(true);
/// while let Some(event) = reader.next().await? {
///     match event {
///         ResumeEvent::Read(TrackRead::Frame { frame, .. }) => println!("{:?}", frame.payload),
///         ResumeEvent::Lost { loss, error } => println!("lost {loss}: {error}"),
///         _ => {}
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ResumingReader {
    finder: TrackFinder,
    subscription: Subscription,
    /// Begins at the oldest group of a broadcast that had to be waited for.
    wants_all: bool,
    /// A broadcast that vanished is waited for.
    stays: bool,
    stage: Stage,
    /// The group and the frame after those that were read of `publisher`.
    position: Option<(u64, usize)>,
    publisher: Option<HopId>,
    /// Something was read, of whomever.
    has_read: bool,
}

#[derive(Debug)]
enum Stage {
    /// The track is looked for, not before this time.
    Seeking {
        not_before: Option<Instant>,
    },
    /// It is asked for.
    Asking(Box<(FoundTrack, TrackReader)>),
    Reading(Box<Reading>),
    /// It ended early, and it is not clear yet what was lost.
    Ended {
        error: ReadError,
        session: Option<Session>,
        /// Until when the session may turn out to be lost.
        until: Instant,
    },
    Finished,
}

impl ResumingReader {
    /// A reader of what the finder finds.
    ///
    /// It begins at the newest group, and ends with an error when the broadcast vanishes; a lost session
    /// alone is no end.
    #[must_use]
    pub fn new(finder: TrackFinder) -> Self {
        Self {
            finder,
            subscription: Subscription::default(),
            wants_all: false,
            stays: false,
            stage: Stage::Seeking { not_before: None },
            position: None,
            publisher: None,
            has_read: false,
        }
    }

    /// Sets what is wanted of each publisher; where reading goes on, its start is replaced.
    #[must_use]
    pub fn with_subscription(mut self, subscription: Subscription) -> Self {
        self.subscription = subscription;
        self
    }

    /// Begins at the oldest group instead, where the broadcast had to be waited for.
    #[must_use]
    pub fn with_all_if_awaited(mut self) -> Self {
        self.wants_all = true;
        self
    }

    /// Waits for a broadcast that vanished until it comes back, instead of ending with an error.
    #[must_use]
    pub fn with_stay(mut self, stays: bool) -> Self {
        self.stays = stays;
        self
    }

    /// The group and the frame that would come next; `None` before that is known, or while nobody
    /// knows who publishes.
    #[must_use]
    pub fn position(&self) -> Option<(u64, usize)> {
        self.position
    }

    /// What happens next, `None` once the track is finished.
    ///
    /// # Errors
    /// [`ResumeError`] says why reading does not go on by itself. The next call looks for the track
    /// again.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<ResumeEvent>, ResumeError> {
        loop {
            match &mut self.stage {
                Stage::Seeking { not_before } => {
                    if let Some(not_before) = *not_before {
                        clock::sleep_until(not_before).await;
                    }
                    *not_before = None;
                    match self.finder.next().await? {
                        Search::Waiting => return Ok(Some(ResumeEvent::Waiting)),
                        Search::Found(found) => self.open(found),
                    }
                }
                Stage::Asking(asked) => {
                    let info = asked.0.track.info().await;
                    if let Some(event) = self.answered(info)? {
                        return Ok(Some(event));
                    }
                }
                Stage::Reading(reading) => {
                    let next = reading.next().await;
                    if let Ok(Some(read)) = next {
                        self.position = reading.position();
                        self.has_read = true;
                        return Ok(Some(ResumeEvent::Read(read)));
                    }
                    // A group that was read whole may have ended since.
                    self.position = self.position.and_then(|_| reading.position());
                    let session = reading.session.take();
                    match next {
                        Err(error) => self.ended(error, session),
                        Ok(_) => self.stage = Stage::Finished,
                    }
                }
                Stage::Ended {
                    error,
                    session,
                    until,
                } => {
                    let error = *error;
                    let loss = loss(session.as_ref(), *until).await;
                    return self.lost(loss, error).map(Some);
                }
                Stage::Finished => return Ok(None),
            }
        }
    }

    /// Asks for a track that was found.
    fn open(&mut self, found: FoundTrack) {
        if self.publisher != found.publisher {
            self.position = None;
        }
        self.publisher = found.publisher;
        let mut subscription = self.subscription;
        if let Some((group, _)) = self.position {
            subscription.start = Start::Floor(group);
        } else if self.wants_all && found.was_awaited {
            subscription.start = Start::OLDEST;
        }
        tracing::debug!(?subscription, ?found.publisher, "subscribing");
        let reader = found.track.subscribe(subscription);
        self.stage = Stage::Asking(Box::new((found, reader)));
    }

    /// Takes in the answer for a track.
    fn answered(
        &mut self,
        info: Result<moq_model::TrackInfo, ReadError>,
    ) -> Result<Option<ResumeEvent>, ResumeError> {
        let seeking = Stage::Seeking { not_before: None };
        let Stage::Asking(asked) = std::mem::replace(&mut self.stage, seeking) else {
            return Ok(None);
        };
        let (found, reader) = *asked;
        match info {
            Ok(info) => {
                self.finder.reached();
                let continuity = match (self.position, self.has_read) {
                    (Some((group, frame)), _) => Continuity::Resumed { group, frame },
                    (None, true) => Continuity::Anew,
                    (None, false) => Continuity::First,
                };
                let reading = Reading::new(reader, found.session, self.position);
                self.stage = Stage::Reading(Box::new(reading));
                return Ok(Some(ResumeEvent::Reading { info, continuity }));
            }
            // What is announced above the broadcast need not have it yet.
            Err(ReadError::Aborted(Abort::NotFound)) if found.is_announced => {
                self.finder.refused();
                return Err(ResumeError::NoTrack);
            }
            Err(ReadError::Aborted(Abort::Unroutable | Abort::NotFound)) => self.finder.refused(),
            // The session takes nothing new, and there will be another one.
            Err(ReadError::Aborted(Abort::Other(code::stream::GOING_AWAY))) => {
                self.finder.refused();
            }
            Err(ReadError::Aborted(Abort::Timeout)) => {
                self.finder.refused();
                return Err(ResumeError::NoAnswer);
            }
            Err(error @ ReadError::Aborted(Abort::NoCapacity)) => {
                self.finder.refused();
                return Err(ResumeError::Vanished(error));
            }
            Err(error) => self.ended(error, found.session),
        }
        Ok(None)
    }

    fn ended(&mut self, error: ReadError, session: Option<Session>) {
        // Whoever stays and knows the publisher loses nothing by looking at once: another session may have
        // taken over.
        let grace = match self.stays && self.publisher.is_some() {
            true => SHORT_GRACE,
            false => GRACE,
        };
        self.stage = Stage::Ended {
            error,
            session,
            until: clock::now() + grace,
        };
    }

    /// Goes on after a loss, if that is wanted.
    fn lost(&mut self, loss: Loss, error: ReadError) -> Result<ResumeEvent, ResumeError> {
        self.finder.reached();
        self.stage = Stage::Seeking {
            not_before: Some(clock::now() + PAUSE),
        };
        if loss == Loss::Broadcast {
            // Whoever publishes it again may count anew; only a known publisher is told apart.
            if self.publisher.is_none() {
                self.position = None;
            }
            if !self.stays || error == ReadError::Aborted(Abort::NoCapacity) {
                return Err(ResumeError::Vanished(error));
            }
        }
        Ok(ResumeEvent::Lost { loss, error })
    }
}

/// Finds out whether a track was lost with its session, which may be known a moment later.
async fn loss(session: Option<&Session>, until: Instant) -> Loss {
    let Some(session) = session else {
        return Loss::Broadcast;
    };
    match clock::timeout_at(until, session.closed()).await {
        Ok(_) => Loss::Session,
        Err(_) => Loss::Broadcast,
    }
}

/// A relay that goes down takes its broadcasts with it before its sessions.
const GRACE: Duration = Duration::from_millis(500);

/// As [`GRACE`], where a relay that goes down only means another look.
const SHORT_GRACE: Duration = Duration::from_millis(50);

/// The least time from a loss to the next search.
const PAUSE: Duration = Duration::from_millis(100);
