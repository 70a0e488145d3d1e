//! One connection: quinn-proto's state machine, and who waits for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use bytes::Bytes;
use moq_transport_common::quic::{H3, StreamLimits};
use quinn_proto::{ConnectionError, Dir, Event, StreamEvent, StreamId, VarInt};
use rustc_hash::FxHashMap;

use crate::hub::Hub;
use crate::waiters::{HandleId, Waiters};
use crate::web::Web;

/// A connection, shared by its driver and its handles.
pub(crate) struct Conn {
    hub: Arc<Hub>,
    /// Where the driver keeps it.
    pub(super) key: usize,
    state: Mutex<State>,
}

/// What the lock of a connection guards.
pub(crate) struct State {
    pub(super) quic: quinn_proto::Connection,
    /// HTTP/3 on the connection, once its handshake has chosen that.
    pub(super) web: Option<Box<Web>>,
    /// Why nothing more happens here.
    pub(super) ended: Option<ConnectionError>,
    /// Whether quinn-proto has panicked here, and handles and streams ask it for nothing more.
    pub(super) is_broken: bool,
    /// When to stop waiting for the peer of a session that was closed.
    pub(super) give_up_at: Option<Instant>,
    /// Whether the driver was asked for a visit.
    called: bool,
    /// Whether anything was written since the driver's last visit.
    wrote: bool,
    /// The time of the last deadline that was taken for passed.
    pub(super) reached: Instant,
    /// Whether that is the time for what is sent next.
    pub(super) is_late: bool,
    /// When the driver last found something written.
    pub(super) wrote_at: Option<Instant>,
    /// The peer's address when there was last an opportunity to send.
    pub(super) sent_to: SocketAddr,
    pub(super) limits: StreamLimits,
    /// How many bidirectional streams the peer may have open in the end.
    pub(super) bidi_limit: u32,
    next_handle: u64,
    pub(super) readers: FxHashMap<StreamId, Waker>,
    pub(super) writers: FxHashMap<StreamId, Waker>,
    /// Those that wait for a stream to be acknowledged or stopped.
    pub(super) closers: FxHashMap<StreamId, Waker>,
    pub(super) acceptors: [Waiters; 2],
    pub(super) openers: [Waiters; 2],
    pub(super) datagrams: Waiters,
    /// Those that wait for the handshake, the request, or the end.
    pub(super) stages: Waiters,
}

