//! Holding a peer to the limits.

mod bucket;
mod buffered;
mod journal;
mod slots;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moq_model::platform::clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use bucket::Bucket;
pub(crate) use buffered::{Buffered, Held, Partial};
use journal::Journal;
pub(crate) use slots::{Kind, Slot, Slots, Told};

use crate::error::{PeerFault, StreamError};
use crate::limits::{Limit, Limits};

/// What a session has counted of its peer.
#[derive(Debug)]
pub(crate) struct Limiter {
    pub(crate) limits: Limits,
    pub(crate) buffered: Arc<Buffered>,
    reached: [AtomicU64; Limit::ALL.len()],
    journal: Mutex<Journal>,
    /// What the log was told of limits of the peer.
    refused: Mutex<Journal>,
    /// Whom the log is told about.
    remote: Option<SocketAddr>,
    strikes: Mutex<Bucket>,
    resets: Mutex<Bucket>,
    refusals: Mutex<Bucket>,
    tracks: Mutex<Bucket>,
    announcements: Mutex<Bucket>,
    pub(crate) slots: Slots,
    /// Announcements of the peer that are live, on all streams.
    pub(crate) live_announcements: AtomicUsize,
    /// What ends the session, seen by a task that does not end it.
    pub(crate) fault: watch::Sender<Option<PeerFault>>,
}

impl Limiter {
    pub(crate) fn new(limits: Limits, remote: Option<SocketAddr>) -> Self {
        let bucket = |rate| Mutex::new(Bucket::new(rate));
        Self {
            buffered: Arc::new(Buffered::new(limits.buffered)),
            reached: Default::default(),
            journal: Mutex::default(),
            refused: Mutex::default(),
            remote,
            strikes: bucket(limits.strikes),
            resets: bucket(limits.resets),
            refusals: Mutex::new(Bucket::new(limits.refusals).with_most(MOST)),
            tracks: bucket(limits.track_rate),
            announcements: bucket(limits.announce_rate),
            slots: Slots::default(),
            live_announcements: AtomicUsize::new(0),
            fault: watch::Sender::new(None),
            limits,
        }
    }

    /// Counts that a limit was reached, and tells the log, once a second for each limit.
    pub(crate) fn reach(&self, limit: Limit) {
        self.reached[limit as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(times) = lock(&self.journal).note(limit, clock::now()) {
            let remote = self.remote.map(tracing::field::display);
            if limit.is_ordinary() {
                tracing::debug!(%limit, times, remote, "the peer reached a limit");
            } else {
                tracing::warn!(%limit, times, remote, "the peer reached a limit");
            }
        }
    }

    /// Tells the log that a limit of the peer was reached, once a second for each limit.
    pub(crate) fn was_refused(&self, limit: Limit) {
        if let Some(times) = lock(&self.refused).note(limit, clock::now()) {
            let remote = self.remote.map(tracing::field::display);
            tracing::warn!(%limit, times, remote, "the peer has no capacity for more");
        }
    }

    pub(crate) fn reached(&self, limit: Limit) -> u64 {
        self.reached[limit as usize].load(Ordering::Relaxed)
    }

    /// Counts that there was more of something than is allowed; says so.
    pub(crate) fn exceed(&self, limit: Limit, allowed: usize) -> PeerFault {
        self.reach(limit);
        PeerFault::Exceeded {
            limit,
            allowed: allowed as u64,
        }
    }

    /// Counts what a fault that ends the session exceeds.
    pub(crate) fn note(&self, fault: &PeerFault) {
        if let Some(limit) = Limit::of(fault) {
            self.reach(limit);
        }
    }

    /// Counts a stream on which the peer broke the protocol; too many of them end the session. What is too
    /// much for this end is no violation.
    pub(crate) fn strike(&self, fault: &PeerFault) {
        self.note(fault);
        if let PeerFault::Exceeded { limit, .. } = fault {
            // Half a message has cost its bytes and nothing else. Accepting later what comes after it would
            // leave more of that with the transport than is allowed here.
            if *limit != Limit::Buffered {
                self.refused();
            }
            return;
        }
        if !take(&self.strikes).is_zero() {
            let burst = self.limits.strikes.burst;
            let fault = self.exceed(Limit::Strikes, burst as usize);
            self.fault.send_if_modified(|first| {
                let is_first = first.is_none();
                first.get_or_insert(fault);
                is_first
            });
        }
    }

    /// As much of the reason for a close as may be told or kept.
    pub(crate) fn reason<'a>(&self, reason: &'a str) -> &'a str {
        let short = cut(reason, self.limits.close_reason);
        if short.len() < reason.len() {
            self.reach(Limit::CloseReason);
        }
        short
    }

    /// Counts a request that failed.
    pub(crate) fn failed(&self, error: &StreamError) {
        match error {
            StreamError::Peer(fault) => self.strike(fault),
            StreamError::Reset(_) | StreamError::Stopped(_) => self.withdrawn(),
            StreamError::Encode(_) | StreamError::Timeout | StreamError::Transport => {}
        }
    }

    /// Waits until one more stream may keep silent about its type.
    pub(crate) async fn permit(&self, headerless: &Arc<Semaphore>) -> OwnedSemaphorePermit {
        self.place(headerless, Limit::Headerless).await
    }

    /// Waits until there is a place for one more of what a limit is on.
    pub(crate) async fn place(
        &self,
        places: &Arc<Semaphore>,
        limit: Limit,
    ) -> OwnedSemaphorePermit {
        if places.available_permits() == 0 {
            self.reach(limit);
        }
        let place = places.clone().acquire_owned().await;
        place.expect("the semaphore is never closed")
    }

    /// Counts a request that the peer took back before it brought anything.
    pub(crate) fn withdrawn(&self) {
        take(&self.resets);
    }

    /// Counts a request that was refused.
    pub(crate) fn refused(&self) {
        take(&self.refusals);
    }

    /// Counts a request for a track's properties.
    pub(crate) fn track_asked(&self) {
        take(&self.tracks);
    }

    /// Counts an announcement, and waits where they come too fast.
    pub(crate) async fn announced(&self) {
        let wait = take(&self.announcements);
        if !wait.is_zero() {
            self.reach(Limit::AnnounceRate);
            clock::sleep(wait).await;
        }
    }

    /// Waits as long as the peer makes requests too fast that cost much and bring nothing.
    pub(crate) async fn calm(&self) {
        let buckets = [
            (&self.resets, Limit::Resets),
            (&self.refusals, Limit::Refusals),
            (&self.tracks, Limit::TrackRate),
        ];
        for (bucket, limit) in buckets {
            let debt = lock(bucket).debt(clock::now());
            if !debt.is_zero() {
                self.reach(limit);
                clock::sleep(debt).await;
            }
        }
    }
}

/// The longest time for which a peer's requests wait because others were refused: a broadcast that goes can
/// refuse a thousand of them that were asked for in good faith, and a peer waits 10 s for an answer.
const MOST: Duration = Duration::from_secs(5);

fn take(bucket: &Mutex<Bucket>) -> Duration {
    lock(bucket).take(clock::now())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As much of `text` as `limit` bytes hold, in whole characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let is_end = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=limit.min(text.len())).rev().find(is_end);
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("aé", 2), "a");
    }
}
