//! Bytes in any pieces → events.

mod content;
mod search;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::boxes::{Header, Kind, Part};
use super::error::{BoxError, DemuxError, Problem};
use super::event::Event;
use super::init::Init;
use super::limits::Limits;
use super::pending::Pending;
use super::rope::Rope;
use super::times::Clock;

/// Reads fragmented MP4 as it comes.
///
/// Hand it input by [`push`](Self::push) and take events by [`next`](Self::next) until it has none,
/// before more input comes: it holds what it was given, and no more than one `moof` and one `mdat`
/// within [`Limits`] wait for their ends. How the input is cut changes nothing.
///
/// ```
/// use bytes::Bytes;
/// use moq_media::fmp4::Demuxer;
///
/// let mut demuxer = Demuxer::default();
/// demuxer.push(Bytes::from_static(b"\0\0\0\x10ftypisom\0\0\0\0"));
/// demuxer.push(Bytes::from_static(b"\0\0\x10\0mdat"));
/// let error = demuxer.next().unwrap_err();
/// assert!(error.to_string().starts_with("input is not fragmented: box mdat at byte 16"));
/// ```
#[derive(Debug, Default)]
pub struct Demuxer {
    limits: Limits,
    rope: Rope,
    state: State,
    init: Option<Arc<Init>>,
    /// The bytes of the last `moov`, to know a repeated one.
    moov: Bytes,
    clocks: Vec<Clock>,
    pending: Option<Pending>,
    events: VecDeque<Event>,
    /// Notes that were told.
    noted: BTreeSet<(u8, u32)>,
    broken_in_row: u32,
    is_at_end: bool,
    /// Why it ends, once all events are told.
    failure: Option<DemuxError>,
}

#[derive(Debug, Default)]
enum State {
    /// In front of a box.
    #[default]
    Head,
    /// In front of the body of a box that is needed; `None` goes to the end of the input.
    Body {
        kind: Kind,
        offset: u64,
        head: usize,
        len: Option<u64>,
    },
    /// In a box that is not needed, so many bytes before its end.
    Skip { kind: Kind, left: u64 },
    /// Somewhere: the next bytes that look like a fragment go on.
    Search,
    /// In a last box without an end that is not needed.
    SkipAll,
    /// At the end, or after an error.
    Over,
}

impl Demuxer {
    /// A demuxer with limits of its own.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes the next piece of the input.
    pub fn push(&mut self, chunk: Bytes) {
        self.rope.push(chunk);
    }

    /// Says that no more input comes. Events that are left are told first.
    pub fn finish(&mut self) {
        self.is_at_end = true;
    }

