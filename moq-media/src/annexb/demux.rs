//! NAL units → events.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::order::Pictures;
use super::units::Units;
use crate::codec::h264::{self, Order, Slice, Sps};
use crate::es::{Codec, StreamError, StreamProblem, Unit, VideoStream};
use crate::fmp4::{DemuxError, Event, Init, TrackInit};
use crate::timeline::Scale;

/// Reads H.264 with start codes as it comes.
///
/// Hand it input by [`push`](Self::push) and take events by [`next`](Self::next) until it has none,
/// before more input comes. A picture is told when the one after the next begins. How the input is cut
/// changes nothing.
///
/// ```
/// use bytes::Bytes;
/// use moq_media::annexb::Demuxer;
///
/// let mut demuxer = Demuxer::default();
/// demuxer.push(Bytes::from_static(b"no start code"));
/// demuxer.finish();
/// let error = demuxer.next().unwrap_err();
/// assert!(error.to_string().starts_with("input is no H.264 with start codes"));
/// ```
#[derive(Debug, Default)]
pub struct Demuxer {
    units: Units,
    /// What the caller says of the rate.
    rate: Option<(Scale, u32)>,
    /// Ticks per second, and of a picture.
    timing: Option<(Scale, u32)>,
    order: Option<Order>,
    /// Pictures that are decoded before the first is shown.
    delay: i64,
    pictures: Pictures,
    video: Option<VideoStream>,
    /// The picture that comes: its bytes, where it begins, and its places if a slice of it came.
    open: Vec<u8>,
    open_at: u64,
    places: Option<(i64, i64)>,
    has_picture: bool,
    events: VecDeque<Event>,
    is_at_end: bool,
    is_over: bool,
}

impl Demuxer {
    /// A demuxer for a stream of `ticks` per second, of which a picture takes `duration`. Without them,
    /// the stream says how many there are; if it does not, there are 25 pictures per second.
    #[must_use]
    pub fn new(rate: Option<(Scale, u32)>) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }

    /// Takes the next piece of the input.
    pub fn push(&mut self, chunk: Bytes) {
        self.units.push(&chunk);
    }

    /// Says that no more input comes. Events that are left are told first.
    pub fn finish(&mut self) {
        self.is_at_end = true;
        self.units.finish();
    }

    /// Where in the input it is, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.units.offset()
    }

    /// The next event; `None` asks for more input, or says that the input has ended.
    ///
    /// # Errors
    /// [`DemuxError::NotAnnexB`] when there is no start code, or no parameter sets at the end. After it,
    /// there is nothing more.
    #[expect(
        clippy::should_implement_trait,
        reason = "`None` is not the end, as it is for an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, DemuxError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            if self.units.is_wrong() {
                self.is_over = true;
                let offset = self.units.offset();
                return Err(DemuxError::NotAnnexB { offset });
            }
            match self.units.next() {
                Some((offset, unit)) => self.unit(offset, &unit),
                None => return self.pause(),
            }
        }
    }

    /// There is no unit: more input is needed, or it was the last.
    fn pause(&mut self) -> Result<Option<Event>, DemuxError> {
        let offset = self.units.offset();
        if self.units.len() > LIMIT {
            self.is_over = true;
            return Err(DemuxError::NotAnnexB {
                offset: offset + self.units.len() as u64,
            });
        }
        if !self.is_at_end {
            return Ok(None);
        }
        self.is_over = true;
        self.end();
        if let Some(unit) = self.video.as_mut().and_then(|video| video.release(None)) {
            self.tell(unit);
        }
        if self
            .video
            .as_ref()
            .is_none_or(|video| video.entry.is_none())
        {
            return Err(DemuxError::NotAnnexB { offset });
        }
        Ok(self.events.pop_front())
    }

    fn unit(&mut self, offset: u64, unit: &Bytes) {
        let kind = h264::unit_type(unit);
        let begins = matches!(kind, 6..=9 | 14..=18) || Slice::is_first(unit);
        if self.has_picture && begins {
            self.end();
        }
        if self.open.len() + unit.len() > LIMIT {
            self.open.clear();
            self.damaged(offset, StreamProblem::Limit { limit: LIMIT });
        }
        if self.open.is_empty() {
            self.open_at = offset;
        }
        self.open.extend_from_slice(&[0, 0, 0, 1]);
        self.open.extend_from_slice(unit);
        if kind == SPS {
            self.configure(offset, unit);
        }
        if !matches!(kind, 1 | 5) {
            return;
        }
        if !self.has_picture
            && let Some(order) = self.order
        {
            match self.pictures.take(unit, &order) {
                Ok(places) => self.places = Some(places),
                Err(error) => self.damaged(offset, error.into()),
            }
        }
        self.has_picture = true;
    }

    /// Reads how pictures are timed.
    fn configure(&mut self, offset: u64, sps: &Bytes) {
        match Sps::read(sps) {
            Ok(sps) => {
                self.order = Some(sps.order);
                // The scale stays, because all times so far are in it.
                let of_stream = sps.order.timing;
                let of_stream =
                    of_stream.and_then(|(ticks, scale)| Some((Scale::new(scale)?, ticks)));
                let usual = || Scale::new(25_000).map(|scale| (scale, 1_000));
                self.timing = self.timing.or(self.rate).or(of_stream).or_else(usual);
                self.delay = self.delay.max(sps.reorder.unwrap_or(0).min(16).into());
            }
            Err(error) => self.damaged(offset, error.into()),
        }
    }

    /// The open picture is complete.
    fn end(&mut self) {
        self.has_picture = false;
        let stream = Bytes::from(std::mem::take(&mut self.open));
        let (Some((decoded, shown)), Some((_, duration))) = (self.places.take(), self.timing)
        else {
            return;
        };
        let duration = i64::from(duration);
        let dts = decoded.saturating_mul(duration);
        let pts = (shown + self.delay).saturating_mul(duration);
        let new = || VideoStream::new(Codec::H264);
        let taken = self.video.get_or_insert_with(new).take(&stream, dts, pts);
        for unit in taken.units {
            self.tell(unit);
        }
        if let Some(error) = taken.error {
            self.damaged(self.open_at, error.into());
        }
        if taken.is_new {
            self.describe();
        }
    }

    fn describe(&mut self) {
        let entry = self.video.as_ref().and_then(|video| video.entry.clone());
        if let (Some(entry), Some((scale, _))) = (entry, self.timing) {
            let init = Init {
                tracks: vec![TrackInit::new(TRACK, scale, entry)],
                skipped: Vec::new(),
            };
            self.events.push_back(Event::Init(Arc::new(init)));
        }
    }

    fn tell(&mut self, unit: Unit) {
        self.events.push_back(Event::Sample(unit.of_track(TRACK)));
        self.events.push_back(Event::FragmentEnd);
    }

    fn damaged(&mut self, offset: u64, problem: StreamProblem) {
        let error = StreamError::new(Some(TRACK), offset, problem);
        self.events.push_back(Event::Damaged(error));
    }
}

/// There is one track.
const TRACK: u32 = 1;

const SPS: u8 = 7;

/// More than an encoder puts into a picture.
const LIMIT: usize = 16 << 20;
