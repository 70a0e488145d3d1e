//! What all handles and streams of one connection share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use moq_session::transport::{End, TransportError, TransportInfo, TransportKind, TransportStats};
use moq_transport_common::quic::{
    MAX_REASON, Profile, SessionEnd, StreamLimits, cut, path_stats, raw_error, web_error,
};
use moq_transport_common::tls::Fingerprint;
use moq_transport_common::{Closable, Live, Place};
use quinn::VarInt;
use quinn::crypto::rustls::HandshakeData;
use web_transport_quinn::{SessionError, WebTransportError};

use crate::credit::Credit;

/// One connection. It is closed when the last handle and the last stream are gone.
pub(crate) struct ConnectionInner {
    /// The connection itself; beneath the session if there is one.
    pub(crate) quic: quinn::Connection,
    /// The WebTransport session, absent on raw QUIC.
    pub(crate) web: Option<web_transport_quinn::Session>,
    /// What the session may know.
    pub(crate) info: TransportInfo,
    /// How many streams the peer may open.
    pub(crate) credit: Credit,
    /// This end's code and reason, once it has closed the connection.
    closed_here: OnceLock<(u32, String)>,
    /// The shared receive window that quinn knows of, in bytes.
    window: Mutex<u32>,
    profile: Profile,
    /// Its place among the connections of its server; a client's has none.
    place: OnceLock<Place>,
}

impl ConnectionInner {
    /// A raw QUIC connection, with the path that the SETUP shall carry.
    pub(crate) fn quic(
        quic: quinn::Connection,
        setup_path: Option<String>,
        profile: Profile,
        limits: StreamLimits,
    ) -> Arc<Self> {
        let mut info = TransportInfo::default();
        info.kind = TransportKind::Quic;
        info.protocol = negotiated_alpn(&quic);
        info.setup_path = setup_path;
        Self::new(quic, None, info, profile, limits)
    }

    /// A WebTransport session.
    pub(crate) fn web(
        session: web_transport_quinn::Session,
        profile: Profile,
        limits: StreamLimits,
    ) -> Arc<Self> {
        let mut info = TransportInfo::default();
        info.kind = TransportKind::WebTransport;
        info.protocol = session.protocol().map(str::to_owned);
        let quic = quinn::Connection::clone(&session);
        Self::new(quic, Some(session), info, profile, limits)
    }

    fn new(
        quic: quinn::Connection,
        web: Option<web_transport_quinn::Session>,
        mut info: TransportInfo,
        profile: Profile,
        limits: StreamLimits,
    ) -> Arc<Self> {
        info.remote = Some(quic.remote_address());
        info.fingerprint = shown_fingerprint(&quic);
        quic.set_receive_window(VarInt::from_u32(profile.window));
        Arc::new(Self {
            quic,
            web,
            info,
            credit: Credit::new(profile.streams, limits),
            closed_here: OnceLock::new(),
            window: Mutex::new(profile.window),
            profile,
            place: OnceLock::new(),
        })
    }

    /// Takes its place among the connections of its server, until it is dropped.
    pub(crate) fn stay_in(self: &Arc<Self>, live: &Arc<Live>) {
        let inner: Arc<dyn Closable> = self.clone();
        let place = live.add(Arc::downgrade(&inner));
        let is_first = self.place.set(place).is_ok();
        debug_assert!(is_first, "a connection is accepted once");
    }

    /// Why the connection ended. Meant for after an operation has failed.
    pub(crate) fn error(&self) -> TransportError {
        if let Some(error) = self.closed_here() {
            return error;
        }
        match (self.quic.close_reason(), &self.web) {
            (None, _) => TransportError::lost("the operation failed on a live connection"),
            (Some(reason), None) => raw_error(reason),
            (Some(reason), Some(session)) => web_error(reason, session_end(session)),
        }
    }

    /// This end's own close, if there was one. It holds at once, although the library goes on until the
    /// peer knows.
    pub(crate) fn closed_here(&self) -> Option<TransportError> {
        let (code, reason) = self.closed_here.get()?;
        Some(TransportError::Closed {
            by: End::Local,
            code: *code,
            reason: reason.clone(),
        })
    }

    /// Closes the connection unless it is closed already; the reason is cut to 1024 bytes.
    pub(crate) fn close(&self, code: u32, reason: &str) {
        if self.quic.close_reason().is_some() {
            return;
        }
        let reason = cut(reason, MAX_REASON);
        if self.closed_here.set((code, reason.to_owned())).is_err() {
            return;
        }
        match &self.web {
            Some(session) => session.close(code, reason.as_bytes()),
            None => self.quic.close(VarInt::from_u32(code), reason.as_bytes()),
        }
    }

    /// Lets the peer open as many bidirectional streams as the session can hold.
    pub(crate) fn set_stream_limit(&self, held: usize) {
        self.credit.hold(held);
    }

    /// Widens the shared window by what `paused` unread streams can hold, at most to double.
    pub(crate) fn set_paused_streams(&self, paused: usize) {
        let wanted = self.profile.window_beside(paused);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if *window != wanted {
            *window = wanted;
            self.quic.set_receive_window(VarInt::from_u32(wanted));
        }
    }

    /// Round-trip time, and the congestion window per round trip as a rate.
    pub(crate) fn stats(&self) -> TransportStats {
        let path = self.quic.stats().path;
        path_stats(path.rtt, path.cwnd)
    }
}

impl Closable for ConnectionInner {
    fn close(&self, code: u32, reason: &str) {
        Self::close(self, code, reason);
    }
}

impl Drop for ConnectionInner {
    fn drop(&mut self) {
        // quinn closes a connection by itself when its handles are gone, but a WebTransport
        // session keeps one in a task of its own.
        self.close(0, "dropped");
    }
}

/// The fingerprint of the certificate that the peer showed, if it showed one.
fn shown_fingerprint(quic: &quinn::Connection) -> Option<String> {
    let shown = quic.peer_identity()?;
    let chain = shown.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>();
    let leaf = chain.ok()?.into_iter().next()?;
    Some(Fingerprint::of(&leaf).to_string())
}

/// The protocol name that TLS settled on.
pub(crate) fn negotiated_alpn(quic: &quinn::Connection) -> Option<String> {
    String::from_utf8(handshake(quic)?.protocol?).ok()
}

/// The name that the client asked for in TLS.
pub(crate) fn server_name(quic: &quinn::Connection) -> Option<String> {
    handshake(quic)?.server_name
}

fn handshake(quic: &quinn::Connection) -> Option<Box<HandshakeData>> {
    quic.handshake_data()?.downcast::<HandshakeData>().ok()
}

/// How the peer ended a session, if it has said so.
fn session_end(session: &web_transport_quinn::Session) -> Option<SessionEnd> {
    match session.close_reason()? {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => {
            Some(SessionEnd { code, reason })
        }
        _ => None,
    }
}
