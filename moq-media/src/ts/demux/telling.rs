//! What is told, and when.

use std::sync::Arc;

use super::Demuxer;
use crate::es::{TICKS, Unit};
use crate::fmp4::{Break, Event, Init, TrackInit};
use crate::timeline::Scale;

impl Demuxer {
    /// Whether what waits is long or large enough to begin without the streams that lack something.
    pub(super) fn has_waited(&self) -> bool {
        let first = self.waiting.first().map(|sample| sample.dts);
        let last = self.waiting.last().map(|sample| sample.dts);
        let span = first.zip(last).map_or(0, |(first, last)| last - first);
        span > PATIENCE || self.waiting_bytes > MOST_WAITING
    }

    pub(super) fn sample(&mut self, pid: u16, unit: Unit) {
        let sample = unit.of_track(pid.into());
        if self.is_told {
            self.events.push_back(Event::Sample(sample));
        } else {
            self.waiting_bytes += sample.payload.len();
            self.waiting.push(sample);
        }
    }

    pub(super) fn release_all(&mut self) {
        for at in 0..self.streams.len() {
            let pid = self.streams[at].pid;
            if let Some(unit) = self.streams[at].release() {
                self.sample(pid, unit);
            }
        }
    }

    /// Tells the streams that can be described, and then the samples that waited.
    pub(super) fn tell(&mut self) {
        if self.is_told || self.streams.is_empty() && self.skipped.is_empty() {
            return;
        }
        let scale = Scale::new(TICKS).unwrap_or(Scale::MICROS);
        let mut init = Init {
            tracks: Vec::new(),
            skipped: self.skipped.clone(),
        };
        for stream in &self.streams {
            let id = stream.pid.into();
            match stream.entry() {
                Some(entry) => init.tracks.push(TrackInit::new(id, scale, entry.clone())),
                None => init.skipped.push((id, NOT_DESCRIBED.to_owned())),
            }
        }
        self.is_told = true;
        self.events.push_back(Event::Init(Arc::new(init)));
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        self.events.extend(waiting.into_iter().map(Event::Sample));
        self.events.push_back(Event::FragmentEnd);
    }

    /// The program's time begins anew. What waits has no part in it.
    pub(super) fn break_time(&mut self, reason: Break) {
        if self.is_told {
            self.events.push_back(Event::Discontinuity(reason));
        } else {
            self.waiting.clear();
            self.waiting_bytes = 0;
        }
    }
}

const NOT_DESCRIBED: &str = "no parameter sets or headers of it came within three seconds";

/// In ticks: three seconds.
const PATIENCE: i64 = 3 * 90_000;

const MOST_WAITING: usize = 16 << 20;
