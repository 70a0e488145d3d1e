//! Frames into groups.

use bytes::Bytes;
use moq_session::{GroupProducer, TrackProducer, WriteError};
use tokio::time::Instant;

use crate::input::GroupLimits;

/// Writes frames into groups that end at their limits.
#[derive(Debug)]
pub(super) struct Groups {
    track: TrackProducer,
    limits: GroupLimits,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    group: GroupProducer,
    frames: usize,
    bytes: usize,
    since: Instant,
}

impl Groups {
    pub(super) fn new(track: TrackProducer, limits: GroupLimits) -> Self {
        Self {
            track,
            limits,
            open: None,
        }
    }

    /// When the open group has to end, if it has to by time.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        let open = self.open.as_ref()?;
        self.limits.age.map(|age| open.since + age)
    }

    /// Ends the open group.
    pub(super) fn end(&mut self) {
        if let Some(open) = self.open.take() {
            open.group.finish();
        }
    }

    /// Writes a frame, waiting while all readers are too far behind; says whether a group began.
    ///
    /// # Errors
    /// [`WriteError`] if the track has ended.
    pub(super) async fn write(&mut self, frame: Bytes) -> Result<bool, WriteError> {
        self.track.ready().await;
        if self.ends_at().is_some_and(|at| at <= Instant::now()) {
            self.end();
        }
        let bytes = frame.len();
        if let Some(open) = &mut self.open
            && self.limits.admit(open.frames, open.bytes, bytes)
        {
            match open.group.append(frame.clone()) {
                Ok(()) => {
                    open.frames += 1;
                    open.bytes += bytes;
                    self.end_if_full();
                    return Ok(false);
                }
                // The group is too old or was evicted, and nobody can read on in it.
                Err(WriteError::Dropped) => self.open = None,
                Err(error) => return Err(error),
            }
        }
        self.end();
        let mut group = self.track.append()?;
        group.append(frame)?;
        self.open = Some(Open {
            group,
            frames: 1,
            bytes,
            since: Instant::now(),
        });
        self.end_if_full();
        Ok(true)
    }

    fn end_if_full(&mut self) {
        let limits = self.limits;
        if self
            .open
            .as_ref()
            .is_some_and(|open| limits.is_full(open.frames, open.bytes))
        {
            self.end();
        }
    }
}
