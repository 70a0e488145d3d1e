//! One track: which samples make a group, and how they are wrapped.

use std::time::Duration;

use bytes::Bytes;

use super::bitstream::{self, KeyFrames};
use super::config::Format;
use super::output::{Notice, Output, TrackStats};
use super::queue::Queue;
use super::rate::Rate;
use crate::container::{cmaf, legacy, loc};
use crate::error::ImportError;
use crate::fmp4::{FragmentSample, Sample, TrackInit};
use crate::payload::Payload;
use crate::timeline::{Anchor, AudioGroups, Jitter, Scale, Step, VideoGroups};

/// A track that is being published.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) init: TrackInit,
    /// Its initialization segment, for `cmaf`.
    pub(super) segment: Bytes,
    pub(super) jitter: Jitter,
    pub(super) rate: Rate,
    pub(super) stats: TrackStats,
    pub(super) format: Format,
    pub(super) video: VideoGroups,
    pub(super) audio: AudioGroups,
    keys: KeyFrames,
    pub(super) is_open: bool,
    has_waited: bool,
    group_start: i64,
    has_long_group: bool,
    /// Samples of the `cmaf` frame in the making, and when the first is decoded and shown first.
    waiting: Vec<FragmentSample>,
    waiting_start: i64,
    waiting_shown: i64,
    sequence: u32,
    /// Decode times of the fragment's samples, from the first to the end of the last.
    fragment: Option<(i64, i64)>,
    /// When its last sample is decoded, in ticks of the broadcast's time.
    pub(super) last: Option<i64>,
    /// Up to where it reaches, likewise.
    pub(super) end: i64,
}

impl Track {
    pub(super) fn new(
        number: usize,
        name: String,
        init: TrackInit,
        segment: Bytes,
        format: Format,
        audio_group: Duration,
    ) -> Self {
        let stats = TrackStats {
            name: name.clone(),
            codec: init.entry.config.codec.clone(),
            size: init.entry.config.media.size(),
            ..TrackStats::default()
        };
        Self {
            number,
            name,
            init,
            segment,
            jitter: Jitter::default(),
            rate: Rate::default(),
            stats,
            format,
            video: VideoGroups::default(),
            audio: AudioGroups::new(audio_group),
            keys: KeyFrames::default(),
            is_open: false,
            has_waited: false,
            group_start: 0,
            has_long_group: false,
            waiting: Vec::new(),
            waiting_start: 0,
            waiting_shown: 0,
            sequence: 0,
            fragment: None,
            last: None,
            end: 0,
        }
    }

    pub(super) fn is_video(&self) -> bool {
        self.init.entry.config.media.is_video()
    }

    /// The unit of the frames' timestamps.
    pub(super) fn wire_scale(&self) -> Scale {
        match self.format {
            Format::Cmaf => self.init.scale,
            Format::Legacy | Format::Loc => Scale::MICROS,
        }
    }

    /// Publishes a sample, or leaves it out.
    pub(super) fn sample(
        &mut self,
        sample: Sample,
        anchor: &Anchor,
        outputs: &mut Queue,
    ) -> Result<(), ImportError> {
        let scale = self.init.scale;
        let dts = anchor.place(scale, sample.dts);
        let pts = anchor.place(scale, sample.pts);
        let end = dts.saturating_add(sample.duration.into());
        self.last = Some(dts);
        self.measure(&sample, dts, pts, end);
        let (step, is_key) = self.step(&sample, scale.micros(pts));
        match step {
            Step::Drop => {
                self.stats.dropped += 1;
                if !self.has_waited {
                    let name = self.name.clone();
                    outputs.push_notice(Notice::WaitsForKey { name });
                }
                self.has_waited = true;
                return Ok(());
            }
            Step::Begin => self.begin(scale.micros(dts), outputs)?,
            Step::Continue => {}
        }
        if self.stats.samples == 0 {
            self.stats.start = duration(scale.micros(pts));
        }
        self.stats.samples += 1;
        self.stats.bytes += sample.payload.len() as u64;
        self.end = self.end.max(pts.saturating_add(sample.duration.into()));
        self.stats.end = duration(scale.micros(self.end));
        match self.format {
            Format::Cmaf => {
                self.wait(sample, dts, pts, is_key);
                Ok(())
            }
            Format::Legacy | Format::Loc => self.frame(&sample, dts, pts, is_key, outputs),
        }
    }

    fn measure(&mut self, sample: &Sample, dts: i64, pts: i64, end: i64) {
        let scale = self.init.scale;
        let micros = scale.micros(sample.duration.into());
        self.rate
            .note(sample.duration, micros, sample.payload.len());
        self.jitter.note(micros);
        self.jitter.note(scale.micros(pts.saturating_sub(dts)));
        let start = self.fragment.map_or(dts, |(start, _)| start);
        self.fragment = Some((start, end));
    }

