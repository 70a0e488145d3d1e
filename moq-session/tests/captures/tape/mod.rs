//! A transport whose one end is a session, and whose other end is played from a recording.
//!
//! It is the transport of the recordings: ordered streams without loss, delay or flow control. A
//! FIN counts as acknowledged at once, a STOP_SENDING resets nothing by itself, and what a session
//! does after it has closed the connection does not happen. Neither does how it ends or stops
//! streams at the moment of the close, which overtakes that.

mod stream;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use moq_session::transport::{
    End as Who, Transport, TransportError, TransportInfo, TransportKind, TransportStats,
};

use tokio::time::Instant;

use crate::recording::{End, Half};
use stream::{TapeRecv, TapeSend};

/// The session's end of a connection, and the handle by which the other one is played.
#[derive(Debug, Clone)]
pub(crate) struct Tape {
    state: Arc<Mutex<State>>,
    info: Arc<TransportInfo>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    uni: VecDeque<usize>,
    bi: VecDeque<usize>,
    datagrams: VecDeque<Bytes>,
    sent: Vec<Bytes>,
    closed: Option<(Who, u32, String)>,
    closed_at: Option<Instant>,
    stats: TransportStats,
    wakers: Vec<Waker>,
}

/// A stream.
#[derive(Debug)]
pub(crate) struct Line {
    /// The session opened it.
    pub(crate) is_ours: bool,
    pub(crate) is_bi: bool,
    /// What the session sent.
    pub(crate) sent: Option<Half>,
    /// What is sent to the session.
    pub(crate) played: Option<Half>,
    /// Bytes of that which were read, and whether its end was.
    read: usize,
    has_read_end: bool,
    /// When the session ended its half, and when it stopped the other one.
    ended_at: Option<Instant>,
    stopped_at: Option<Instant>,
}

impl Line {
    /// Takes back how the session ended and stopped the stream at a moment.
    fn forget(&mut self, moment: Instant) {
        if let Some(half) = self.sent.as_mut().filter(|_| self.ended_at == Some(moment)) {
            half.end = End::Open;
        }
        let is_stopped = self.stopped_at == Some(moment);
        if let Some(half) = self.played.as_mut().filter(|_| is_stopped) {
            half.stop = None;
        }
    }
}

fn half() -> Half {
    Half {
        bytes: Vec::new(),
        end: End::Open,
        stop: None,
    }
}

impl State {
    fn error(&self) -> Option<TransportError> {
        let (by, code, reason) = self.closed.clone()?;
        Some(TransportError::Closed { by, code, reason })
    }

