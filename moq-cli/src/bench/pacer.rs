//! Sends every frame when it is due, on a thread of its own: a runtime's timers are too coarse.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{BufMut as _, Bytes, BytesMut};
use moq_model::platform::clock;
use moq_session::{GroupProducer, Timescale, TrackProducer};
use tokio::runtime::Handle;

use super::state::Run;
use super::tally::Latency;

/// What was sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// How long after they were due frames were written.
    pub(super) delay: Latency,
    /// Frames that could not be written, because their group had become too old.
    pub(super) refused: u64,
    /// A track that is dropped takes along what is still on its way.
    pub(super) tracks: Vec<TrackProducer>,
}

/// The thread that sends.
#[derive(Debug)]
pub(super) struct Pacer {
    run: Arc<Run>,
    thread: Option<JoinHandle<Sent>>,
}

impl Pacer {
    /// Begins to send on these tracks, until the run is over. Needs a tokio runtime.
    pub(super) fn start(
        run: Arc<Run>,
        tracks: Vec<TrackProducer>,
        frame_bytes: usize,
    ) -> anyhow::Result<Self> {
        let runtime = Handle::current();
        let sending = run.clone();
        let thread = std::thread::Builder::new().name("pacer".into());
        let thread = thread.spawn(move || {
            let _runtime = runtime.enter();
            send(&sending, tracks, frame_bytes)
        });
        Ok(Self {
            run,
            thread: Some(thread.context("cannot start a thread to send")?),
        })
    }

    /// Waits until everything is sent.
    pub(super) async fn end(mut self) -> anyhow::Result<Sent> {
        let thread = self.thread.take().context("sending ends once")?;
        let sent = tokio::task::spawn_blocking(move || thread.join());
        let sent = sent.await.context("cannot wait for the sending thread")?;
        sent.map_err(|_| anyhow::anyhow!("the sending thread failed"))
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.run.stop();
    }
}

/// A track, with the group that is being written.
struct Writer {
    track: TrackProducer,
    open: Option<GroupProducer>,
}

fn send(run: &Run, tracks: Vec<TrackProducer>, frame_bytes: usize) -> Sent {
    let writers = tracks.iter().cloned();
    let writers = writers.map(|track| Writer { track, open: None });
    let mut writers: Vec<Writer> = writers.collect();
    let (scale, epoch) = (scale(), clock::unix().saturating_sub(run.now()));
    let mut sent = Sent {
        delay: Latency::new(),
        refused: 0,
        tracks,
    };
    for turn in 0.. {
        let due = run.schedule.due(turn);
        if run.is_past(due) {
            break;
        }
        let now = run.now();
        if let Some(early) = due.checked_sub(now) {
            std::thread::sleep(early);
        }
        let slot = run.schedule.slot(turn);
        let writer = usize::try_from(slot.track).ok();
        let Some(writer) = writer.and_then(|track| writers.get_mut(track)) else {
            break;
        };
        let timestamp = scale.from_duration(epoch + due);
        let is_last = slot.index + 1 == run.schedule.group_frames();
        sent.delay.add(run.now().saturating_sub(due));
        if !writer.write(
            slot.index == 0,
            is_last,
            timestamp,
            payload(due, frame_bytes),
        ) {
            sent.refused += 1;
        }
    }
    sent
}

impl Writer {
    /// Writes a frame, unless its group is gone.
    fn write(&mut self, is_first: bool, is_last: bool, timestamp: u64, payload: Bytes) -> bool {
        if is_first {
            self.open = self.track.append().ok();
        }
        let written = self
            .open
            .as_mut()
            .is_some_and(|group| group.append_at(timestamp, payload).is_ok());
        if !written {
            self.open = None;
        } else if is_last && let Some(group) = self.open.take() {
            group.finish();
        }
        written
    }
}

/// A frame that says when it was due.
fn payload(due: Duration, size: usize) -> Bytes {
    let mut payload = BytesMut::with_capacity(size);
    payload.put_u64(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX));
    payload.resize(size, 0);
    payload.freeze()
}

/// When a frame was due, by what it says.
pub(super) fn due(payload: &[u8]) -> Option<Duration> {
    let stamp = payload.first_chunk()?;
    Some(Duration::from_nanos(u64::from_be_bytes(*stamp)))
}

/// Microseconds.
pub(super) fn scale() -> Timescale {
    Timescale::new(1_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use moq_session::{BroadcastProducer, Start, Subscription, Track, TrackRead};

    use super::super::schedule::Schedule;
    use super::*;
    use crate::args::Shape;
    use crate::progress::Console;

    #[test]
    fn a_frame_says_when_it_was_due() {
        let at = Duration::from_nanos(1_234_567_890_123);
        let payload = payload(at, 9);
        assert_eq!((payload.len(), due(&payload)), (9, Some(at)));
        assert_eq!(due(&payload[..7]), None);
    }

    #[tokio::test]
    async fn groups_are_sent_whole_until_the_measured_ones_are_over() {
        let shape = Shape {
            publishers: 1,
            broadcasts: 1,
            tracks: 1,
            subscribers: 1,
            each: 1,
            fps: 1_000,
            frame_bytes: 20,
            group_frames: 4,
        };
        let run = Run::new(
            Schedule::new(&shape),
            Duration::MAX,
            Console::new(true).meter(),
        );
        let measured = run.measure(Duration::ZERO, Duration::from_millis(20), 0..1);
        let groups = run.schedule.groups(0, &measured);
        let broadcast = BroadcastProducer::new();
        let track = broadcast
            .create(Track::new("0").with_timescale(scale()))
            .unwrap();
        let mut reader = track
            .consume()
            .subscribe(Subscription::default().with_start(Start::OLDEST))
            .ordered();
        let sent = Pacer::start(Arc::new(run), vec![track], shape.frame_bytes).unwrap();
        let sent = sent.end().await.unwrap();
        assert_eq!(sent.refused, 0);
        assert!(sent.tracks.iter().all(|track| !track.is_closed()));
        for turn in 0..groups.end * 4 {
            let Ok(Some(TrackRead::Frame {
                group,
                index,
                frame,
            })) = reader.next().await
            else {
                panic!("a frame for turn {turn}");
            };
            assert_eq!((group * 4 + index as u64, frame.payload.len()), (turn, 20));
        }
    }
}
