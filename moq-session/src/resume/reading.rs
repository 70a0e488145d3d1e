//! One subscription of several.

use moq_model::{Abort, OrderedReader, ReadError, TrackRead, TrackReader};

use crate::session::Session;

/// One subscription, from where an earlier one was lost.
#[derive(Debug)]
pub(super) struct Reading {
    reader: OrderedReader,
    /// The session that carries it, where that is known.
    pub(super) session: Option<Session>,
    /// Where an earlier one was lost; what lies before is not told again.
    from: Option<(u64, usize)>,
    /// The group that has to come first.
    awaited: Option<u64>,
    /// What comes after what is missing before it.
    held: Option<TrackRead>,
}

impl Reading {
    pub(super) fn new(
        reader: TrackReader,
        session: Option<Session>,
        from: Option<(u64, usize)>,
    ) -> Self {
        Self {
            reader: reader.ordered(),
            session,
            from,
            awaited: from.map(|(group, _)| group),
            held: None,
        }
    }

    /// What comes next that was not told by an earlier subscription. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Option<TrackRead>, ReadError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        while let Some(read) = self.reader.next().await? {
            if let Some(read) = self.sift(read) {
                return Ok(Some(read));
            }
        }
        Ok(None)
    }

    /// The group and the frame after those that were told.
    pub(super) fn position(&self) -> Option<(u64, usize)> {
        match &self.held {
            Some(TrackRead::Frame { group, index, .. }) => Some((*group, *index)),
            _ => self.reader.position().max(self.from),
        }
    }

    /// Leaves out what was told before, and tells what is missing since.
    fn sift(&mut self, read: TrackRead) -> Option<TrackRead> {
        match &read {
            TrackRead::Frame { group, index, .. } => {
                let (group, at) = (*group, (*group, *index));
                let awaited = self.awaited.take();
                // The publisher may keep what was next no longer.
                if let Some(next) = awaited.filter(|next| group > *next) {
                    self.held = Some(read);
                    return Some(TrackRead::Skipped {
                        groups: next..group,
                        cause: Abort::Missing,
                    });
                }
                let is_told = self.from.is_some_and(|from| at < from);
                (!is_told).then_some(read)
            }
            TrackRead::Skipped { groups, cause } => {
                self.awaited = None;
                let first = self.from.map_or(0, |(group, _)| group);
                let groups = groups.start.max(first)..groups.end;
                (!groups.is_empty()).then(|| TrackRead::Skipped {
                    groups,
                    cause: *cause,
                })
            }
            _ => Some(read),
        }
    }
}
