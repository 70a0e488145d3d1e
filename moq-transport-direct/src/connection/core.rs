//! One connection: quinn-proto's state machine, and who waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use bytes::Bytes;
use moq_transport_common::quic::{H3, StreamLimits};
use quinn_proto::{
    ConnectionError, Dir, Event, StreamEvent, StreamId, TransportError, TransportErrorCode, VarInt,
};

use crate::credit::Credit;
use crate::deadlines::Deadlines;
use crate::hub::Hub;
use crate::waits::Waits;
use crate::web::Web;

/// A connection, shared by its driver and its handles.
pub(crate) struct ConnectionCore {
    hub: Arc<Hub>,
    /// Where the driver keeps it.
    pub(crate) key: usize,
    state: Mutex<State>,
}

/// What the lock of a connection guards.
pub(crate) struct State {
    pub(crate) quic: quinn_proto::Connection,
    /// HTTP/3 on the connection, once its handshake has chosen that.
    pub(crate) web: Option<Box<Web>>,
    pub(crate) waits: Waits,
    pub(crate) credit: Credit,
    pub(crate) deadlines: Deadlines,
    /// Why nothing more happens here.
    pub(crate) ended: Option<ConnectionError>,
    /// Whether quinn-proto has panicked here, and is asked for nothing more.
    pub(crate) is_broken: bool,
    /// How a handle has closed the connection, until the driver does so.
    closing: Option<(VarInt, Bytes)>,
    /// Whether the driver was asked for a visit.
    called: bool,
}

impl ConnectionCore {
    pub(crate) fn new(
        hub: Arc<Hub>,
        key: usize,
        quic: quinn_proto::Connection,
        limits: StreamLimits,
    ) -> Arc<Self> {
        let state = State {
            deadlines: Deadlines::new(quic.remote_address()),
            quic,
            web: None,
            waits: Waits::default(),
            credit: Credit::new(limits),
            ended: None,
            is_broken: false,
            closing: None,
            called: false,
        };
        Arc::new(Self {
            hub,
            key,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the connection, unless it is broken. Where quinn-proto panics at that, the
    /// connection is broken from then on, and nothing else is.
    pub(crate) fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut state = self.lock();
        if state.is_broken {
            return None;
        }
        if let Ok(output) = catch_unwind(AssertUnwindSafe(|| work(&mut state))) {
            return Some(output);
        }
        let mut woken = Vec::new();
        state.break_off(&mut woken);
        self.call(&mut state);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        None
    }

    /// Has the driver send what an operation has left to send.
    pub(crate) fn call(self: &Arc<Self>, state: &mut State) {
        if !state.called {
            state.called = true;
            self.hub.call(self.clone());
        }
    }

    /// Closes the connection at once; nothing happens if it has ended already.
    pub(crate) fn close(self: &Arc<Self>, code: VarInt, reason: &[u8]) {
        let mut woken = Vec::new();
        let _ = self.with(|state| {
            if state.ended.is_none() {
                state.close_soon(code, Bytes::copy_from_slice(reason), &mut woken);
                self.call(state);
            }
        });
        woken.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// The driver is here because it was asked to be.
    pub(crate) fn visited(&mut self, now: Instant) {
        self.called = false;
        if let Some((code, reason)) = self.closing.take() {
            self.quic.close(now, code, reason);
        }
    }

    /// The connection, while there is a peer to tell something.
    pub(crate) fn live(&mut self) -> Option<&mut quinn_proto::Connection> {
        self.ended.is_none().then_some(&mut self.quic)
    }

    /// Closes the connection on the driver's next visit: only the driver tells quinn-proto the time,
    /// so that it never goes back.
    pub(crate) fn close_soon(&mut self, code: VarInt, reason: Bytes, woken: &mut Vec<Waker>) {
        self.closing = Some((code, reason));
        self.end(ConnectionError::LocallyClosed, woken);
    }

    /// Closes the connection, as its driver.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        code: VarInt,
        reason: Bytes,
        woken: &mut Vec<Waker>,
    ) {
        self.quic.close(now, code, reason);
        self.end(ConnectionError::LocallyClosed, woken);
    }

    /// Takes in the end of the connection.
    pub(crate) fn end(&mut self, reason: ConnectionError, woken: &mut Vec<Waker>) {
        self.deadlines.stop_waiting();
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(reason);
        self.waits.wake_all(woken);
    }

    /// Ends the connection because quinn-proto has panicked here.
    pub(crate) fn break_off(&mut self, woken: &mut Vec<Waker>) {
        self.is_broken = true;
        self.closing = None;
        let reason = TransportError {
            code: TransportErrorCode::INTERNAL_ERROR,
            frame: None,
            reason: "a defect in this end's QUIC; please report the panic".to_owned(),
        };
        self.end(ConnectionError::TransportError(reason), woken);
    }

    /// Takes in what quinn-proto has to tell.
    pub(crate) fn take_events(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        while let Some(event) = self.quic.poll() {
            match event {
                Event::Connected => self.connected(woken),
                Event::ConnectionLost { reason } => self.end(reason, woken),
                Event::Stream(event) => self.stream_event(event, woken),
                Event::DatagramReceived => self.waits.wake_datagrams(woken),
                Event::HandshakeDataReady | Event::DatagramsUnblocked => {}
            }
        }
        match self.web.as_mut().and_then(|web| web.take_close()) {
            Some(close) if close.is_late => {
                self.end(ConnectionError::LocallyClosed, woken);
                self.give_time(now);
            }
            Some(close) => self.close(now, close.code, close.reason.into(), woken),
            None => {}
        }
    }

    fn connected(&mut self, woken: &mut Vec<Waker>) {
        if super::guard::alpn(&self.quic).as_deref() == Some(H3) {
            self.web = Some(Box::new(Web::begin(&mut self.quic)));
            self.web_progress(None, woken);
        }
        self.waits.wake_stages(woken);
    }

    fn stream_event(&mut self, event: StreamEvent, woken: &mut Vec<Waker>) {
        match event {
            StreamEvent::Opened { dir } if self.web.is_none() => {
                self.waits.wake_acceptors(dir, woken);
            }
            StreamEvent::Opened { .. } => self.web_progress(None, woken),
            StreamEvent::Readable { id } => {
                if !self.waits.wake_reader(id, woken) {
                    self.web_progress(Some(id), woken);
                }
            }
            StreamEvent::Writable { id } => self.waits.wake_writer(id, woken),
            StreamEvent::Finished { id } => {
                self.waits.wake_closer(id, woken);
                self.end_refusal(id);
            }
            StreamEvent::Stopped { id, .. } => {
                self.waits.wake_writer(id, woken);
                self.waits.wake_closer(id, woken);
                self.end_refusal(id);
            }
            StreamEvent::Available { dir } => self.waits.wake_openers(dir, woken),
        }
    }

    fn end_refusal(&mut self, id: StreamId) {
        if let Some(web) = &mut self.web {
            web.end_refusal(&mut self.quic, id);
        }
    }

    /// Has HTTP/3 look at new streams, or at one that it waits for.
    fn web_progress(&mut self, id: Option<StreamId>, woken: &mut Vec<Waker>) {
        let Some(web) = &mut self.web else { return };
        let progress = web.progress(&mut self.quic, id);
        for dir in [Dir::Bi, Dir::Uni] {
            if progress.accepted[dir as usize] {
                self.waits.wake_acceptors(dir, woken);
            }
        }
        if progress.requested {
            self.waits.wake_stages(woken);
        }
    }
}

/// The time, on tokio's clock.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
