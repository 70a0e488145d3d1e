//! Packets → events.

mod program;
mod telling;

use std::collections::VecDeque;

use bytes::Bytes;
use mpeg2ts_reader::packet::Packet;

use crate::es::{StreamError, StreamProblem};
use crate::fmp4::{Break, DemuxError, Event, Sample};
use crate::ts::line::{Line, Place, nearest};
use crate::ts::packets::{Found, Packets};
use crate::ts::pes::{Order, PesPacket};
use crate::ts::sections::Section;
use crate::ts::streams::Stream;

/// Reads an MPEG transport stream as it comes.
///
/// Hand it input by [`push`](Self::push) and take events by [`next`](Self::next) until it has none,
/// before more input comes. A picture is told when the next one begins. How the input is cut changes
/// nothing.
///
/// ```
/// use bytes::Bytes;
/// use moq_media::ts::Demuxer;
///
/// let mut demuxer = Demuxer::default();
/// demuxer.push(Bytes::from_static(b"no transport stream"));
/// demuxer.finish();
/// let error = demuxer.next().unwrap_err();
/// assert!(error.to_string().starts_with("input is no MPEG-TS"));
/// ```
#[derive(Debug, Default)]
pub struct Demuxer {
    packets: Packets,
    /// Whether a packet was found.
    has_begun: bool,
    pat: Section,
    pmt_pid: Option<u16>,
    pmt: Section,
    /// The table that was read last.
    program: Vec<u8>,
    streams: Vec<Stream>,
    skipped: Vec<(u32, String)>,
    line: Line,
    /// Samples that came before all streams could be described, and their bytes.
    waiting: Vec<Sample>,
    waiting_bytes: usize,
    /// Whether the streams were told as they are.
    is_told: bool,
    events: VecDeque<Event>,
    is_at_end: bool,
    is_over: bool,
}

impl Demuxer {
    /// Takes the next piece of the input.
    pub fn push(&mut self, chunk: Bytes) {
        self.packets.push(&chunk);
    }

    /// Says that no more input comes. Events that are left are told first.
    pub fn finish(&mut self) {
        self.is_at_end = true;
        self.packets.finish();
    }

