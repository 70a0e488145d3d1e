//! Groups that a reader in sequence does not get, and whether the track goes on after them.

use std::ops::Range;

use super::effects::{Effects, Notify};
use super::ordered::{Flow, skipped};
use super::readers::ReaderId;
use super::{Step, TrackEnd, TrackState};
use crate::clock::Instant;
use crate::error::Abort;

/// What is to be done about groups that were given up.
enum Loss {
    /// Tell the reader.
    Tell,
    /// It may go on elsewhere.
    Fail(Abort),
    /// It is not clear yet whether the track goes on.
    Wait(Option<Instant>),
    /// That depends on the time.
    Clock,
}

impl<W: Notify> TrackState<W> {
    /// Groups were given up, the first of them perhaps in the middle: the reader is told, unless
    /// they went down with the track and may go on elsewhere.
    pub(super) fn give_up(
        &mut self,
        id: ReaderId,
        groups: Range<u64>,
        cause: Abort,
        now: Option<Instant>,
        waiter: &W,
        fx: &mut Effects<W>,
    ) -> Flow {
        match self.judge(id, groups.end, cause, now) {
            Loss::Tell => {
                self.leave(id, groups.end, fx);
                Flow::Done(skipped(groups, cause))
            }
            Loss::Fail(reason) => Flow::Done(Step::Failed(reason)),
            Loss::Clock => Flow::Done(Step::Clock),
            Loss::Wait(until) => {
                if let Some(reader) = self.readers.get_mut(id) {
                    reader.wait(waiter, fx);
                }
                Flow::Done(Step::Wait(until))
            }
        }
    }

    /// What is to be done about groups before `next` that were given up for `cause`.
    ///
    /// Without a later group it is not clear whether the track goes on. What was lost with its
    /// session is told only if the track goes on for as long as the reader's patience.
    fn judge(&mut self, id: ReaderId, next: u64, cause: Abort, now: Option<Instant>) -> Loss {
        let is_local = matches!(
            cause,
            Abort::Expired | Abort::Evicted | Abort::TooFarBehind | Abort::Missing
        );
        match self.life.end() {
            _ if is_local => return Loss::Tell,
            Some(TrackEnd::Aborted(reason)) => return Loss::Fail(reason),
            Some(TrackEnd::Finished) => return Loss::Tell,
            None => {}
        }
        let goes_on = self.groups.shown().lowest(next..u64::MAX).is_some();
        if goes_on && cause != Abort::SessionClosed {
            return Loss::Tell;
        }
        let patience = self.patience(id);
        let (Some(now), Some(reader)) = (now, self.readers.get_mut(id)) else {
            return Loss::Clock;
        };
        match reader.waits_since(now).checked_add(patience) {
            Some(until) if until <= now => Loss::Tell,
            until => Loss::Wait(until),
        }
    }

    /// How long a reader waits for groups that may still come.
    pub(super) fn patience(&self, id: ReaderId) -> std::time::Duration {
        let reader = self.readers.get(id);
        let patience = reader.and_then(|reader| reader.subscription().patience);
        patience.unwrap_or_else(|| self.life.max_age())
    }
}
