//! Reading only what is newest of a track.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use super::consumer::TrackReader;
use super::ordered::OrderedRead;
use super::readers::Pick;
use crate::error::{GroupEnd, ReadError};
use crate::group::{GroupConsumer, GroupRead};

/// Reads the newest group, frame by frame, and leaves it as soon as there is a newer one.
///
/// For state whose past is of no interest. What is left out is reported as skipped, and never comes
/// later.
#[derive(Debug)]
pub struct LatestReader {
    reader: TrackReader,
    current: Option<GroupConsumer>,
    /// The next frame of the current group.
    index: usize,
    /// Everything before this has been read, or skipped.
    next: Option<u64>,
    is_finished: bool,
}

impl LatestReader {
    pub(super) fn new(reader: TrackReader) -> Self {
        Self {
            reader,
            current: None,
            index: 0,
            next: None,
            is_finished: false,
        }
    }

    /// The next frame of the newest group, or `None` after the last one of the track.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<OrderedRead>, ReadError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<Option<OrderedRead>, ReadError>> {
        loop {
            if let Poll::Ready(newer) = self.poll_newer(cx)? {
                match newer {
                    Some(group) => {
                        if let Some(skipped) = self.jump(group) {
                            return Poll::Ready(Ok(Some(skipped)));
                        }
                    }
                    None => self.is_finished = true,
                }
            }
            let Some(group) = &mut self.current else {
                return if self.is_finished {
                    Poll::Ready(Ok(None))
                } else {
                    Poll::Pending
                };
            };
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
                GroupRead::End(end) => {
                    self.current = None;
                    self.next = Some(sequence + 1);
                    if end != GroupEnd::Finished {
                        let groups = sequence..sequence + 1;
                        return Poll::Ready(Ok(Some(OrderedRead::Skipped {
                            groups,
                            end: Some(end),
                        })));
                    }
                }
            }
        }
    }

    /// Begins with a group; says what is left out for it.
    fn jump(&mut self, group: GroupConsumer) -> Option<OrderedRead> {
        let sequence = group.sequence();
        let left = self.next.replace(sequence);
        self.current = Some(group);
        self.index = 0;
        let groups = left?..sequence;
        let skipped = OrderedRead::Skipped { groups, end: None };
        left.filter(|left| *left < sequence).map(|_| skipped)
    }

    /// A group that is newer than the current one; `None` when there will be no further one.
    fn poll_newer(&self, cx: &Context<'_>) -> Poll<Result<Option<GroupConsumer>, ReadError>> {
        if self.is_finished {
            return Poll::Pending;
        }
        let current = self.current.as_ref().map(GroupConsumer::sequence);
        let least = current.map(|current| current + 1).or(self.next);
        let mut state = self.reader.shared().lock();
        if let Some(least) = least {
            state.skip_below(self.reader.id(), least);
        }
        let group = ready!(self.reader.poll_take(&mut state, cx, Pick::Newest))?;
        if let Some(group) = &group {
            state.skip_below(self.reader.id(), group.sequence());
        }
        Poll::Ready(Ok(group))
    }
}
