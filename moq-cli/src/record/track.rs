//! One track, group by group.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use moq_media::recording::Record;
use moq_session::{
    Abort, GroupConsumer, GroupEnd, GroupRead, NextGroup, ReadError, Start, Subscription,
    TrackConsumer, TrackReader,
};

use super::tape::{Taken, Tape};

/// A track that is being recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) taken: Taken,
}

/// How a group ended here.
struct Ended {
    sequence: u64,
    frames: usize,
    end: GroupEnd,
}

impl Recorded {
    /// Records the track as far as it goes.
    pub(super) async fn record(
        mut self,
        track: TrackConsumer,
        start: Start,
        broadcast: u32,
        tape: &Tape,
    ) -> (Self, Result<(), ReadError>) {
        let start = self.taken.floor().map_or(start, Start::Floor);
        let reader = track.subscribe(Subscription::default().with_start(start));
        let ended = self.follow(&track, reader, broadcast, tape).await;
        (self, ended)
    }

    async fn follow(
        &mut self,
        track: &TrackConsumer,
        mut reader: TrackReader,
        broadcast: u32,
        tape: &Tape,
    ) -> Result<(), ReadError> {
        let info = track.info().await?;
        let number = self.taken.number;
        if !std::mem::replace(&mut self.taken.is_named, true) {
            let record = Record::Track {
                track: number,
                broadcast,
                name: self.name.clone(),
                priority: info.priority,
                max_age: info.max_age,
                timescale: info.timescale.units(),
            };
            tape.put(record).await;
        }
        let mut groups = FuturesUnordered::new();
        let mut ended = None;
        while ended.is_none() || !groups.is_empty() {
            tokio::select! {
                biased;
                Some(group) = groups.next(), if !groups.is_empty() => self.end(group, tape).await,
                next = reader.next(), if ended.is_none() => match next {
                    Ok(Some(NextGroup::Group(group))) => {
                        if let Some(frames) = self.taken.begin(group.sequence()) {
                            groups.push(read(number, group, frames, tape));
                        }
                    }
                    Ok(Some(NextGroup::Lost { groups, .. })) => {
                        let (first, end, at) = (groups.start, groups.end, tape.at());
                        tape.put(Record::Lost { track: number, first, end, at }).await;
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => ended = Some(Ok(())),
                    Err(error) => ended = Some(Err(error)),
                },
            }
        }
        ended.unwrap_or(Ok(()))
    }

    async fn end(&mut self, group: Ended, tape: &Tape) {
        let (sequence, track) = (group.sequence, self.taken.number);
        if group.end == GroupEnd::Aborted(Abort::SessionClosed) {
            self.taken.leave(sequence, group.frames);
            return;
        }
        let (at, is_whole) = (tape.at(), group.end == GroupEnd::Finished);
        let record = Record::GroupEnd {
            track,
            sequence,
            at,
            is_whole,
        };
        tape.put(record).await;
    }
}

/// Records the frames of a group behind those that are recorded.
async fn read(track: u32, mut group: GroupConsumer, recorded: usize, tape: &Tape) -> Ended {
    let sequence = group.sequence();
    if recorded == 0 {
        let at = tape.at();
        let record = Record::Group {
            track,
            sequence,
            at,
        };
        tape.put(record).await;
    }
    let mut frames = 0;
    loop {
        match group.next().await {
            GroupRead::Frame(frame) => {
                frames += 1;
                if frames <= recorded {
                    continue;
                }
                let record = Record::Frame {
                    track,
                    sequence,
                    at: tape.at(),
                    timestamp: frame.timestamp,
                    payload: frame.payload,
                };
                tape.put(record).await;
            }
            GroupRead::End(end) => {
                let frames = frames.max(recorded);
                return Ended {
                    sequence,
                    frames,
                    end,
                };
            }
        }
    }
}
