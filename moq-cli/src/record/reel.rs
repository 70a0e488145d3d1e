//! What the next of several files has to begin with, so that it can be read alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use moq_media::catalog::TRACK;
use moq_media::recording::Record;

/// Follows what is recorded.
#[derive(Debug, Default)]
pub(super) struct Reel {
    /// Broadcasts and tracks.
    named: Vec<Record>,
    ended: Vec<Record>,
    /// Tracks that say what the others are.
    catalogs: BTreeSet<u32>,
    /// The newest group of each of them.
    newest: BTreeMap<u32, Copied>,
    /// Groups that have begun and not ended, with how many frames of them are recorded.
    open: BTreeMap<(u32, u64), u64>,
    /// Bytes by track.
    bytes: BTreeMap<u32, u64>,
}

/// A group that every file has.
#[derive(Debug)]
struct Copied {
    sequence: u64,
    frames: Vec<(u64, Bytes)>,
    /// Whether it is whole, once it has ended.
    ended: Option<bool>,
}

impl Reel {
    /// Takes notice of a record.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Broadcast { .. } => self.named.push(record.clone()),
            Record::Track { track, name, .. } => {
                self.named.push(record.clone());
                if name == TRACK {
                    self.catalogs.insert(*track);
                }
            }
            Record::TrackEnd { .. } => self.ended.push(record.clone()),
            Record::Group {
                track, sequence, ..
            } => self.begin(*track, *sequence),
            Record::Frame {
                track,
                sequence,
                timestamp,
                payload,
                ..
            } => {
                if !self.catalogs.contains(track) {
                    *self.bytes.entry(*track).or_default() += payload.len() as u64;
                }
                if let Some(frames) = self.open.get_mut(&(*track, *sequence)) {
                    *frames += 1;
                }
                if let Some(copied) = self.copied(*track, *sequence) {
                    copied.frames.push((*timestamp, payload.clone()));
                }
            }
            Record::GroupEnd {
                track,
                sequence,
                is_whole,
                ..
            } => {
                self.open.remove(&(*track, *sequence));
                if let Some(copied) = self.copied(*track, *sequence) {
                    copied.ended = Some(*is_whole);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, track: u32, sequence: u64) {
        self.open.insert((track, sequence), 0);
        if self.open.len() > MAX_OPEN {
            self.open.pop_first();
        }
        let former = self.newest.get(&track);
        let is_newest = former.is_none_or(|former| former.sequence < sequence);
        if is_newest && self.catalogs.contains(&track) {
            let copied = Copied {
                sequence,
                frames: Vec::new(),
                ended: None,
            };
            self.newest.insert(track, copied);
        }
    }

    fn copied(&mut self, track: u32, sequence: u64) -> Option<&mut Copied> {
        let newest = self.newest.get_mut(&track)?;
        (newest.sequence == sequence).then_some(newest)
    }

    /// Whether a file should rather end before this record than before another: a group of the track that
    /// has most bytes begins, which is the picture where there is one.
    pub(super) fn is_border(&self, record: &Record) -> bool {
        let Record::Group { track, .. } = record else {
            return false;
        };
        let most = self.bytes.values().max();
        self.bytes.get(track) == most
    }

    /// The records with which the next file begins, behind its start.
    pub(super) fn beginning(&self, number: u32, at: Duration) -> Vec<Record> {
        let mut records = vec![Record::Part { number, at }];
        records.extend_from_slice(&self.named);
        for (track, copied) in &self.newest {
            copied.tell(*track, at, &mut records);
        }
        for ((track, sequence), first) in &self.open {
            let is_copied = self.newest.get(track).map(|newest| newest.sequence);
            if is_copied != Some(*sequence) {
                let (track, sequence, first) = (*track, *sequence, *first);
                records.push(Record::GroupAgain {
                    track,
                    sequence,
                    at,
                    first,
                });
            }
        }
        records.extend_from_slice(&self.ended);
        records
    }
}

impl Copied {
    fn tell(&self, track: u32, at: Duration, records: &mut Vec<Record>) {
        let sequence = self.sequence;
        records.push(Record::GroupAgain {
            track,
            sequence,
            at,
            first: 0,
        });
        for (timestamp, payload) in &self.frames {
            records.push(Record::Frame {
                track,
                sequence,
                at,
                timestamp: *timestamp,
                payload: payload.clone(),
            });
        }
        if let Some(is_whole) = self.ended {
            records.push(Record::GroupEnd {
                track,
                sequence,
                at,
                is_whole,
            });
        }
    }
}

/// Groups beyond it do not go on in the next file.
const MAX_OPEN: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn group(track: u32, sequence: u64) -> Record {
        let at = Duration::ZERO;
        Record::Group {
            track,
            sequence,
            at,
        }
    }

    fn frame(track: u32, sequence: u64, len: usize) -> Record {
        Record::Frame {
            track,
            sequence,
            at: Duration::ZERO,
            timestamp: 5,
            payload: vec![0; len].into(),
        }
    }

    fn track(track: u32, name: &str) -> Record {
        Record::Track {
            track,
            broadcast: 0,
            name: name.to_owned(),
            priority: 0,
            max_age: Duration::ZERO,
            timescale: 1,
        }
    }

    #[test]
    fn the_next_file_has_the_catalog_and_goes_on_with_open_groups() {
        let mut reel = Reel::default();
        let end = Record::GroupEnd {
            track: 1,
            sequence: 3,
            at: Duration::ZERO,
            is_whole: true,
        };
        let records = [
            track(1, TRACK),
            track(2, "video0"),
            group(1, 2),
            group(1, 3),
            frame(1, 3, 1),
            end.clone(),
            group(2, 7),
            frame(2, 7, 9),
            frame(2, 7, 9),
            group(2, 8),
        ];
        for record in &records {
            reel.note(record);
        }
        let at = Duration::ZERO;
        let again = |track, sequence, first| Record::GroupAgain {
            track,
            sequence,
            at,
            first,
        };
        let expected = vec![
            Record::Part { number: 2, at },
            track(1, TRACK),
            track(2, "video0"),
            again(1, 3, 0),
            frame(1, 3, 1),
            end,
            again(1, 2, 0),
            again(2, 7, 2),
            again(2, 8, 0),
        ];
        assert_eq!(reel.beginning(2, at), expected);
        assert!(reel.is_border(&group(2, 9)) && !reel.is_border(&group(1, 4)));
        assert!(!reel.is_border(&frame(2, 8, 1)));
    }
}
