//! Events → outputs.

use std::time::Duration;

use super::bitstream::{self, is_in_band};
use super::catalog;
use super::config::{Format, PackagerConfig};
use super::output::{Notice, Opened, Output, TrackStats};
use super::queue::Queue;
use super::track::Track;
use crate::catalog::Catalog;
use crate::error::ImportError;
use crate::fmp4::{Break, Event, Init, Note, Sample, TrackInit};
use crate::timeline::Anchor;

/// Decides what is published of an input.
#[derive(Debug)]
pub struct Packager {
    pub(super) config: PackagerConfig,
    pub(super) tracks: Vec<Track>,
    pub(super) anchor: Anchor,
    pub(super) outputs: Queue,
    /// How many tracks were opened, and how many of them were video.
    opened: usize,
    opened_video: usize,
    /// The catalog that was told, and up to where the broadcast reached then.
    pub(super) told: Option<Catalog>,
    pub(super) told_at: i64,
    now: Duration,
}

impl Packager {
    /// A packager that was told nothing.
    #[must_use]
    pub fn new(config: PackagerConfig) -> Self {
        Self {
            config,
            tracks: Vec::new(),
            anchor: Anchor::new([]),
            outputs: Queue::default(),
            opened: 0,
            opened_video: 0,
            told: None,
            told_at: 0,
            now: Duration::ZERO,
        }
    }

    /// Takes an event. `now` is the caller's time since any moment it likes, so that a break of the
    /// input's time takes as long in the broadcast; a file says 0 throughout.
    ///
    /// # Errors
    /// [`ImportError`] when nothing more can be published.
    pub fn push(&mut self, event: Event, now: Duration) -> Result<(), ImportError> {
        self.now = now;
        match event {
            Event::Init(init) => self.init(&init),
            Event::Sample(sample) => self.sample(sample),
            Event::FragmentEnd => {
                for track in &mut self.tracks {
                    track.end_fragment(&mut self.outputs)?;
                }
                self.update_catalog();
                Ok(())
            }
            Event::Discontinuity(reason) => self.break_time(reason),
            Event::Broken { error, tracks } => {
                let is_hit =
                    |track: &&mut Track| tracks.is_empty() || tracks.contains(&track.init.id);
                for track in self.tracks.iter_mut().filter(is_hit) {
                    track.cut(&mut self.outputs)?;
                }
                self.notice(Notice::Broken(error));
                Ok(())
            }
            Event::Damaged(error) => {
                let is_hit = |track: &&mut Track| error.track.is_none_or(|id| id == track.init.id);
                for track in self.tracks.iter_mut().filter(is_hit) {
                    track.cut(&mut self.outputs)?;
                }
                self.notice(Notice::Damaged(error));
                Ok(())
            }
            Event::Note(note) => {
                self.notice(match note {
                    Note::UnknownTrack(id) => Notice::UnknownTrack(id),
                    Note::BeforeInit => Notice::BeforeInit,
                    Note::EmptySample(id) => Notice::EmptySamples(id),
                });
                Ok(())
            }
        }
    }

    /// The next thing to publish.
    pub fn pop(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// When the next thing is to be published, in the broadcast's time; `None` if there is nothing.
    /// What is no frame is due at once.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.outputs.next_due()
    }

