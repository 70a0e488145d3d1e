//! Decode times of fragments: unwrapped, in order, or a break.

use super::event::Break;
use super::fragment::{Start, TrackFragment};
use crate::timeline::Scale;

/// Where a track is.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) track: u32,
    scale: Scale,
    /// The track's last sample, if there was one since the last break.
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    /// `tfdt` of the last fragment, as written.
    start: Option<u64>,
    dts: i64,
    end: i64,
}

impl Clock {
    pub(super) fn new(track: u32, scale: Scale) -> Self {
        Self {
            track,
            scale,
            last: None,
        }
    }

    /// Where a fragment begins, without a look at other tracks.
    fn place(&self, start: Option<Start>) -> i64 {
        let end = self.last.map_or(0, |last| last.end);
        let Some(start) = start else {
            return end;
        };
        // Some muxers repeat the time of the fragment before.
        if self
            .last
            .is_some_and(|last| last.start == Some(start.ticks))
        {
            return end;
        }
        let ticks = i64::try_from(start.ticks).unwrap_or(i64::MAX);
        match self.last {
            Some(last) if start.is_short => unwrap(ticks, last.end, self.scale),
            _ => ticks,
        }
    }

    /// Takes a fragment's samples, which begin at `from`.
    fn advance(&mut self, fragment: &TrackFragment, from: i64) {
        let mut end = from;
        let mut dts = from;
        for slot in &fragment.samples {
            dts = end;
            end = end.saturating_add(slot.duration.into());
        }
        if !fragment.samples.is_empty() {
            let start = fragment.start.map(|start| start.ticks);
            self.last = Some(Last { start, dts, end });
        }
    }

    fn end_micros(&self) -> Option<i64> {
        self.last.map(|last| self.scale.micros(last.end))
    }
}

/// Undoes the wrap of a 32-bit field, if the result goes on where the track is.
fn unwrap(ticks: i64, expected: i64, scale: Scale) -> i64 {
    let rounds = (expected - ticks + WRAP / 2).div_euclid(WRAP);
    let unwrapped = ticks + rounds * WRAP;
    let gap = scale.micros((unwrapped - expected).saturating_abs());
    if rounds > 0 && gap <= JUMP {
        unwrapped
    } else {
        ticks
    }
}

/// Where the fragments of one `moof` begin, in the order given, and whether that breaks the time.
///
/// All tracks share a break: after it, each goes where its fragment says.
pub(super) fn place(
    clocks: &mut [Clock],
    fragments: &[TrackFragment],
) -> (Vec<i64>, Option<Break>) {
    let mut broke = find_break(clocks, fragments);
    if broke.is_some() {
        for clock in clocks.iter_mut() {
            clock.last = None;
        }
    }
    let mut places = Vec::with_capacity(fragments.len());
    for fragment in fragments {
        let clock = clocks
            .iter_mut()
            .find(|clock| clock.track == fragment.track);
        let place = clock.map_or(0, |clock| {
            let place = clock.place(fragment.start);
            clock.advance(fragment, place);
            place
        });
        places.push(place);
    }
    (places, broke.take())
}

fn find_break(clocks: &[Clock], fragments: &[TrackFragment]) -> Option<Break> {
    let mut jumps = Vec::new();
    for fragment in fragments
        .iter()
        .filter(|fragment| !fragment.samples.is_empty())
    {
        let clock = clocks.iter().find(|clock| clock.track == fragment.track)?;
        let Some(last) = clock.last else {
            continue;
        };
        let place = clock.place(fragment.start);
        // A sample that lasts no time leaves the next one where it was.
        let least = last.dts.saturating_add(i64::from(last.end > last.dts));
        if place < least {
            let track = fragment.track;
            return Some(Break::Back { track });
        }
        jumps.push((clock, place, last.end));
    }
    let furthest = clocks.iter().filter_map(Clock::end_micros).max()?;
    let started = clocks.iter().filter(|clock| clock.last.is_some()).count();
    let gap = |(clock, place, end): &(&Clock, i64, i64)| clock.scale.micros(place - end);
    let (least, most) = (jumps.iter().map(gap).min()?, jumps.iter().map(gap).max()?);
    // A gap that all tracks have is a gap of the programme, not a break of its time.
    let is_shared = jumps.len() == started && most - least < SHARED;
    let far = jumps
        .iter()
        .find(|(clock, place, _)| clock.scale.micros(*place) - furthest > JUMP);
    far.filter(|_| !is_shared)
        .map(|(clock, ..)| Break::Jump { track: clock.track })
}

const WRAP: i64 = 1 << 32;

/// A gap that is more than a pause, in microseconds.
const JUMP: i64 = 10_000_000;

