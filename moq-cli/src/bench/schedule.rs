//! When frames are due.

use std::ops::Range;
use std::time::Duration;

use crate::args::Shape;

/// When each frame of each track is due, counted from the start; tracks take turns, evenly spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    tracks: u64,
    fps: u64,
    group_frames: u64,
}

/// A frame's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) track: u64,
    /// Within its group.
    pub(super) index: u64,
}

impl Schedule {
    pub(super) fn new(shape: &Shape) -> Self {
        Self {
            tracks: tracks(shape),
            fps: shape.fps.into(),
            group_frames: shape.group_frames.into(),
        }
    }

    /// Frames of a whole group.
    pub(super) fn group_frames(&self) -> u64 {
        self.group_frames
    }

    /// From the first frame of a group to the first of the next.
    pub(super) fn group_duration(&self) -> Duration {
        nanos(u128::from(self.group_frames) * SECOND / u128::from(self.fps))
    }

    /// Which frame is the `turn`th of all, from 0.
    pub(super) fn slot(&self, turn: u64) -> Slot {
        Slot {
            track: turn % self.tracks,
            index: turn / self.tracks % self.group_frames,
        }
    }

    /// When the `turn`th frame of all is due.
    pub(super) fn due(&self, turn: u64) -> Duration {
        nanos(u128::from(turn) * SECOND / u128::from(self.fps * self.tracks))
    }

    /// The groups of a track that begin within this time.
    pub(super) fn groups(&self, track: u64, time: &Range<Duration>) -> Range<u64> {
        self.first_group(track, time.start)..self.first_group(track, time.end)
    }

    /// The first group of a track that begins then or later.
    fn first_group(&self, track: u64, at: Duration) -> u64 {
        let turns_per_group = self.tracks * self.group_frames;
        // The first turn that is due then or later.
        let turn = (at.as_nanos() * u128::from(self.fps * self.tracks)).div_ceil(SECOND);
        let turn = u64::try_from(turn).unwrap_or(u64::MAX);
        turn.saturating_sub(track).div_ceil(turns_per_group)
    }
}

/// How many tracks there are in all.
pub(super) fn tracks(shape: &Shape) -> u64 {
    u64::from(shape.publishers) * u64::from(shape.broadcasts) * u64::from(shape.tracks)
}

/// The tracks that a subscriber takes: all tracks of broadcasts in turn.
pub(super) fn taken(shape: &Shape, subscriber: u32) -> impl Iterator<Item = u64> + use<> {
    let broadcasts = u64::from(shape.publishers) * u64::from(shape.broadcasts);
    let (each, tracks) = (u64::from(shape.each), u64::from(shape.tracks));
    let first = u64::from(subscriber) * each;
    (first..first + each).flat_map(move |turn| {
        let broadcast = turn % broadcasts;
        broadcast * tracks..(broadcast + 1) * tracks
    })
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape {
            publishers: 2,
            broadcasts: 2,
            tracks: 1,
            subscribers: 3,
            each: 1,
            fps: 10,
            frame_bytes: 8,
            group_frames: 5,
        }
    }

    #[test]
    fn tracks_take_turns_evenly() {
        let schedule = Schedule::new(&shape());
        assert_eq!(schedule.due(1), Duration::from_millis(25));
        assert_eq!(schedule.due(4), Duration::from_millis(100));
        assert_eq!(schedule.slot(6), Slot { track: 2, index: 1 });
        assert_eq!(schedule.slot(20), Slot { track: 0, index: 0 });
        assert_eq!(schedule.group_duration(), Duration::from_millis(500));
    }

    #[test]
    fn measured_groups_are_those_that_begin_in_time() {
        let schedule = Schedule::new(&shape());
        let time = Duration::from_millis(1_000)..Duration::from_millis(2_000);
        assert_eq!(schedule.groups(0, &time), 2..4);
        // Its group 2 begins 25 ms later.
        assert_eq!(schedule.groups(1, &time), 2..4);
        let later = Duration::from_millis(1_001)..Duration::from_millis(2_001);
        assert_eq!(schedule.groups(0, &later), 3..5);
        assert_eq!(schedule.groups(1, &later), 2..4);
    }

    #[test]
    fn the_groups_of_all_seconds_are_all_groups() {
        let schedule = Schedule::new(&Shape {
            fps: 7,
            group_frames: 3,
            ..shape()
        });
        for track in 0..4 {
            let seconds = (0..30).map(Duration::from_secs);
            let counts = seconds.map(|at| {
                let groups = schedule.groups(track, &(at..at + Duration::from_secs(1)));
                groups.end - groups.start
            });
            assert_eq!(counts.sum::<u64>(), 70, "track {track}");
        }
    }

    #[test]
    fn subscribers_share_the_broadcasts_evenly() {
        let shape = Shape {
            tracks: 2,
            each: 3,
            ..shape()
        };
        assert_eq!(taken(&shape, 0).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(taken(&shape, 1).collect::<Vec<_>>(), [6, 7, 0, 1, 2, 3]);
    }
}