impl Conn {
    pub(super) fn new(
        hub: Arc<Hub>,
        key: usize,
        quic: quinn_proto::Connection,
        limits: StreamLimits,
    ) -> Arc<Self> {
        let state = State {
            sent_to: quic.remote_address(),
            quic,
            web: None,
            ended: None,
            is_broken: false,
            give_up_at: None,
            called: false,
            wrote: false,
            wrote_at: None,
            reached: now(),
            is_late: false,
            limits,
            bidi_limit: limits.bidi_at_first(),
            next_handle: 0,
            readers: FxHashMap::default(),
            writers: FxHashMap::default(),
            closers: FxHashMap::default(),
            acceptors: Default::default(),
            openers: Default::default(),
            datagrams: Waiters::default(),
            stages: Waiters::default(),
        };
        Arc::new(Self {
            hub,
            key,
            state: Mutex::new(state),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the driver send what was written.
    pub(super) fn call_to_write(self: &Arc<Self>, state: &mut State) {
        state.wrote = true;
        self.call(state);
    }

    /// Has the driver send what an operation has left to send.
    pub(super) fn call(self: &Arc<Self>, state: &mut State) {
        if !state.called {
            state.called = true;
            self.hub.call(self.clone());
        }
    }

    /// Closes the connection at once; nothing happens if it has ended already.
    pub(crate) fn close(self: &Arc<Self>, code: VarInt, reason: &[u8]) {
        let mut woken = Vec::new();
        let mut state = self.lock();
        if state.ended.is_none() {
            state.close(now(), code, reason, &mut woken);
            self.call(&mut state);
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// The driver is here.
    pub(super) fn visited(&mut self, now: Instant) {
        self.called = false;
        if std::mem::take(&mut self.wrote) {
            self.wrote_at = Some(now);
        }
    }

    /// The connection, while there is a peer to tell something.
    pub(super) fn live(&mut self) -> Option<&mut quinn_proto::Connection> {
        self.ended.is_none().then_some(&mut self.quic)
    }

    pub(super) fn new_handle(&mut self) -> HandleId {
        self.next_handle += 1;
        HandleId(self.next_handle)
    }

    /// Forgets who waits by a handle.
    pub(super) fn drop_handle(&mut self, handle: HandleId) {
        let all = self.acceptors.iter_mut().chain(&mut self.openers);
        for waiters in all.chain([&mut self.datagrams, &mut self.stages]) {
            waiters.remove(handle);
        }
    }

    pub(super) fn close(
        &mut self,
        now: Instant,
        code: VarInt,
        reason: &[u8],
        woken: &mut Vec<Waker>,
    ) {
        self.quic.close(now, code, Bytes::copy_from_slice(reason));
        self.end(ConnectionError::LocallyClosed, woken);
    }

    /// Takes in the end of the connection.
    pub(super) fn end(&mut self, reason: ConnectionError, woken: &mut Vec<Waker>) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(reason);
        self.give_up_at = None;
        self.fail_all(woken);
    }

    /// Wakes everybody, because nothing works any more.
    pub(super) fn fail_all(&mut self, woken: &mut Vec<Waker>) {
        for streams in [&mut self.readers, &mut self.writers, &mut self.closers] {
            woken.extend(streams.drain().map(|(_, waker)| waker));
        }
        let all = self.acceptors.iter_mut().chain(&mut self.openers);
        for waiters in all.chain([&mut self.datagrams, &mut self.stages]) {
            waiters.take(woken);
        }
    }

    /// Takes in what quinn-proto has to tell.
    pub(super) fn take_events(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        while let Some(event) = self.quic.poll() {
            match event {
                Event::Connected => self.connected(woken),
                Event::ConnectionLost { reason } => self.end(reason, woken),
                Event::Stream(event) => self.stream_event(event, woken),
                Event::DatagramReceived => self.datagrams.take(woken),
                Event::HandshakeDataReady | Event::DatagramsUnblocked => {}
            }
        }
        if let Some(close) = self.web.as_mut().and_then(|web| web.take_close()) {
            self.close(now, close.code, close.reason.as_bytes(), woken);
        }
    }

    fn connected(&mut self, woken: &mut Vec<Waker>) {
        if crate::owner::alpn(&self.quic).as_deref() == Some(H3) {
            self.web = Some(Box::new(Web::begin(&mut self.quic)));
            self.web_progress(None, woken);
        }
        self.stages.take(woken);
    }

    fn stream_event(&mut self, event: StreamEvent, woken: &mut Vec<Waker>) {
        match event {
            StreamEvent::Opened { dir } if self.web.is_none() => {
                self.acceptors[dir as usize].take(woken);
            }
            StreamEvent::Opened { .. } => self.web_progress(None, woken),
            StreamEvent::Readable { id } => match self.readers.remove(&id) {
                Some(waker) => woken.push(waker),
                None => self.web_progress(Some(id), woken),
            },
            StreamEvent::Writable { id } => woken.extend(self.writers.remove(&id)),
            StreamEvent::Finished { id } => woken.extend(self.closers.remove(&id)),
            StreamEvent::Stopped { id, .. } => {
                woken.extend(self.writers.remove(&id));
                woken.extend(self.closers.remove(&id));
            }
            StreamEvent::Available { dir } => self.openers[dir as usize].take(woken),
        }
    }

    /// Has HTTP/3 look at new streams, or at one that it waits for.
    fn web_progress(&mut self, id: Option<StreamId>, woken: &mut Vec<Waker>) {
        let Some(web) = &mut self.web else { return };
        let progress = web.progress(&mut self.quic, id);
        for dir in [Dir::Bi, Dir::Uni] {
            if progress.accepted[dir as usize] {
                self.acceptors[dir as usize].take(woken);
            }
        }
        if progress.requested {
            self.stages.take(woken);
        }
    }
}

/// The time, on tokio's clock.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