    /// Whether to push more input before waiting for [`next_due`](Self::next_due): a track has no
    /// frame queued, and less than ten seconds of the other tracks are.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        let mut tracks = self.tracks.iter();
        let lacks_one = tracks.any(|track| !self.outputs.has_frame(track.number));
        (self.tracks.is_empty() || lacks_one) && self.outputs.span() < MOST_AHEAD
    }

    /// The input has ended, well or not: all tracks end.
    ///
    /// # Errors
    /// [`ImportError`] when a last frame can't be written.
    pub fn finish(&mut self) -> Result<(), ImportError> {
        if self.told.is_none() && !self.tracks.is_empty() {
            self.tell_catalog();
        }
        for track in &mut self.tracks {
            track.finish(&mut self.outputs)?;
        }
        self.tracks.clear();
        Ok(())
    }

    /// What was published of the tracks that live.
    pub fn stats(&self) -> impl Iterator<Item = &TrackStats> {
        self.tracks.iter().map(|track| &track.stats)
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_notice(notice);
    }

    /// Takes the tracks of a `moov`. A track whose decoder goes on keeps its name; one whose decoder
    /// has to be made anew gets another, because that is how players notice.
    fn init(&mut self, init: &Init) -> Result<(), ImportError> {
        for (track, reason) in &init.skipped {
            let (track, reason) = (*track, reason.clone());
            self.notice(Notice::LeftOut { track, reason });
        }
        for track in init.tracks.iter().filter(|track| track.has_more_edits) {
            self.notice(Notice::MoreEdits(track.id));
        }
        if init.tracks.is_empty() {
            let reasons = init
                .skipped
                .iter()
                .map(|(id, reason)| format!("track {id}: {reason}"));
            let reasons: Vec<_> = reasons.collect();
            return Err(ImportError::NoTracks(reasons.join("; ")));
        }
        let is_first = self.told.is_none() && self.tracks.is_empty();
        let mut old = std::mem::take(&mut self.tracks);
        for described in &init.tracks {
            let is_video = described.entry.config.media.is_video();
            let same = old.iter().position(|track| track.is_video() == is_video);
            let former = same.map(|at| old.remove(at));
            let track = self.track(described, former)?;
            self.tracks.push(track);
        }
        for mut track in old {
            track.finish(&mut self.outputs)?;
        }
        let scales = self.tracks.iter().map(|track| track.init.scale);
        self.anchor.reset(scales);
        if !is_first {
            self.tell_catalog();
        }
        Ok(())
    }

    fn track(
        &mut self,
        described: &TrackInit,
        former: Option<Track>,
    ) -> Result<Track, ImportError> {
        let described = &match self.config.format {
            Format::Cmaf => bitstream::out_of_band(described),
            Format::Legacy | Format::Loc => described.clone(),
        };
        let segment = catalog::init_of(described)?;
        if let Some(mut track) = former {
            if self.goes_on(&track.init, described) {
                track.describe(described.clone(), segment);
                return Ok(track);
            }
            track.finish(&mut self.outputs)?;
        }
        let is_video = described.entry.config.media.is_video();
        let (number, video) = (self.opened, self.opened_video);
        let name = if is_video {
            format!("video{video}")
        } else {
            format!("audio{}", number - video)
        };
        self.opened += 1;
        self.opened_video += usize::from(is_video);
        let PackagerConfig {
            format,
            audio_group,
        } = self.config;
        let track = Track::new(
            number,
            name.clone(),
            described.clone(),
            segment,
            format,
            audio_group,
        );
        let opened = Opened {
            track: number,
            name,
            is_video,
            scale: track.wire_scale(),
            priority: if is_video {
                VIDEO_PRIORITY
            } else {
                AUDIO_PRIORITY
            },
        };
        self.outputs.push(number, Output::Open(opened));
        Ok(track)
    }

    /// Whether a decoder for `old` goes on with frames of `new`.
    fn goes_on(&self, old: &TrackInit, new: &TrackInit) -> bool {
        if self.config.format == Format::Cmaf {
            return old.scale == new.scale && old.entry == new.entry;
        }
        let is_in_band = is_in_band(old.entry.kind) && old.entry.kind == new.entry.kind;
        is_in_band || old.entry.config == new.entry.config
    }

    fn sample(&mut self, sample: Sample) -> Result<(), ImportError> {
        let of_track = |track: &Track| track.init.id == sample.track;
        let Some(at) = self.tracks.iter().position(of_track) else {
            return Ok(());
        };
        if self.goes_back(&self.tracks[at], &sample) {
            let track = sample.track;
            self.break_time(Break::Back { track })?;
        }
        if !self.anchor.is_set() {
            let earliest = self.earliest(&self.tracks[at], &sample);
            self.anchor.start(earliest, self.now);
        }
        let track = &mut self.tracks[at];
        track.sample(sample, &self.anchor, &mut self.outputs)?;
        let end = i64::try_from(track.stats.end.as_micros()).unwrap_or(i64::MAX);
        self.anchor.reached(end, self.now);
        Ok(())
    }

    /// Whether a sample would be published before one that is there, which players take for a rewind.
    fn goes_back(&self, track: &Track, sample: &Sample) -> bool {
        let dts = self.anchor.place(track.init.scale, sample.dts);
        self.anchor.is_set() && track.last.is_some_and(|last| dts < last)
    }

    /// The earliest time that any track can have around its first sample, in microseconds: tracks
    /// begin together before their edit lists.
    fn earliest(&self, track: &Track, sample: &Sample) -> i64 {
        let scale = track.init.scale;
        let written = scale.micros(sample.dts.min(sample.pts).saturating_add(track.init.edit));
        let edits = self
            .tracks
            .iter()
            .map(|track| track.init.scale.micros(track.init.edit));
        written.saturating_sub(edits.max().unwrap_or(0))
    }

    fn break_time(&mut self, reason: Break) -> Result<(), ImportError> {
        for track in &mut self.tracks {
            track.break_time(&mut self.outputs)?;
        }
        let scales = self.tracks.iter().map(|track| track.init.scale);
        self.anchor.reset(scales);
        self.notice(Notice::Discontinuity(reason));
        Ok(())
    }
}

/// How much of some tracks may wait for the others.
const MOST_AHEAD: Duration = Duration::from_secs(10);

const VIDEO_PRIORITY: u8 = 60;

const AUDIO_PRIORITY: u8 = 80;
