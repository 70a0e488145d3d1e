//! One subscription, read at the least cost: a task per subscription, and no order but that of coming.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use moq_session::{GroupConsumer, GroupEnd, NextGroup, ReadError, TrackReader};

use super::pacer;
use super::state::{Arrived, Run};

/// Reads a track for as long as there is one.
#[derive(Debug)]
pub(super) struct Receiver {
    run: Arc<Run>,
    reader: TrackReader,
    track: u64,
    open: Vec<Open>,
    batch: Vec<Arrived>,
    /// When the subscriber began to connect, until its first frame comes.
    joining: Option<Duration>,
}

#[derive(Debug)]
struct Open {
    group: GroupConsumer,
    is_measured: bool,
    frames: u64,
}

impl Receiver {
    /// Reads for a subscriber that began to connect at `joining`.
    pub(super) fn new(run: Arc<Run>, reader: TrackReader, track: u64, joining: Duration) -> Self {
        Self {
            run,
            reader,
            track,
            open: Vec::new(),
            batch: Vec::new(),
            joining: Some(joining),
        }
    }

    /// Reads until the track ends, or goes away.
    pub(super) async fn receive(mut self) -> Result<(), ReadError> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), ReadError>> {
        let ended = self.poll_groups(cx);
        let mut open = std::mem::take(&mut self.open);
        open.retain_mut(|open| self.read(open, cx));
        self.open = open;
        match ended {
            Poll::Ready(ended) if ended.is_err() || self.open.is_empty() => Poll::Ready(ended),
            _ => Poll::Pending,
        }
    }

    /// Takes the groups that have begun.
    fn poll_groups(&mut self, cx: &Context<'_>) -> Poll<Result<(), ReadError>> {
        loop {
            match self.reader.poll_next(cx) {
                Poll::Ready(Ok(Some(NextGroup::Group(group)))) => self.open.push(Open {
                    is_measured: self.run.is_measured(self.track, group.sequence()),
                    group,
                    frames: 0,
                }),
                Poll::Ready(Ok(Some(NextGroup::Lost { groups, cause }))) => {
                    for group in groups.take(MOST_LOST) {
                        let is_measured = self.run.is_measured(self.track, group);
                        self.run.ended(0, is_measured, GroupEnd::Aborted(cause));
                    }
                }
                Poll::Ready(Ok(Some(_))) => {}
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads the frames that are there; whether more may come.
    fn read(&mut self, open: &mut Open, cx: &Context<'_>) -> bool {
        loop {
            let batch = &mut self.batch;
            let read = open.group.poll_frames(cx, MOST_FRAMES, |frame| {
                if let Some(due) = pacer::due(&frame.payload) {
                    let bytes = frame.payload.len();
                    batch.push(Arrived { due, bytes });
                }
            });
            if !self.batch.is_empty() {
                open.frames += self.batch.len() as u64;
                self.run.arrived(&self.batch, open.is_measured);
                self.batch.clear();
                if let Some(since) = self.joining.take() {
                    self.run.joined(self.run.now().saturating_sub(since));
                }
            }
            match read {
                Poll::Ready(None) => {}
                Poll::Ready(Some(end)) => {
                    self.end(open, end);
                    return false;
                }
                Poll::Pending => return true,
            }
        }
    }

    fn end(&self, open: &Open, end: GroupEnd) {
        if end != GroupEnd::Finished {
            let group = open.group.sequence();
            tracing::debug!(
                track = self.track,
                group,
                frames = open.frames,
                ?end,
                "group is not whole"
            );
        }
        self.run.ended(open.frames, open.is_measured, end);
    }
}

/// Lost groups that are counted one by one.
const MOST_LOST: usize = 1 << 20;

/// Frames taken together.
const MOST_FRAMES: usize = 256;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use moq_session::{Abort, BroadcastProducer, Subscription, Track, TrackProducer};

    use super::super::schedule::Schedule;
    use super::*;
    use crate::args::Shape;
    use crate::progress::Console;

    /// A run that measures everything from now on, a track, and its receiver.
    fn stage() -> (Arc<Run>, TrackProducer, Receiver) {
        let shape = Shape {
            publishers: 1,
            broadcasts: 1,
            tracks: 1,
            subscribers: 1,
            each: 1,
            fps: 1,
            frame_bytes: 8,
            group_frames: 2,
        };
        let run = Run::new(
            Schedule::new(&shape),
            Duration::MAX,
            Console::new(true).meter(),
        );
        // The three groups that begin at 2 s, 4 s and 6 s.
        run.measure(Duration::from_millis(1), Duration::from_secs(6), 0..1);
        let run = Arc::new(run);
        let track = BroadcastProducer::new().create(Track::new("0")).unwrap();
        let reader = track.consume().subscribe(Subscription::default());
        let receiver = Receiver::new(run.clone(), reader, 0, run.now());
        (run, track, receiver)
    }

    fn frame() -> Bytes {
        Bytes::from_static(&[0; 8])
    }

    #[tokio::test]
    async fn groups_outside_the_measured_time_do_not_count() {
        let (run, track, receiver) = stage();
        for _ in 0..5 {
            let mut group = track.append().unwrap();
            group.append(frame()).unwrap();
            group.append(frame()).unwrap();
            group.finish();
        }
        track.finish();
        let receiving = tokio::spawn(receiver.receive());
        receiving.await.unwrap().unwrap();
        assert_eq!(run.count_joined(), 1);
        let [frames, groups] = run.accounts();
        assert_eq!((groups.expected, groups.delivered), (3, 3));
        assert_eq!((frames.expected, frames.delivered), (6, 6));
    }

    #[tokio::test]
    async fn groups_that_overlap_are_read_side_by_side() {
        let (run, track, receiver) = stage();
        track.append().unwrap().append(frame()).unwrap();
        let receiving = tokio::spawn(receiver.receive());
        let mut first = track.append().unwrap();
        first.append(frame()).unwrap();
        let mut second = track.append().unwrap();
        second.append(frame()).unwrap();
        second.append(frame()).unwrap();
        second.finish();
        first.append(frame()).unwrap();
        first.finish();
        let mut third = track.append().unwrap();
        third.append(frame()).unwrap();
        third.abort(Abort::Expired);
        track.finish();
        receiving.await.unwrap().unwrap();
        let tally = run.tally();
        assert_eq!((tally.groups.delivered, tally.groups.skipped), (2, 1));
        assert_eq!((tally.frames.delivered, tally.frames.skipped), (5, 1));
        assert!(tally.frames.is_settled());
    }
}