    /// Where in the input it is, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.packets.offset()
    }

    /// Whether the input could end here, between two packets.
    #[must_use]
    pub fn is_at_border(&self) -> bool {
        self.packets.len() == 0
    }

    /// The next event; `None` asks for more input, or says that the input has ended.
    ///
    /// # Errors
    /// [`DemuxError::NotTs`] and [`DemuxError::NoProgram`], when the input is none or has nothing in it.
    /// After it, there is nothing more.
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
            match self.packets.next() {
                Some(Found::Packet(offset, packet)) => {
                    self.has_begun = true;
                    if let Some(packet) = Packet::try_new(&packet) {
                        self.packet(offset, &packet);
                    }
                }
                Some(Found::Skipped(offset, count)) => {
                    if self.has_begun {
                        self.lost_all(offset, StreamProblem::NoSync(count));
                    }
                }
                None => return self.pause(),
            }
        }
    }

    /// There is no packet: more input is needed, or it was the last.
    fn pause(&mut self) -> Result<Option<Event>, DemuxError> {
        let offset = self.packets.offset();
        let is_lost = self.packets.skipped() > SEARCH || self.is_at_end;
        if !self.has_begun && is_lost {
            self.is_over = true;
            return Err(DemuxError::NotTs { offset });
        }
        if !self.is_at_end {
            return Ok(None);
        }
        self.is_over = true;
        if self.packets.len() > 0 || self.packets.skipped() > 0 {
            self.lost_all(offset, StreamProblem::Truncated);
        }
        for at in 0..self.streams.len() {
            self.end_pes(at);
        }
        self.release_all();
        self.tell();
        if self.program.is_empty() {
            return Err(DemuxError::NoProgram { offset });
        }
        Ok(self.events.pop_front())
    }

    fn packet(&mut self, offset: u64, packet: &Packet<'_>) {
        let pid = u16::from(packet.pid());
        let is_start = packet.payload_unit_start_indicator();
        if pid == 0 || Some(pid) == self.pmt_pid {
            let payload = packet
                .payload()
                .filter(|_| !packet.transport_error_indicator());
            if let Some(payload) = payload {
                self.table(offset, pid, payload, is_start);
            }
            return;
        }
        let Some(at) = self.streams.iter().position(|stream| stream.pid == pid) else {
            return;
        };
        if packet.transport_error_indicator() {
            self.lost(at, offset, StreamProblem::Marked);
            return;
        }
        let Some(payload) = packet.payload() else {
            return;
        };
        let stream = &mut self.streams[at];
        if packet.transport_scrambling_control().is_scrambled() {
            if !std::mem::replace(&mut stream.is_scrambled, true) {
                self.lost(at, offset, StreamProblem::Scrambled);
            }
            return;
        }
        let field = packet.adaptation_field();
        let may_jump = field.is_some_and(|field| field.discontinuity_indicator());
        let found = packet.continuity_counter().count();
        match stream.pes.order(found, may_jump) {
            Order::Next => {}
            Order::Again => return,
            Order::Gap { expected } => {
                self.lost(at, offset, StreamProblem::Gap { expected, found });
            }
        }
        if is_start {
            self.end_pes(at);
            self.streams[at].pes.begin(offset);
        }
        if let Err(problem) = self.streams[at].pes.extend(payload) {
            self.lost(at, offset, problem);
        }
        if self.streams[at].pes.is_whole() {
            self.end_pes(at);
        }
    }

    /// Part of a stream is lost.
    fn lost(&mut self, at: usize, offset: u64, problem: StreamProblem) {
        let pid = self.streams[at].pid;
        if let Some(unit) = self.streams[at].release() {
            self.sample(pid, unit);
        }
        self.streams[at].cut();
        self.damaged(Some(pid), offset, problem);
    }

    /// Part of all streams is lost.
    fn lost_all(&mut self, offset: u64, problem: StreamProblem) {
        self.release_all();
        self.streams.iter_mut().for_each(Stream::cut);
        self.damaged(None, offset, problem);
    }

    fn damaged(&mut self, pid: Option<u16>, offset: u64, problem: StreamProblem) {
        let error = StreamError::new(pid.map(u32::from), offset, problem);
        self.events.push_back(Event::Damaged(error));
    }

    /// The open PES packet of a stream is complete.
    fn end_pes(&mut self, at: usize) {
        match self.streams[at].pes.end() {
            None => {}
            Some(Ok(packet)) => self.pes(at, &packet),
            Some(Err((offset, problem))) => self.lost(at, offset, problem),
        }
    }

    /// When a PES packet is decoded and shown; `None` if it can't be used.
    fn place(&mut self, at: usize, packet: &PesPacket) -> Option<(i64, i64)> {
        let pid = self.streams[at].pid;
        let Some((pts, dts)) = packet.times else {
            // It follows the one before.
            let expected = self.streams[at].expected();
            if expected.is_none() {
                let problem = StreamProblem::Pes("a time in its header");
                self.lost(at, packet.offset, problem);
            }
            return expected.map(|time| (time, time));
        };
        let reorder = nearest(ticks(pts) - ticks(dts));
        if !(-MOST_REORDER..=MOST_REORDER).contains(&reorder) {
            let problem = StreamProblem::Pes("a PTS within ten seconds of its DTS");
            self.lost(at, packet.offset, problem);
            return None;
        }
        let decoded = match self.line.place(dts) {
            Place::At(decoded) => decoded,
            Place::Broke(decoded) => {
                self.release_all();
                self.break_time(Break::Jump { track: pid.into() });
                decoded
            }
            Place::Out => return None,
        };
        Some((decoded, decoded + reorder))
    }

    fn pes(&mut self, at: usize, packet: &PesPacket) {
        let pid = self.streams[at].pid;
        let Some((decoded, shown)) = self.place(at, packet) else {
            return;
        };
        let taken = self.streams[at].take(&packet.payload, decoded, shown);
        // What was complete before belongs to what was told before.
        let is_told = self.is_told;
        for unit in taken.units {
            self.sample(pid, unit);
        }
        if is_told {
            self.events.push_back(Event::FragmentEnd);
        }
        if let Some(error) = taken.error {
            self.damaged(Some(pid), packet.offset, error.into());
        }
        self.is_told &= !taken.is_new;
        let is_ready = self.streams.iter().all(|stream| stream.entry().is_some());
        if !self.is_told && (is_ready || self.has_waited()) {
            self.tell();
        }
    }
}

/// Of 33 bits.
fn ticks(written: u64) -> i64 {
    i64::try_from(written).unwrap_or(0)
}

/// How far a stream is looked for.
const SEARCH: u64 = 64 << 10;

/// In ticks: ten seconds.
const MOST_REORDER: i64 = 900_000;