    fn open(&mut self, is_ours: bool, is_bi: bool) -> usize {
        self.lines.push(Line {
            is_ours,
            is_bi,
            sent: (is_ours || is_bi).then(half),
            played: (!is_ours || is_bi).then(half),
            read: 0,
            has_read_end: false,
            ended_at: None,
            stopped_at: None,
        });
        self.lines.len() - 1
    }

    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// What is played to the session.
impl Tape {
    pub(crate) fn new(protocol: &str, setup_path: Option<String>) -> Self {
        let mut info = TransportInfo::default();
        info.kind = TransportKind::Memory;
        info.protocol = Some(protocol.to_owned());
        info.setup_path = setup_path;
        Self {
            state: Arc::default(),
            info: Arc::new(info),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn measure(&self, stats: TransportStats) {
        self.state().stats = stats;
    }

    /// Opens a stream to the session; says its place among all streams.
    pub(crate) fn play_open(&self, is_bi: bool) -> usize {
        let mut state = self.state();
        let line = state.open(false, is_bi);
        if is_bi {
            state.bi.push_back(line);
        } else {
            state.uni.push_back(line);
        }
        state.wake();
        line
    }

    pub(crate) fn play_write(&self, line: usize, bytes: &[u8]) {
        self.play(line, |line| {
            if let Some(half) = &mut line.played {
                half.bytes.extend_from_slice(bytes);
            }
        });
    }

    pub(crate) fn play_end(&self, line: usize, end: End) {
        self.play(line, |line| {
            if let Some(half) = &mut line.played {
                half.end = end;
            }
        });
    }

    pub(crate) fn play_stop(&self, line: usize, code: u32) {
        self.play(line, |line| {
            if let Some(half) = &mut line.sent {
                half.stop = Some(code);
            }
        });
    }

    fn play(&self, line: usize, change: impl FnOnce(&mut Line)) {
        let mut state = self.state();
        change(&mut state.lines[line]);
        state.wake();
    }

    pub(crate) fn play_datagram(&self, payload: Bytes) {
        let mut state = self.state();
        state.datagrams.push_back(payload);
        state.wake();
    }

    pub(crate) fn play_close(&self, code: u32, reason: &str) {
        self.close_by(Who::Peer, code, reason);
    }

    fn close_by(&self, who: Who, code: u32, reason: &str) {
        let mut state = self.state();
        if state.closed.is_none() {
            state.closed = Some((who, code, reason.to_owned()));
            let now = Instant::now();
            state.closed_at = Some(now);
            state.lines.iter_mut().for_each(|line| line.forget(now));
        }
        state.wake();
    }

    /// When the connection was closed.
    pub(crate) fn closed_at(&self) -> Option<Instant> {
        self.state().closed_at
    }

    /// Looks at what the session did: streams, datagrams, and its close.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&[Line], &[Bytes], Option<u32>) -> R) -> R {
        let state = self.state();
        let closed = state.closed.as_ref();
        let closed = closed.filter(|(who, ..)| *who == Who::Local);
        look(&state.lines, &state.sent, closed.map(|(_, code, _)| *code))
    }
}

impl Transport for Tape {
    type Send = TapeSend;
    type Recv = TapeRecv;

    fn poll_accept_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<TapeRecv, TransportError>> {
        let line = self.poll(cx, |state| state.uni.pop_front());
        line.map_ok(|line| self.recv(line))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(TapeSend, TapeRecv), TransportError>> {
        let line = self.poll(cx, |state| state.bi.pop_front());
        line.map_ok(|line| (self.send(line), self.recv(line)))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<TapeSend, TransportError>> {
        let line = self.poll(cx, |state| Some(state.open(true, false)));
        line.map_ok(|line| self.send(line))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(TapeSend, TapeRecv), TransportError>> {
        let line = self.poll(cx, |state| Some(state.open(true, true)));
        line.map_ok(|line| (self.send(line), self.recv(line)))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.poll(cx, |state| state.datagrams.pop_front())
    }

    fn send_datagram(&mut self, payload: Bytes) {
        let mut state = self.state();
        if state.closed.is_none() {
            state.sent.push(payload);
        }
    }

    fn max_datagram_size(&self) -> usize {
        1_200
    }

    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn stats(&self) -> TransportStats {
        self.state().stats
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.close_by(Who::Local, code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let mut state = self.state();
        match state.error() {
            Some(error) => Poll::Ready(error),
            None => state.wait(cx),
        }
    }
}

impl Tape {
    fn poll<R>(
        &self,
        cx: &Context<'_>,
        take: impl FnOnce(&mut State) -> Option<R>,
    ) -> Poll<Result<R, TransportError>> {
        let mut state = self.state();
        if let Some(error) = state.error() {
            return Poll::Ready(Err(error));
        }
        match take(&mut state) {
            Some(taken) => Poll::Ready(Ok(taken)),
            None => state.wait(cx),
        }
    }

    fn send(&self, line: usize) -> TapeSend {
        TapeSend {
            tape: self.clone(),
            line,
        }
    }

    fn recv(&self, line: usize) -> TapeRecv {
        TapeRecv {
            tape: self.clone(),
            line,
        }
    }
}