    /// Where in the input it is, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.rope.offset()
    }

    /// The next event; `None` asks for more input, or says that the input has ended.
    ///
    /// # Errors
    /// [`DemuxError`] when no further input can help. After it, there is nothing more.
    #[expect(
        clippy::should_implement_trait,
        reason = "`None` is not the end, as it is for an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, DemuxError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    self.state = State::Over;
                    self.rope.skip(u64::MAX);
                    self.failure = Some(error);
                }
            }
        }
    }

    /// Goes on by one box; whether it did.
    fn step(&mut self) -> Result<bool, DemuxError> {
        match self.state {
            State::Over => {
                self.rope.skip(u64::MAX);
                Ok(false)
            }
            State::Head => self.head(),
            State::Search => self.search(),
            State::Skip { kind, left } => {
                let left = left - self.rope.skip(left);
                if left > 0 {
                    self.state = State::Skip { kind, left };
                    return self.at_end(kind, true);
                }
                self.state = State::Head;
                Ok(true)
            }
            State::SkipAll => {
                self.rope.skip(u64::MAX);
                self.at_end(Kind(*b"mdat"), false)
            }
            State::Body {
                kind,
                offset,
                head,
                len,
            } => self.body(kind, offset, head, len),
        }
    }

    fn head(&mut self) -> Result<bool, DemuxError> {
        let (bytes, len) = self.rope.peek();
        let offset = self.rope.offset();
        let header = match Header::read(&bytes[..len]) {
            Ok(Some(header)) if header.kind.0.iter().all(|letter| is_letter(*letter)) => header,
            Ok(None) => return self.at_end(UNKNOWN, len > 0),
            Ok(Some(_)) | Err(_) => return self.lost(&bytes),
        };
        let limit = match &header.kind.0 {
            b"moov" => self.limits.moov,
            b"moof" => self.limits.moof,
            b"mdat" if self.init.is_none() && !self.noted.contains(&BEFORE_INIT) => {
                let kind = header.kind;
                return Err(DemuxError::NotFragmented { kind, offset });
            }
            b"mdat" if self.pending.is_some() => self.limits.mdat,
            _ => {
                let kind = header.kind;
                self.state = header.body.map_or(State::SkipAll, |body| {
                    let left = body.saturating_add(header.len as u64);
                    State::Skip { kind, left }
                });
                return Ok(true);
            }
        };
        self.enter(header, offset, limit)
    }

    /// Waits for the body of a box that is needed, or passes it over if it is too large.
    fn enter(&mut self, header: Header, offset: u64, limit: u64) -> Result<bool, DemuxError> {
        let (kind, head) = (header.kind, header.len);
        if header.body.is_none_or(|body| body <= limit) {
            self.state = State::Body {
                kind,
                offset,
                head,
                len: header.body,
            };
            return Ok(true);
        }
        let found = header.body.unwrap_or(u64::MAX);
        let error = BoxError::new(kind, offset, Problem::Limit { limit, found });
        if kind.0 == *b"moov" {
            return Err(DemuxError::Init(error));
        }
        self.state = if kind.0 == *b"moof" {
            State::Search
        } else {
            let left = found.saturating_add(head as u64);
            State::Skip { kind, left }
        };
        let tracks = self.abandon();
        self.broken(error, tracks)
    }

    fn body(
        &mut self,
        kind: Kind,
        offset: u64,
        head: usize,
        len: Option<u64>,
    ) -> Result<bool, DemuxError> {
        let there = (self.rope.len() as u64).saturating_sub(head as u64);
        let is_whole = len.is_some_and(|len| len <= there);
        if !is_whole && !self.is_at_end {
            return match len {
                None if there > self.limits.mdat => {
                    let (limit, found) = (self.limits.mdat, there);
                    let error = BoxError::new(kind, offset, Problem::Limit { limit, found });
                    Err(DemuxError::Init(error))
                }
                _ => Ok(false),
            };
        }
        let is_cut = !is_whole && len.is_some();
        if is_cut && kind.0 != *b"mdat" {
            return self.at_end(kind, true);
        }
        self.state = State::Head;
        let body = usize::try_from(len.unwrap_or(there).min(there)).unwrap_or(usize::MAX);
        match &kind.0 {
            b"mdat" => {
                self.rope.skip(head as u64);
                self.mdat(body);
                if is_cut {
                    self.pending = None;
                    return self.at_end(kind, true);
                }
                self.close_fragment(false)
            }
            _ => {
                let whole = self.rope.take(head + body).to_bytes();
                let part = Part {
                    kind,
                    offset,
                    whole: &whole,
                    body: &whole[head..],
                };
                if kind.0 == *b"moov" {
                    self.moov(&whole, &part)
                } else {
                    self.moof(&part)
                }
            }
        }
    }

    /// There is no more than this: an end, if the input has ended.
    fn at_end(&mut self, kind: Kind, is_cut: bool) -> Result<bool, DemuxError> {
        if !self.is_at_end {
            return Ok(false);
        }
        self.close_fragment(true)?;
        let end = self.rope.offset() + self.rope.len() as u64;
        self.rope.skip(u64::MAX);
        self.state = State::Over;
        if is_cut {
            return Err(DemuxError::Truncated { kind, offset: end });
        }
        if self.init.is_none() {
            return Err(DemuxError::NoMoov { offset: end });
        }
        Ok(!self.events.is_empty())
    }
}

/// What the names of boxes are made of.
fn is_letter(letter: u8) -> bool {
    letter.is_ascii_graphic() || letter == b' ' || letter == 0xa9
}

/// A box that was cut before its name.
const UNKNOWN: Kind = Kind(*b"????");

const BEFORE_INIT: (u8, u32) = (0, 0);
