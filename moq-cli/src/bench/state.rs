//! What the parts of a run share.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use moq_session::GroupEnd;

use super::schedule::Schedule;
use super::tally::{Account, Latency, Tally};
use crate::client;
use crate::progress::Meter;

/// One run of the bench.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) schedule: Schedule,
    start: Instant,
    late: Duration,
    /// Set before the first group that it covers is due.
    measured: OnceLock<Range<Duration>>,
    is_over: AtomicBool,
    /// A subscription was refused for lack of capacity.
    is_refused: AtomicBool,
    tally: Mutex<Tally>,
    joins: Mutex<Latency>,
    joined: AtomicU64,
    meter: Meter,
}

/// A frame that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    /// When it was due.
    pub(super) due: Duration,
    pub(super) bytes: usize,
}

impl Run {
    /// A run that starts at once.
    pub(super) fn new(schedule: Schedule, late: Duration, meter: Meter) -> Self {
        Self {
            schedule,
            start: Instant::now(),
            late,
            measured: OnceLock::new(),
            is_over: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
            tally: Mutex::new(Tally::new()),
            joins: Mutex::new(Latency::new()),
            joined: AtomicU64::new(0),
            meter,
        }
    }

    /// Notes that a subscription was refused for lack of capacity.
    pub(super) fn refuse(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
    }

    /// Checks that no subscription was refused for lack of capacity.
    ///
    /// # Errors
    /// The failure that names the limit.
    pub(super) fn check_capacity(&self) -> anyhow::Result<()> {
        match self.is_refused.load(Ordering::Relaxed) {
            true => Err(client::no_capacity().into()),
            false => Ok(()),
        }
    }

    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Measures the groups that begin in so long, for so long; the subscriptions to `tracks` have to
    /// receive them.
    pub(super) fn measure(
        &self,
        wait: Duration,
        duration: Duration,
        tracks: impl Iterator<Item = u64>,
    ) -> Range<Duration> {
        let from = self.now() + wait;
        let measured = self.measured.get_or_init(|| from..from + duration).clone();
        let mut tally = self.tally();
        for track in tracks {
            let groups = self.schedule.groups(track, &measured);
            tally.expect(groups.end - groups.start, self.schedule.group_frames());
        }
        measured
    }

    /// Whether a group of a track is measured.
    pub(super) fn is_measured(&self, track: u64, group: u64) -> bool {
        let measured = self.measured.get();
        measured.is_some_and(|time| self.schedule.groups(track, time).contains(&group))
    }

    /// Whether frames that are due then need not be sent any more.
    pub(super) fn is_past(&self, due: Duration) -> bool {
        let end = self.measured.get().map(|time| time.end);
        let is_past = end.is_some_and(|end| due >= end + self.schedule.group_duration());
        is_past || self.is_over.load(Ordering::Relaxed)
    }

    /// Stops sending.
    pub(super) fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Frames of a group came.
    pub(super) fn arrived(&self, frames: &[Arrived], is_measured: bool) {
        let now = self.now();
        for frame in frames {
            self.meter.frame(frame.bytes);
        }
        if let Some(last) = frames.last() {
            self.meter.lag(now.saturating_sub(last.due));
        }
        if is_measured {
            let mut tally = self.tally();
            for frame in frames {
                tally.frame(frame.bytes, now.saturating_sub(frame.due), self.late);
            }
        }
    }

    /// A group ended.
    pub(super) fn ended(&self, frames: u64, is_measured: bool, end: GroupEnd) {
        self.meter.group();
        if is_measured {
            let group_frames = self.schedule.group_frames();
            self.tally().group(frames, group_frames, end);
        }
    }

    /// A subscription has its first frame, so long after its subscriber began to connect.
    pub(super) fn joined(&self, took: Duration) {
        let mut joins = self.joins.lock().unwrap_or_else(PoisonError::into_inner);
        joins.add(took);
        let joined = self.joined.fetch_add(1, Ordering::Relaxed) + 1;
        self.meter
            .subscribers(usize::try_from(joined).unwrap_or(usize::MAX));
    }

    /// How many subscriptions have their first frame.
    pub(super) fn count_joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// How long joining took.
    pub(super) fn joins(&self) -> Latency {
        let joins = self.joins.lock();
        joins.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What came so far of frames and groups.
    pub(super) fn accounts(&self) -> [Account; 2] {
        let tally = self.tally();
        [tally.frames, tally.groups]
    }

    /// What came so far.
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
