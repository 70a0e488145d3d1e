//! What boxes mean: tracks, samples, and what is wrong.

use std::sync::Arc;

use bytes::Bytes;

use super::super::boxes::Part;
use super::super::error::{BoxError, DemuxError, Problem};
use super::super::event::{Break, Event, Note};
use super::super::fragment::{TrackFragment, read_fragment};
use super::super::init::Init;
use super::super::pending::Pending;
use super::super::times::{self, Clock};
use super::{BEFORE_INIT, Demuxer};

impl Demuxer {
    pub(super) fn moov(&mut self, whole: &Bytes, part: &Part<'_>) -> Result<bool, DemuxError> {
        if self.moov == *whole {
            return Ok(true);
        }
        if Init::has_index(part)? {
            let (kind, offset) = (part.kind, part.offset);
            return Err(DemuxError::NotFragmented { kind, offset });
        }
        self.close_fragment(true)?;
        let init = Arc::new(Init::of_moov(whole, part, &self.limits)?);
        if self.init.is_some() {
            self.events.push_back(Event::Discontinuity(Break::NewInit));
        }
        let clocks = init
            .tracks
            .iter()
            .map(|track| Clock::new(track.id, track.scale));
        self.clocks = clocks.collect();
        self.moov = whole.clone();
        self.init = Some(init.clone());
        self.events.push_back(Event::Init(init));
        Ok(true)
    }

    pub(super) fn moof(&mut self, part: &Part<'_>) -> Result<bool, DemuxError> {
        self.close_fragment(true)?;
        let Some(init) = self.init.clone() else {
            self.note(BEFORE_INIT, Note::BeforeInit);
            return Ok(true);
        };
        let defaults = |id| {
            let track = init.tracks.iter().find(|track| track.id == id);
            track.map(|track| track.defaults)
        };
        let (trafs, unknown) = match read_fragment(part, self.limits.samples, defaults) {
            Ok(found) => found,
            Err(error) => return self.broken(error, Vec::new()),
        };
        for id in unknown {
            let is_known = init.skipped.iter().any(|(skipped, _)| *skipped == id);
            if !is_known {
                self.note((1, id), Note::UnknownTrack(id));
            }
        }
        let mut fragments = Vec::new();
        let mut is_broken = false;
        for traf in trafs {
            match traf.and_then(|traf| plausible(traf, &init, part)) {
                Ok(fragment) => fragments.push(fragment),
                // However many tracks are broken, it is one fragment.
                Err((track, error)) if is_broken => {
                    let tracks = vec![track];
                    self.events.push_back(Event::Broken { error, tracks });
                }
                Err((track, error)) => {
                    is_broken = true;
                    self.broken(error, vec![track])?;
                }
            }
        }
        let (places, broke) = times::place(&mut self.clocks, &fragments);
        self.events.extend(broke.map(Event::Discontinuity));
        self.pending = Some(Pending::new(part, &init, fragments, &places, is_broken));
        // A fragment may be empty, and have no mdat.
        Ok(true)
    }

    /// Tells the samples that lie in the `mdat` whose body is next.
    pub(super) fn mdat(&mut self, body: usize) {
        let offset = self.rope.offset();
        let pieces = self.rope.take(body);
        let Some(pending) = &mut self.pending else {
            return;
        };
        let (samples, empty) = pending.take(offset, &pieces);
        self.events.extend(samples.into_iter().map(Event::Sample));
        for track in empty {
            self.note((2, track), Note::EmptySample(track));
        }
    }

    /// Ends the fragment that waits, if it has all samples or no more `mdat` can come.
    pub(super) fn close_fragment(&mut self, is_over: bool) -> Result<bool, DemuxError> {
        let missing = self.pending.as_ref().map(Pending::missing);
        match missing {
            None => {}
            Some(0) => {
                let pending = self.pending.take();
                if pending.is_some_and(|pending| pending.is_good()) {
                    self.broken_in_row = 0;
                }
                self.events.push_back(Event::FragmentEnd);
            }
            Some(missing) if is_over => {
                if let Some(pending) = self.pending.take() {
                    let error = pending.error(Problem::Samples { missing });
                    self.broken(error, pending.tracks())?;
                    self.events.push_back(Event::FragmentEnd);
                }
            }
            Some(_) => {}
        }
        Ok(true)
    }

    /// Tells of a broken fragment, and gives up after too many in a row.
    pub(super) fn broken(&mut self, error: BoxError, tracks: Vec<u32>) -> Result<bool, DemuxError> {
        self.broken_in_row += 1;
        if self.broken_in_row >= self.limits.broken {
            let count = self.broken_in_row;
            return Err(DemuxError::Broken { count, last: error });
        }
        self.events.push_back(Event::Broken { error, tracks });
        Ok(true)
    }

    pub(super) fn note(&mut self, key: (u8, u32), note: Note) {
        if self.noted.len() < MAX_NOTES && self.noted.insert(key) {
            self.events.push_back(Event::Note(note));
        }
    }

    /// Gives up the fragment that waits; its tracks.
    pub(super) fn abandon(&mut self) -> Vec<u32> {
        let pending = self.pending.take();
        pending.map_or_else(Vec::new, |pending| pending.tracks())
    }
}

/// The samples of a track, if their time is not damaged.
fn plausible(
    traf: TrackFragment,
    init: &Init,
    moof: &Part<'_>,
) -> Result<TrackFragment, (u32, BoxError)> {
    let track = init.tracks.iter().find(|track| track.id == traf.track);
    let Some((track, start)) = track.zip(traf.start) else {
        return Ok(traf);
    };
    let ticks = i64::try_from(start.ticks).unwrap_or(i64::MAX);
    if track.scale.is_plausible(ticks) {
        return Ok(traf);
    }
    let error = moof.error(Problem::Field {
        field: "baseMediaDecodeTime",
        expected: "less than 285 years",
        found: start.ticks,
    });
    Err((traf.track, error))
}

const MAX_NOTES: usize = 256;
