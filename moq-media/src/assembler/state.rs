//! Frames → initialization segment and fragments.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::sources::Source;
use super::track::{BACK, Run, Track};
use crate::container::ContainerError;
use crate::error::ExportError;
use crate::fmp4::{InitTrack, write_fragment, write_init};
use crate::timeline::Anchor;

/// How an assembler goes about it.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AssemblerConfig {
    /// Keeps the broadcast's times, instead of starting near zero.
    pub keep_time: bool,
}

/// Writes renditions as one fragmented MP4.
///
/// The output starts once every rendition had a frame, so that their times can be moved by one
/// constant, or when [`start`](Self::start) says not to wait any longer.
#[derive(Debug)]
pub struct Assembler {
    config: AssemblerConfig,
    pub(super) tracks: Vec<Track>,
    /// What came before the output started, and how many bytes that is.
    waiting: VecDeque<(usize, Run)>,
    waiting_bytes: usize,
    /// What is added to times, and how often it was chosen anew because a rendition went back in
    /// time. Others follow when they go back too.
    anchor: Anchor,
    epoch: u64,
    sequence: u32,
    /// Numbers of renditions in the output; `None` for those that were not there when it started.
    numbers: Vec<Option<u32>>,
    output: VecDeque<Bytes>,
}

impl Assembler {
    /// An assembler of these renditions, which frames name by their place in the list.
    #[must_use]
    pub fn new(sources: Vec<Source>, config: AssemblerConfig) -> Self {
        Self {
            config,
            tracks: sources.into_iter().map(Track::new).collect(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            anchor: Anchor::new([]),
            epoch: 0,
            sequence: 0,
            numbers: Vec::new(),
            output: VecDeque::new(),
        }
    }

    /// Takes a frame of a rendition's group. Groups of a rendition come in order.
    ///
    /// # Errors
    /// [`ContainerError`] in the inner result when the frame can't be used: its group is to be left.
    /// [`ExportError`] when nothing more can be written.
    ///
    /// # Panics
    /// When there is no such rendition.
    pub fn frame(
        &mut self,
        rendition: usize,
        group: u64,
        frame: &Bytes,
    ) -> Result<Result<(), ContainerError>, ExportError> {
        let run = match self.tracks[rendition].read(group, frame) {
            Ok(run) => run,
            Err(error) => {
                self.tracks[rendition].cut();
                return Ok(Err(error));
            }
        };
        let Some(run) = run else {
            return Ok(Ok(()));
        };
        let counters = &mut self.tracks[rendition].counters;
        counters.groups += u64::from(counters.group != Some(group));
        counters.group = Some(group);
        if self.is_started() {
            self.write(rendition, run)?;
            return Ok(Ok(()));
        }
        let bytes = run.samples.iter().map(|sample| sample.payload.len());
        self.waiting_bytes += bytes.sum::<usize>();
        self.waiting.push_back((rendition, run));
        let has_all = (0..self.tracks.len()).all(|at| self.is_ready(at));
        if has_all || self.waiting_bytes > MOST_WAITING {
            self.start()?;
        }
        Ok(Ok(()))
    }

    /// Groups of a rendition are missing: its next frame begins anew.
    ///
    /// # Panics
    /// When there is no such rendition.
    pub fn gap(&mut self, rendition: usize) {
        self.tracks[rendition].cut();
    }

    /// Whether the initialization segment is written, so that no rendition can be added.
    #[must_use]
    pub fn is_started(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Starts the output with what is there. Does nothing when it has started, or when there is
    /// nothing to start with.
    ///
    /// # Errors
    /// [`ExportError::Output`] when it can't be written.
    pub fn start(&mut self) -> Result<(), ExportError> {
        let ready: Vec<bool> = (0..self.tracks.len()).map(|at| self.is_ready(at)).collect();
        if self.is_started() || !ready.contains(&true) {
            return Ok(());
        }
        let mut next = 0;
        let numbers = ready.iter().map(|is_ready| {
            next += u32::from(*is_ready);
            is_ready.then_some(next)
        });
        self.numbers = numbers.collect();
        self.write_init()?;
        self.anchor();
        self.waiting_bytes = 0;
        for (rendition, run) in std::mem::take(&mut self.waiting) {
            self.write(rendition, run)?;
        }
        Ok(())
    }

    /// Names of the renditions that the output lacks, because they had no frame when it started.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        let tracks = self.tracks.iter().zip(&self.numbers);
        let missing = tracks.filter(|(_, number)| number.is_none());
        missing.map(|(track, _)| track.source.name.as_str())
    }

    /// The next bytes of the output.
    pub fn pop(&mut self) -> Option<Bytes> {
        self.output.pop_front()
    }

    fn is_ready(&self, at: usize) -> bool {
        let has_entry = self.tracks[at].source.entry.is_some();
        has_entry && self.waiting.iter().any(|(rendition, _)| *rendition == at)
    }

    fn write_init(&mut self) -> Result<(), ExportError> {
        let numbered = self.tracks.iter().zip(&self.numbers);
        let described = numbered.filter_map(|(track, number)| {
            let entry = track.source.entry.clone()?;
            let media = track.source.config.media;
            Some(InitTrack::new((*number)?, track.scale(), media, entry))
        });
        let segment = write_init(&described.collect::<Vec<_>>())?;
        self.output.push_back(segment);
        Ok(())
    }

    /// Chooses what is added to all times, from the first of each rendition.
    fn anchor(&mut self) {
        let mut anchor = Anchor::new(self.tracks.iter().map(Track::scale));
        let firsts = self.waiting.iter().map(|(rendition, run)| {
            let scale = self.tracks[*rendition].scale();
            let shown = run
                .samples
                .iter()
                .map(|sample| i64::from(sample.composition))
                .min();
            scale.micros(run.start.saturating_add(shown.unwrap_or(0).min(0)))
        });
        let earliest = firsts.min().unwrap_or(0);
        if self.config.keep_time {
            anchor.start(earliest, Duration::ZERO);
        } else {
            anchor.rebase(earliest);
        }
        for track in &mut self.tracks {
            track.anchor = anchor.clone();
        }
        self.anchor = anchor;
    }

    fn write(&mut self, rendition: usize, run: Run) -> Result<(), ExportError> {
        let Some(number) = self.numbers[rendition] else {
            return Ok(());
        };
        let start = self.place(rendition, &run);
        if start < 0 || !self.tracks[rendition].scale().is_plausible(start) {
            // Before the output's first moment, which only a rendition that came late can be; or
            // centuries after it, which takes many frames that each went on where another ended.
            return Ok(());
        }
        let counters = &mut self.tracks[rendition].counters;
        counters.start.get_or_insert(start);
        counters.samples += run.samples.len() as u64;
        let bytes = run.samples.iter().map(|sample| sample.payload.len() as u64);
        counters.bytes += bytes.sum::<u64>();
        let start = start.unsigned_abs();
        self.sequence = self.sequence.wrapping_add(1);
        let fragment = write_fragment(self.sequence, number, start, &run.samples)?;
        self.output.push_back(fragment);
        Ok(())
    }

    /// Where a run begins in the output, in the rendition's ticks.
    ///
    /// A rendition that goes back in time goes on at the output's end instead. The others share that
    /// choice when they go back too, so that all stay together.
    fn place(&mut self, rendition: usize, run: &Run) -> i64 {
        let track = &mut self.tracks[rendition];
        let scale = track.scale();
        let mut start = track.anchor.place(scale, run.start);
        let back = track.end.map_or(0, |end| end.saturating_sub(start));
        if scale.micros(back) > BACK {
            if track.epoch == self.epoch {
                self.epoch += 1;
                self.anchor.restart(scale.micros(run.start));
            }
            track.epoch = self.epoch;
            track.anchor = self.anchor.clone();
            start = track.anchor.place(scale, run.start);
        }
        let length = run.end().saturating_sub(run.start);
        let end = start.saturating_add(length);
        track.end = Some(track.end.map_or(end, |former| former.max(end)));
        self.anchor.reached(scale.micros(end), Duration::ZERO);
        start
    }
}

/// Bytes that wait for the first frames of other renditions.
const MOST_WAITING: usize = 32 << 20;