    fn step(&mut self, sample: &Sample, shown: i64) -> (Step, bool) {
        if self.is_video() {
            let entry = &self.init.entry;
            let is_key = self.keys.next(entry, &sample.payload, sample.is_key);
            (self.video.next(is_key), is_key)
        } else {
            (self.audio.next(shown), true)
        }
    }

    fn begin(&mut self, start: i64, outputs: &mut Queue) -> Result<(), ImportError> {
        self.flush(outputs)?;
        if self.is_open && self.is_video() {
            let seconds = start.saturating_sub(self.group_start) / 1_000_000;
            if seconds > LONG && !self.has_long_group {
                self.has_long_group = true;
                let name = self.name.clone();
                let seconds = seconds.unsigned_abs();
                outputs.push_notice(Notice::LongGroup { name, seconds });
            }
        }
        self.group_start = start;
        self.is_open = true;
        self.stats.groups += 1;
        let track = self.number;
        outputs.push(track, Output::Group { track });
        Ok(())
    }

    /// A frame of its own for each sample.
    fn frame(
        &mut self,
        sample: &Sample,
        dts: i64,
        pts: i64,
        is_key: bool,
        outputs: &mut Queue,
    ) -> Result<(), ImportError> {
        let scale = self.init.scale;
        let timestamp = unsigned(scale.micros(pts));
        let payload = if bitstream::is_in_band(self.init.entry.kind) {
            match bitstream::with_start_codes(&self.init.entry, &sample.payload, is_key) {
                Ok(stream) => self.wrap(timestamp, &stream)?,
                Err(error) => {
                    let name = self.name.clone();
                    outputs.push_notice(Notice::BadSample { name, error });
                    return self.cut(outputs);
                }
            }
        } else {
            self.wrap(timestamp, &sample.payload)?
        };
        let track = self.number;
        let frame = Output::Frame {
            track,
            timestamp,
            due: duration(scale.micros(dts)),
            payload,
        };
        outputs.push(track, frame);
        Ok(())
    }

    fn wrap(&self, timestamp: u64, payload: &Payload) -> Result<Bytes, ImportError> {
        Ok(match self.format {
            Format::Loc => loc::encode(timestamp, payload)?,
            Format::Legacy | Format::Cmaf => legacy::encode(timestamp, payload)?,
        })
    }

    /// Keeps a sample for the `cmaf` frame that its fragment becomes.
    fn wait(&mut self, sample: Sample, dts: i64, pts: i64, is_key: bool) {
        if self.waiting.is_empty() {
            (self.waiting_start, self.waiting_shown) = (dts, pts);
        }
        self.waiting_shown = self.waiting_shown.min(pts);
        let composition = i32::try_from(pts.saturating_sub(dts)).unwrap_or(0);
        let Sample {
            duration,
            mut payload,
            ..
        } = sample;
        if self.init.entry.is_made && self.is_video() {
            let rest = bitstream::without_sets(&self.init.entry, &payload);
            payload = rest.unwrap_or(payload);
        }
        let sample = FragmentSample::new(duration, composition, is_key, payload);
        self.waiting.push(sample);
    }

    fn flush(&mut self, outputs: &mut Queue) -> Result<(), ImportError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.sequence = self.sequence.wrapping_add(1);
        let start = unsigned(self.waiting_start);
        let payload = cmaf::encode(self.sequence, start, &self.waiting)?;
        self.waiting.clear();
        let track = self.number;
        let frame = Output::Frame {
            track,
            timestamp: unsigned(self.waiting_shown),
            due: duration(self.init.scale.micros(self.waiting_start)),
            payload,
        };
        outputs.push(track, frame);
        Ok(())
    }

    /// All samples of a fragment are there.
    pub(super) fn end_fragment(&mut self, outputs: &mut Queue) -> Result<(), ImportError> {
        if let Some((start, end)) = self.fragment.take() {
            let span = self.init.scale.micros(end.saturating_sub(start));
            self.jitter.note(span);
        }
        self.flush(outputs)
    }

    /// The input describes the track anew, with a configuration that its frames carry themselves.
    pub(super) fn describe(&mut self, init: TrackInit, segment: Bytes) {
        self.stats.codec.clone_from(&init.entry.config.codec);
        self.stats.size = init.entry.config.media.size();
        if init.scale != self.init.scale {
            let micros = self.init.scale.micros(self.end);
            self.end = init.scale.from_micros(micros);
            self.last = None;
        }
        self.init = init;
        self.segment = segment;
    }
}

/// Times of the broadcast are not negative, unless the input is malformed.
pub(super) fn unsigned(ticks: i64) -> u64 {
    u64::try_from(ticks).unwrap_or(0)
}

pub(super) fn duration(micros: i64) -> Duration {
    Duration::from_micros(unsigned(micros))
}

/// Seconds between key frames that make joining tedious.
const LONG: i64 = 10;
