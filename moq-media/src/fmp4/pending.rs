//! A fragment whose samples have not all come.

use std::cmp::Ordering;
use std::sync::Arc;

use super::boxes::{Kind, Part};
use super::error::{BoxError, Problem};
use super::event::Sample;
use super::fragment::{Slot, TrackFragment};
use super::init::Init;
use super::rope::Pieces;
use crate::timeline::Scale;

/// Samples of a `moof` that wait for their bytes, in the order of their decode times.
#[derive(Debug)]
pub(super) struct Pending {
    kind: Kind,
    offset: u64,
    waiting: Vec<Waiting>,
    is_good: bool,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    track: u32,
    scale: Scale,
    dts: i64,
    slot: Slot,
}

impl Pending {
    /// The samples of `fragments`, which begin at `places` in ticks of their tracks; `is_broken` if
    /// other tracks of the fragment can't be used.
    pub(super) fn new(
        moof: &Part<'_>,
        init: &Arc<Init>,
        fragments: Vec<TrackFragment>,
        places: &[i64],
        is_broken: bool,
    ) -> Self {
        let mut waiting = Vec::new();
        for (fragment, place) in fragments.into_iter().zip(places) {
            let Some(track) = init.tracks.iter().find(|track| track.id == fragment.track) else {
                continue;
            };
            let mut dts = place.saturating_sub(track.edit);
            for slot in fragment.samples {
                waiting.push(Waiting {
                    track: track.id,
                    scale: track.scale,
                    dts,
                    slot,
                });
                dts = dts.saturating_add(slot.duration.into());
            }
        }
        waiting.sort_by(Waiting::by_time);
        Self {
            kind: moof.kind,
            offset: moof.offset,
            is_good: !is_broken && !waiting.is_empty(),
            waiting,
        }
    }

    /// Takes the samples whose bytes lie in `pieces`, which begin at `offset` in the input; and the
    /// tracks that have samples without bytes, which are dropped.
    ///
    /// Samples that share bytes are taken until they have as many as there are: copies of them could
    /// be any number of times as large as the input.
    pub(super) fn take(&mut self, offset: u64, pieces: &Pieces) -> (Vec<Sample>, Vec<u32>) {
        let (mut found, mut empty) = (Vec::new(), Vec::new());
        let mut left = pieces.len();
        self.waiting.retain(|waiting| {
            if waiting.slot.size == 0 {
                if !empty.contains(&waiting.track) {
                    empty.push(waiting.track);
                }
                return false;
            }
            let sample = waiting.sample(offset, pieces);
            let sample = sample.filter(|sample| sample.payload.len() <= left);
            left -= sample.as_ref().map_or(0, |sample| sample.payload.len());
            let is_found = sample.is_some();
            found.extend(sample);
            !is_found
        });
        (found, empty)
    }

    /// How many samples wait for their bytes.
    pub(super) fn missing(&self) -> usize {
        let waiting = self.waiting.iter().filter(|waiting| waiting.slot.size > 0);
        waiting.count()
    }

    /// The tracks whose samples wait.
    pub(super) fn tracks(&self) -> Vec<u32> {
        let mut tracks: Vec<u32> = self.waiting.iter().map(|waiting| waiting.track).collect();
        tracks.sort_unstable();
        tracks.dedup();
        tracks
    }

    /// Whether it has samples, and no track of it was broken.
    pub(super) fn is_good(&self) -> bool {
        self.is_good
    }

    pub(super) fn error(&self, problem: Problem) -> BoxError {
        BoxError::new(self.kind, self.offset, problem)
    }
}

impl Waiting {
    fn sample(&self, offset: u64, pieces: &Pieces) -> Option<Sample> {
        let start = usize::try_from(self.slot.at.checked_sub(offset)?).ok()?;
        let end = start.checked_add(usize::try_from(self.slot.size).ok()?)?;
        let payload = pieces.slice(start, end)?;
        Some(Sample {
            track: self.track,
            dts: self.dts,
            pts: self.dts.saturating_add(self.slot.composition),
            duration: self.slot.duration,
            is_key: self.slot.is_key(),
            payload,
        })
    }

    fn by_time(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.scale.ticks(), other.scale.ticks());
        let left = i128::from(self.dts) * i128::from(theirs);
        left.cmp(&(i128::from(other.dts) * i128::from(ours)))
    }
}
