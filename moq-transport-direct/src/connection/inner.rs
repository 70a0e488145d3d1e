//! What all handles and streams of one connection share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;
use moq_session::transport::{End, TransportError, TransportInfo, TransportKind, TransportStats};
use moq_transport_common::quic::{MAX_REASON, Profile, cut, path_stats, raw_error, web_error};
use moq_transport_common::{Closable, Live, Place};
use quinn_proto::VarInt;

use super::core::{State, now};
use super::guard::{ConnectionGuard, alpn};

/// One connection. It is closed when the last handle and the last stream are gone.
pub(crate) struct ConnectionInner {
    guard: ConnectionGuard,
    pub(crate) info: TransportInfo,
    /// This end's code and reason, once it has closed the connection.
    closed_here: OnceLock<(u32, String)>,
    /// The shared receive window that quinn-proto knows of, in bytes.
    window: Mutex<u32>,
    profile: Profile,
    /// Its place among the connections of its server, once it was accepted.
    place: OnceLock<Place>,
}

impl ConnectionInner {
    /// A connection that was accepted; on WebTransport with the protocol of the answer.
    pub(crate) fn new(
        guard: ConnectionGuard,
        protocol: Option<&str>,
        profile: Profile,
    ) -> Arc<Self> {
        let mut info = TransportInfo::default();
        info.remote = Some(guard.remote());
        {
            let state = guard.core.lock();
            (info.kind, info.protocol) = match &state.web {
                Some(_) => (TransportKind::WebTransport, protocol.map(str::to_owned)),
                None => (TransportKind::Quic, alpn(&state.quic)),
            };
        }
        let inner = Self {
            guard,
            info,
            closed_here: OnceLock::new(),
            window: Mutex::new(profile.window),
            profile,
            place: OnceLock::new(),
        };
        inner.ask(|quic| quic.set_receive_window(VarInt::from_u32(profile.window)));
        Arc::new(inner)
    }

    /// Takes its place among the connections of its server, until it is dropped.
    pub(crate) fn stay_in(self: &Arc<Self>, live: &Arc<Live>) {
        let inner: Arc<dyn Closable> = self.clone();
        let place = live.add(Arc::downgrade(&inner));
        let is_first = self.place.set(place).is_ok();
        debug_assert!(is_first, "a connection is accepted once");
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.guard.core.lock()
    }

    /// Works on the connection, unless it is broken.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.guard.core.with(work)
    }

    /// Waits for something on the connection, where `None` stands for its end.
    pub(crate) fn poll<T>(
        &self,
        work: impl FnOnce(&mut State) -> Poll<Option<T>>,
    ) -> Poll<Result<T, TransportError>> {
        let polled = self.with(work).unwrap_or(Poll::Ready(None));
        polled.map(|output| output.ok_or_else(|| self.error()))
    }

    /// Has the driver send what an operation has left to send.
    pub(crate) fn call(&self, state: &mut State) {
        self.guard.core.call(state);
    }

    /// Why the connection ended. Meant for after an operation has failed.
    pub(crate) fn error(&self) -> TransportError {
        if let Some((code, reason)) = self.closed_here.get() {
            return TransportError::Closed {
                by: End::Local,
                code: *code,
                reason: reason.clone(),
            };
        }
        let state = self.lock();
        match (state.ended.clone(), &state.web) {
            (None, _) => TransportError::lost("the operation failed on a live connection"),
            (Some(reason), None) => raw_error(reason),
            (Some(reason), Some(web)) => match web.fault {
                Some(fault) => TransportError::lost(format!("the peer broke HTTP/3: {fault}")),
                None => web_error(reason, web.ended.clone()),
            },
        }
    }

    /// Whether operations fail, because one end has closed the connection or it was lost.
    pub(crate) fn has_ended(&self, state: &State) -> bool {
        state.ended.is_some() || self.is_closed_here()
    }

    /// Whether this end has closed the connection.
    pub(crate) fn is_closed_here(&self) -> bool {
        self.closed_here.get().is_some()
    }

    /// Closes the connection unless it is closed already; the reason is cut to 1024 bytes.
    pub(crate) fn close(&self, code: u32, reason: &str) {
        let mut woken = Vec::new();
        let reason = cut(reason, MAX_REASON);
        let _ = self.with(|state| {
            let set = || self.closed_here.set((code, reason.to_owned()));
            if state.ended.is_none() && set().is_ok() {
                self.end(state, code, reason, &mut woken);
                self.call(state);
            }
        });
        woken.into_iter().for_each(Waker::wake);
    }

    /// Tells the peer that the session is over, or closes the connection where that is not possible.
    fn end(&self, state: &mut State, code: u32, reason: &str, woken: &mut Vec<Waker>) {
        let is_said = match &mut state.web {
            Some(web) => web.say_end(&mut state.quic, code, reason),
            None => false,
        };
        if is_said {
            state.give_time(now());
            state.waits.wake_all(woken);
            return;
        }
        let code = match &state.web {
            Some(_) => moq_transport_common::quic::code::to_http3(code),
            None => VarInt::from_u32(code),
        };
        state.close_soon(code, Bytes::copy_from_slice(reason.as_bytes()), woken);
    }

    /// Widens the shared window by what `paused` unread streams can hold, at most to double.
    pub(crate) fn set_paused_streams(&self, paused: usize) {
        let wanted = self.profile.window_beside(paused);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if *window != wanted {
            *window = wanted;
            self.ask(|quic| quic.set_receive_window(VarInt::from_u32(wanted)));
        }
    }

    /// Sends a packet that the peer has to acknowledge.
    pub(crate) fn ping(&self) {
        self.ask(quinn_proto::Connection::ping);
    }

    /// Asks something of the connection while it is live, and has the driver send what comes of it.
    fn ask(&self, asked: impl FnOnce(&mut quinn_proto::Connection)) {
        let _ = self.with(|state| {
            if let Some(quic) = state.live() {
                asked(quic);
                self.call(state);
            }
        });
    }

    /// How many UDP datagrams have come.
    pub(crate) fn heard(&self) -> u64 {
        let heard = self.with(|state| Some(state.live()?.stats().udp_rx.datagrams));
        heard.flatten().unwrap_or(0)
    }

    /// Lets the peer open as many bidirectional streams as the session can hold.
    pub(crate) fn set_stream_limit(&self, held: usize) {
        self.lock().credit.hold(held);
    }

    /// Round-trip time, and the congestion window per round trip as a rate.
    pub(crate) fn stats(&self) -> TransportStats {
        let known = self.with(|state| {
            let window = state.quic.congestion_state().window();
            path_stats(state.quic.rtt(), window)
        });
        known.unwrap_or_default()
    }
}

impl Closable for ConnectionInner {
    fn close(&self, code: u32, reason: &str) {
        Self::close(self, code, reason);
    }
}

impl Drop for ConnectionInner {
    fn drop(&mut self) {
        self.close(0, "dropped");
    }
}
