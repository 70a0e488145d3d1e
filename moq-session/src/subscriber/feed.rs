//! What has come, and what is owed, of one subscription.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use moq_model::session::{GroupRanges, TrackFeed};
use moq_model::{Abort, GroupRange};
use moq_wire::Version;

/// One subscription of this end, as its group streams see it.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(super) track: TrackFeed,
    state: Mutex<Account>,
    changed: AtomicWaker,
}

/// The account of a subscription's groups, as plain data.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The first group that the publisher is going to deliver.
    pub(super) start: Option<u64>,
    /// No group at or above it will come.
    pub(super) end: Option<u64>,
    /// Groups that arrived, and groups that are known not to come.
    known: GroupRanges,
    /// The lowest group that arrived.
    pub(super) lowest: Option<u64>,
    /// The highest group that arrived.
    pub(super) highest: Option<u64>,
    /// Group streams that have not ended.
    pub(super) open: usize,
    /// A group stream ended with its session.
    is_cut: bool,
    /// Group streams that came, whatever became of them.
    pub(super) came: u64,
    /// How many will have come in the end, where the draft tells.
    pub(super) streams: Option<u64>,
    /// The group that an attempt before this one has reached: what comes is not older.
    pub(super) floor: Option<u64>,
    /// A group came that cannot exist, going by the end or by what came before.
    pub(super) is_contradicted: bool,
}

impl Account {
    /// The first gap of what is owed; `None` when everything is accounted for, as far as is known.
    pub(super) fn owed(&self) -> Option<GroupRange> {
        let is_all = self.streams.is_some_and(|streams| self.came >= streams);
        self.missing().filter(|_| !is_all)
    }

    /// The last group before the first gap, once anything has come.
    pub(super) fn reached(&self) -> Option<u64> {
        let first = self.start.or(self.lowest)?;
        self.highest?;
        let missing = self.known.first_missing_from(first);
        Some(missing.saturating_sub(1).max(first))
    }

    /// Whether a group that comes may be of this track.
    ///
    /// Where the end is not exact, it may be the last group, so one more is let through.
    pub(super) fn expects(&self, sequence: u64, version: Version) -> bool {
        let extra = u64::from(!version.features().end_is_exact);
        let is_below = |end: u64| sequence < end.saturating_add(extra);
        self.floor.is_none_or(|floor| sequence >= floor) && self.end.is_none_or(is_below)
    }

    /// Notes that a group came which is not expected, where that is no fault of the draft's.
    pub(super) fn contradict(&mut self, version: Version) {
        self.is_contradicted |= version.features().end_is_exact || self.floor.is_some();
    }

    /// Whether the end is known and everything below it has arrived. Where the end may be the last group
    /// instead, that one may be missing.
    pub(super) fn is_whole(&self) -> bool {
        let is_begun = self.start.or(self.lowest).is_some() || self.end == Some(0);
        let is_told = self.end.is_some() && is_begun;
        is_told && self.missing().is_none() && self.open == 0 && !self.is_cut
    }

    /// As [`Self::is_whole`], without a doubt about the end.
    pub(super) fn is_surely_whole(&self) -> bool {
        self.is_whole() && self.highest >= self.end
    }

    /// The first gap below the end.
    pub(super) fn missing(&self) -> Option<GroupRange> {
        let end = self.end?;
        let start = self.start.or(self.lowest).unwrap_or(end);
        let missing = self.known.first_missing_from(start);
        (missing < end).then_some(missing..end)
    }
}

impl Feed {
    pub(super) fn new(track: TrackFeed) -> Arc<Self> {
        Arc::new(Self {
            track,
            state: Mutex::default(),
            changed: AtomicWaker::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the account.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Account) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the account; whoever waits for it looks again.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Account) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.wake();
        result
    }

    /// Counts a group stream in until the guard is dropped.
    pub(super) fn arrive(self: &Arc<Self>, sequence: u64) -> Arrival {
        self.change(|account| {
            account.known.insert(sequence..sequence.saturating_add(1));
            account.lowest = Some(
                account
                    .lowest
                    .map_or(sequence, |lowest| lowest.min(sequence)),
            );
            account.highest = account.highest.max(Some(sequence));
            account.open += 1;
        });
        Arrival {
            feed: self.clone(),
            is_over: false,
        }
    }

    /// Counts a group stream, taken in or not.
    pub(super) fn count(&self) {
        self.change(|account| account.came += 1);
    }

    /// Notes that groups will not come.
    pub(super) fn give_up(&self, groups: GroupRange, cause: Abort) {
        self.track.drop_groups(groups.clone(), cause);
        self.change(|account| account.known.insert(groups));
    }

    /// Waits until `find` finds something in the account. One task may wait at a time.
    pub(super) async fn when<R>(&self, mut find: impl FnMut(&Account) -> Option<R>) -> R {
        poll_fn(|cx| {
            self.changed.register(cx.waker());
            find(&self.lock()).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// A group stream that is being read. Dropping it says that its session went down.
#[derive(Debug)]
pub(super) struct Arrival {
    feed: Arc<Feed>,
    is_over: bool,
}

impl Arrival {
    /// The stream has come to its end, whatever that was.
    pub(super) fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.feed.change(|account| {
            account.open -= 1;
            account.is_cut |= !self.is_over;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_lies_between_start_and_end() {
        let mut account = Account {
            start: Some(2),
            end: Some(5),
            ..Account::default()
        };
        assert_eq!(account.owed(), Some(2..5));
        account.known.insert(2..4);
        assert_eq!(account.owed(), Some(4..5));
        account.known.insert(4..5);
        assert_eq!(account.owed(), None);
    }

    #[test]
    fn nothing_is_owed_of_a_track_without_groups() {
        assert_eq!(
            Account {
                end: Some(0),
                ..Account::default()
            }
            .owed(),
            None
        );
        assert_eq!(
            Account {
                end: Some(7),
                ..Account::default()
            }
            .owed(),
            None
        );
    }
}