/// How far gaps of tracks may differ and still be one, in microseconds.
const SHARED: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::super::fragment::Slot;
    use super::*;

    const SCALE: u32 = 90_000;

    fn clocks(tracks: u32) -> Vec<Clock> {
        let scale = Scale::new(SCALE).unwrap();
        (1..=tracks).map(|track| Clock::new(track, scale)).collect()
    }

    /// A fragment of one second.
    fn fragment(track: u32, start: Option<Start>) -> TrackFragment {
        let slot = Slot {
            at: 0,
            size: 1,
            duration: SCALE / 10,
            composition: 0,
            flags: 0,
        };
        TrackFragment {
            track,
            start,
            samples: vec![slot; 10],
        }
    }

    fn long(ticks: u64) -> Option<Start> {
        let is_short = false;
        Some(Start { ticks, is_short })
    }

    fn short(ticks: u64) -> Option<Start> {
        let is_short = true;
        Some(Start { ticks, is_short })
    }

    #[test]
    fn missing_and_repeated_times_go_on_at_the_end() {
        let mut clocks = clocks(1);
        for (start, expected) in [(None, 0), (long(90_000), 90_000), (long(90_000), 180_000)] {
            let (places, broke) = place(&mut clocks, &[fragment(1, start)]);
            assert_eq!((places, broke), (vec![expected], None));
        }
        assert_eq!(place(&mut clocks, &[fragment(1, None)]).0, [270_000]);
    }

    #[test]
    fn samples_that_last_no_time_do_not_break() {
        let mut clocks = clocks(1);
        let mut timeless = fragment(1, long(500));
        timeless.samples.truncate(1);
        timeless.samples[0].duration = 0;
        place(&mut clocks, &[timeless]);
        let (places, broke) = place(&mut clocks, &[fragment(1, long(500))]);
        assert_eq!((places, broke), (vec![500], None));
    }

    #[test]
    fn short_time_wraps_around() {
        let mut clocks = clocks(1);
        let near = (1 << 32) - 45_000;
        place(&mut clocks, &[fragment(1, short(near))]);
        let (places, broke) = place(&mut clocks, &[fragment(1, short(45_000))]);
        assert_eq!((places, broke), (vec![(1 << 32) + 45_000], None));
        let (places, broke) = place(&mut clocks, &[fragment(1, short(135_000))]);
        assert_eq!((places, broke), (vec![(1 << 32) + 135_000], None));
    }

    #[test]
    fn long_time_that_falls_is_a_break() {
        let mut clocks = clocks(1);
        let near = (1 << 32) - 45_000;
        place(&mut clocks, &[fragment(1, long(near))]);
        let (places, broke) = place(&mut clocks, &[fragment(1, long(45_000))]);
        assert_eq!(places, [45_000]);
        assert_eq!(broke, Some(Break::Back { track: 1 }));
    }

    #[test]
    fn restart_far_from_the_wrap_is_a_break() {
        let mut clocks = clocks(1);
        place(&mut clocks, &[fragment(1, short(4_000_000_000))]);
        let (places, broke) = place(&mut clocks, &[fragment(1, short(0))]);
        assert_eq!((places[0], broke), (0, Some(Break::Back { track: 1 })));
    }

    #[test]
    fn break_counts_once_for_all_tracks() {
        let mut clocks = clocks(2);
        let both = |ticks| [fragment(1, long(ticks)), fragment(2, long(ticks))];
        place(&mut clocks, &both(900_000));
        assert!(place(&mut clocks, &[fragment(1, long(0))]).1.is_some());
        assert!(place(&mut clocks, &[fragment(2, long(0))]).1.is_none());
        assert!(place(&mut clocks, &both(90_000)).1.is_none());
    }

    #[test]
    fn jump_breaks_unless_it_is_shared() {
        let mut clocks = clocks(2);
        let both = |ticks| [fragment(1, long(ticks)), fragment(2, long(ticks + 100))];
        place(&mut clocks, &both(0));
        let later = 60 * u64::from(SCALE);
        assert_eq!(place(&mut clocks, &both(later)).1, None);
        let (_, broke) = place(&mut clocks, &[fragment(2, long(2 * later))]);
        assert_eq!(broke, Some(Break::Jump { track: 2 }));
    }

    #[test]
    fn track_that_catches_up_with_the_others_does_not_break() {
        let mut clocks = clocks(2);
        place(&mut clocks, &[fragment(1, long(0)), fragment(2, long(0))]);
        for second in 1..30 {
            place(&mut clocks, &[fragment(1, long(second * 90_000))]);
        }
        assert_eq!(
            place(&mut clocks, &[fragment(2, long(30 * 90_000))]).1,
            None
        );
    }
}
