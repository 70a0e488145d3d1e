//! Holding a peer to the limits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::error::{PeerFault, StreamError};
use crate::limits::{Limit, Limits, Rate};

/// What a session has counted of its peer.
#[derive(Debug)]
pub(crate) struct Limiter {
    pub(crate) limits: Limits,
    pub(crate) buffered: Buffered,
    reached: [AtomicU64; Limit::ALL.len()],
    strikes: Mutex<Bucket>,
    resets: Mutex<Bucket>,
    /// What ends the session, seen by a task that does not end it.
    pub(crate) fault: watch::Sender<Option<PeerFault>>,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            buffered: Buffered::new(limits.buffered),
            reached: Default::default(),
            strikes: Mutex::new(Bucket::new(limits.strikes)),
            resets: Mutex::new(Bucket::new(limits.resets)),
            fault: watch::Sender::new(None),
            limits,
        }
    }

    /// Counts that a limit was reached.
    pub(crate) fn reach(&self, limit: Limit) {
        let before = self.reached[limit as usize].fetch_add(1, Ordering::Relaxed);
        // Who floods shall not flood the log.
        if before == 0 {
            tracing::debug!(%limit, "the peer reached a limit");
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

    /// Counts a stream on which the peer broke the protocol; too many of them end the session.
    pub(crate) fn strike(&self, fault: &PeerFault) {
        self.note(fault);
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
        if headerless.available_permits() == 0 {
            self.reach(Limit::Headerless);
        }
        let permit = headerless.clone().acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// Counts a request that the peer took back as soon as it was made.
    pub(crate) fn withdrawn(&self) {
        take(&self.resets);
    }

    /// Waits as long as the peer took requests back too fast.
    pub(crate) async fn calm(&self) {
        let debt = lock(&self.resets).debt(clock::now());
        if !debt.is_zero() {
            self.reach(Limit::Resets);
            clock::sleep(debt).await;
        }
    }
}

fn take(bucket: &Mutex<Bucket>) -> Duration {
    lock(bucket).take(clock::now())
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds something to a rate.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When all that happened so far would have happened at the rate.
    until: Option<Instant>,
}

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, until: None }
    }

    /// Takes note of one more time; says how long that is too early.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        let from = self.until.map_or(now, |until| until.max(now));
        self.until = Some(from + self.rate.interval);
        self.debt(now)
    }

    /// How long to wait until all that happened was not too often.
    pub(crate) fn debt(&self, now: Instant) -> Duration {
        let ahead = self
            .until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        ahead.saturating_sub(self.rate.interval * self.rate.burst)
    }
}

/// Bytes of frames on their way, by all streams of a session.
#[derive(Debug)]
pub(crate) struct Buffered {
    used: AtomicU64,
    limit: u64,
}

impl Buffered {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            limit,
        }
    }

    /// Holds nothing so far; what it comes to hold is given back with it.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            all: self,
            bytes: 0,
        }
    }
}

/// The bytes of one frame on its way.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    all: &'a Buffered,
    bytes: u64,
}

impl Held<'_> {
    /// Takes more bytes.
    ///
    /// # Errors
    /// [`PeerFault::Exceeded`] where that is too much, together with all others.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), PeerFault> {
        let bytes = bytes as u64;
        self.bytes += bytes;
        let used = self.all.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.all.limit {
            return Err(PeerFault::Exceeded {
                limit: Limit::Buffered,
                allowed: self.all.limit,
            });
        }
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
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
    fn a_burst_is_on_time_and_one_more_waits_for_the_interval() {
        let rate = Rate::new(3, Duration::from_millis(10));
        let mut bucket = Bucket::new(rate);
        let start = clock::now();
        let waits: Vec<_> = (0..4).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 10]);
        assert_eq!(
            bucket.debt(start + Duration::from_millis(10)),
            Duration::ZERO
        );
        let later = start + Duration::from_secs(1);
        assert_eq!(bucket.take(later), Duration::ZERO, "the past is forgiven");
    }

    #[test]
    fn frames_on_their_way_share_what_is_allowed() {
        let all = Buffered::new(10);
        let (mut one, mut other) = (all.hold(), all.hold());
        assert!(one.grow(9).is_ok());
        assert!(other.grow(1).is_ok());
        assert!(other.grow(1).is_err());
        drop(other);
        assert!(one.grow(1).is_ok());
        assert!(one.grow(1).is_err());
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("aé", 2), "a");
    }
}
