//! Reading a track in sequence.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::consumer::TrackReader;
use super::readers::Pick;
use super::state::{TrackEnd, TrackState};
use super::subscription::Start;
use crate::clock::{self, Instant};
use crate::error::{Abort, GroupEnd, ReadError};
use crate::frame::Frame;
use crate::group::{GroupConsumer, GroupRead};
use crate::ranges::GroupRange;

/// What a track yields next when read in sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderedRead {
    /// The next frame.
    Frame {
        /// The frame's group.
        group: u64,
        /// The frame's place in its group.
        index: usize,
        /// The frame.
        frame: Frame,
    },
    /// These groups are missing, whole or from some frame on.
    Skipped {
        /// The sequences.
        groups: GroupRange,
        /// How the first of them ended; `None` if it never came.
        end: Option<GroupEnd>,
    },
}

/// Reads groups in sequence, and frames in order within them.
///
/// A gap is waited for as long as the subscription's max age, unless it is known that nothing
/// will come. Every group from the first one on is yielded whole or reported as skipped.
#[derive(Debug)]
pub struct OrderedReader {
    reader: TrackReader,
    /// The next group; unknown until it is clear where the track begins.
    next: Option<u64>,
    current: Option<GroupConsumer>,
    index: usize,
    gap: Option<Pin<Box<Sleep>>>,
    is_starved: Arc<AtomicBool>,
}

impl OrderedReader {
    pub(super) fn new(reader: TrackReader) -> Self {
        let is_starved = reader.shared().lock().starved_flag(reader.id());
        Self {
            reader,
            is_starved,
            next: None,
            current: None,
            index: 0,
            gap: None,
        }
    }

    /// The group and the frame that would come next, for going on elsewhere.
    #[must_use]
    pub fn position(&self) -> Option<(u64, usize)> {
        self.next.map(|group| (group, self.index))
    }

    /// The next frame, or `None` after the last one.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<OrderedRead>, ReadError> {
        poll_fn(|cx| {
            let next = self.poll_next(cx);
            self.note_starved(next.is_pending());
            next
        })
        .await
    }

    /// Lets the input go on that waits for this reader, once it lacks what has not come.
    fn note_starved(&self, is_starved: bool) {
        if self.is_starved.swap(is_starved, Ordering::SeqCst) != is_starved && is_starved {
            self.reader.shared().note_starved();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<OrderedRead>, ReadError>> {
        loop {
            if let Some(group) = &mut self.current {
                let sequence = group.sequence();
                match ready!(group.poll_next(cx)) {
                    GroupRead::Frame(frame) => {
                        let index = self.index;
                        self.index += 1;
                        return Poll::Ready(Ok(Some(OrderedRead::Frame {
                            group: sequence,
                            index,
                            frame,
                        })));
                    }
                    GroupRead::End(GroupEnd::Finished) => self.advance(sequence + 1),
                    GroupRead::End(end) => {
                        ready!(self.poll_goes_on(cx, end))?;
                        self.advance(sequence + 1);
                        let groups = sequence..sequence + 1;
                        return Poll::Ready(Ok(Some(OrderedRead::Skipped {
                            groups,
                            end: Some(end),
                        })));
                    }
                }
                continue;
            }
            match ready!(self.poll_group(cx))? {
                Step::Begin(group) => {
                    self.next = Some(group.sequence());
                    self.current = Some(group);
                    self.gap = None;
                }
                Step::Skip(groups) => {
                    self.advance(groups.end);
                    return Poll::Ready(Ok(Some(OrderedRead::Skipped { groups, end: None })));
                }
                Step::End => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn advance(&mut self, next: u64) {
        self.next = Some(next);
        self.current = None;
        self.index = 0;
        self.gap = None;
    }

    /// Waits until it is clear whether the track outlives a group that was given up.
    ///
    /// One that went down with its track is not skipped: it may go on elsewhere.
    fn poll_goes_on(&self, cx: &Context<'_>, end: GroupEnd) -> Poll<Result<(), ReadError>> {
        let GroupEnd::Aborted(reason) = end else {
            return Poll::Ready(Ok(()));
        };
        if reason == Abort::SessionClosed {
            return Poll::Ready(Err(ReadError::Aborted(reason)));
        }
        let id = self.reader.id();
        let mut state = self.reader.shared().lock();
        match state.end {
            Some(TrackEnd::Aborted(reason)) => Poll::Ready(Err(ReadError::Aborted(reason))),
            Some(TrackEnd::Finished) => Poll::Ready(Ok(())),
            None if state.lowest_pending(id).is_some() => Poll::Ready(Ok(())),
            None => {
                state.register_reader(id, cx);
                Poll::Pending
            }
        }
    }

    /// Takes the next group, or finds that it is missing.
    ///
    /// All under one lock: a group that came between two looks would wake nobody.
    fn poll_group(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, ReadError>> {
        let id = self.reader.id();
        let mut state = self.reader.shared().lock();
        self.next = self.next.or_else(|| state.begin(id));
        if let Some(next) = self.next {
            state.skip_below(id, next);
            if let Some(pending) = state.lowest_pending(id).filter(|lowest| *lowest > next) {
                let gap = next..pending;
                if state.lost.first_missing_from(next) >= pending {
                    return Poll::Ready(Ok(Step::Skip(gap)));
                }
                state.register_reader(id, cx);
                let since = state.pending_since(id);
                drop(state);
                return self.poll_gap(cx, since).map(|()| Ok(Step::Skip(gap)));
            }
        }
        let group = ready!(self.reader.poll_take(&mut state, cx, Pick::Oldest))?;
        let last = || self.unread(&state).map_or(Step::End, Step::Skip);
        Poll::Ready(Ok(group.map_or_else(last, Step::Begin)))
    }

    /// Groups at the end of a finished track that were to come and did not.
    fn unread(&self, state: &TrackState) -> Option<GroupRange> {
        let wanted = self.reader.subscription();
        let next = self.next.or_else(|| match wanted.start {
            Start::Floor(floor) => Some(state.start?.max(floor)),
            Start::Newest => None,
        })?;
        let end = state.end_sequence();
        let end = wanted.end.map_or(end, |wanted| wanted.min(end));
        (next < end).then_some(next..end)
    }

    /// Waits from when the gap could first be seen, so that a reader which is behind because of one
    /// gap is not held up by the next one for as long again.
    fn poll_gap(&mut self, cx: &mut Context<'_>, since: Option<Instant>) -> Poll<()> {
        let max_age = self.reader.subscription().max_age;
        let waited = since.map_or(Duration::ZERO, |since| clock::now().duration_since(since));
        let gap = self
            .gap
            .get_or_insert_with(|| Box::pin(clock::sleep(max_age.saturating_sub(waited))));
        gap.as_mut().poll(cx)
    }
}

enum Step {
    Begin(GroupConsumer),
    Skip(GroupRange),
    End,
}
