//! One rendition: frames → samples with both times.

use bytes::Bytes;

use super::sources::{Source, Wrap};
use super::stats::Counters;
use crate::codec::{Family, aac, nal};
use crate::container::{ContainerError, cmaf, legacy, loc};
use crate::fmp4::FragmentSample;
use crate::payload::Payload;
use crate::timeline::{Anchor, DecodeOrder, Scale};

/// A rendition in the output.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) source: Source,
    group: Option<u64>,
    order: Option<DecodeOrder>,
    last_pts: Option<i64>,
    /// The latest time that was shown.
    newest: Option<i64>,
    duration: i64,
    /// What is added to its times, and the output's count when that was chosen.
    pub(super) anchor: Anchor,
    pub(super) epoch: u64,
    /// Up to where it was written, in its ticks.
    pub(super) end: Option<i64>,
    pub(super) counters: Counters,
}

/// Samples that are decoded one after the other, from `start` on in the rendition's ticks.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) start: i64,
    pub(super) samples: Vec<FragmentSample>,
}

impl Run {
    /// The end of the last sample.
    pub(super) fn end(&self) -> i64 {
        let lasts = self.samples.iter().map(|sample| i64::from(sample.duration));
        lasts.fold(self.start, i64::saturating_add)
    }
}

impl Track {
    pub(super) fn new(source: Source) -> Self {
        let duration = source.usual_duration();
        Self {
            source,
            group: None,
            order: None,
            last_pts: None,
            newest: None,
            duration,
            anchor: Anchor::new([]),
            epoch: 0,
            end: None,
            counters: Counters::default(),
        }
    }

    pub(super) fn scale(&self) -> Scale {
        self.source.scale
    }

    /// Groups are missing, or the time breaks.
    pub(super) fn cut(&mut self) {
        self.group = None;
        self.last_pts = None;
        if let Some(order) = &mut self.order {
            order.cut();
        }
    }

    /// The samples of a frame; `None` if it has none.
    pub(super) fn read(
        &mut self,
        group: u64,
        frame: &Bytes,
    ) -> Result<Option<Run>, ContainerError> {
        let is_first = self.group != Some(group);
        let (pts, payload) = match &self.source.wrap {
            Wrap::Cmaf(init) => {
                let run = fragment(frame, init)?;
                self.check(run.start)?;
                self.group = Some(group);
                return Ok(Some(run));
            }
            Wrap::Legacy => legacy::decode(frame.clone())?,
            Wrap::Loc => loc::decode(frame.clone())?,
        };
        let pts = i64::try_from(pts).map_err(|_| ContainerError::Timestamp(pts))?;
        self.check(pts)?;
        if payload.is_empty() {
            // A group with nothing but a marker says that the time breaks.
            if is_first {
                self.cut();
            }
            return Ok(None);
        }
        if is_first && self.source.has_start_codes {
            self.source.learn(&payload);
        }
        self.group = Some(group);
        Ok(Some(self.sample(pts, payload, is_first)))
    }

    fn check(&self, time: i64) -> Result<(), ContainerError> {
        if self.scale().is_plausible(time) {
            return Ok(());
        }
        Err(ContainerError::Timestamp(time.unsigned_abs()))
    }

    fn sample(&mut self, pts: i64, payload: Bytes, is_first: bool) -> Run {
        let is_video = self.source.config.media.is_video();
        if self
            .newest
            .is_some_and(|newest| newest.saturating_sub(pts) > BACK)
        {
            // The time begins anew, and so do decode times.
            (self.order, self.newest, self.last_pts) = (None, None, None);
        }
        self.newest = self.newest.max(Some(pts));
        let order = self.order.get_or_insert_with(|| {
            let depth = if is_video {
                self.source.reordering()
            } else {
                0
            };
            DecodeOrder::new(depth, self.duration)
        });
        if let Some(last) = self.last_pts {
            let step = pts.saturating_sub(last);
            // Steps back and forth belong to reordering; the smallest forward one is a frame.
            let is_step = (1..MOST).contains(&step);
            let is_better = !is_video || order.lead() == 0 || step < self.duration;
            if is_step && is_better {
                self.duration = step;
            }
        }
        self.last_pts = Some(pts);
        let start = order.next(pts);
        let composition = i32::try_from(pts.saturating_sub(start)).unwrap_or(0);
        let duration = u32::try_from(self.duration).unwrap_or(0);
        let payload = self.unwrap(payload);
        let is_key = !is_video || is_first;
        Run {
            start,
            samples: vec![FragmentSample::new(duration, composition, is_key, payload)],
        }
    }

    /// A frame's payload as MP4 has it.
    fn unwrap(&self, payload: Bytes) -> Payload {
        let is_aac = Family::of(&self.source.config.codec) == Some(Family::Aac);
        if self.source.has_start_codes {
            nal::to_lengths(&payload)
        } else if is_aac {
            aac::without_adts(&payload).into()
        } else {
            payload.into()
        }
    }
}

fn fragment(frame: &Bytes, init: &crate::fmp4::Init) -> Result<Run, ContainerError> {
    let samples = cmaf::decode(frame, init)?;
    let start = samples.first().map_or(0, |sample| sample.dts);
    let samples = samples.into_iter().map(|sample| {
        let composition = i32::try_from(sample.pts.saturating_sub(sample.dts)).unwrap_or(0);
        FragmentSample::new(sample.duration, composition, sample.is_key, sample.payload)
    });
    Ok(Run {
        start,
        samples: samples.collect(),
    })
}

/// A time that lies further back than this, in microseconds, is a restart and no reordering.
pub(super) const BACK: i64 = 500_000;

/// A frame lasts less than this, in microseconds; what is more is a gap.
const MOST: i64 = 10_000_000;
