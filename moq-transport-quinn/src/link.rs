//! What all handles and streams of one connection share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use moq_session::transport::{End, TransportError, TransportInfo, TransportKind, TransportStats};
use quinn::{ConnectionError, VarInt};
use web_transport_quinn::{SessionError, WebTransportError};

use crate::code;
use crate::credit::Credit;
use crate::tls::Fingerprint;
use crate::transport_config::{Profile, StreamLimits};

/// One connection. It is closed when the last handle and the last stream are gone.
pub(crate) struct Link {
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
}

impl Link {
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
        Arc::new(Self {
            quic,
            web,
            info,
            credit: Credit::new(profile.streams, limits),
            closed_here: OnceLock::new(),
            window: Mutex::new(profile.window),
            profile,
        })
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
        match (self.quic.close_reason(), &self.web) {
            (None, _) => TransportError::lost("the operation failed on a live connection"),
            (Some(reason), None) => raw_error(reason),
            (Some(reason), Some(session)) => web_error(reason, session.close_reason()),
        }
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

    /// Widens the shared window by what `paused` unread streams can hold, at most to double.
    pub(crate) fn set_paused_streams(&self, paused: usize) {
        let base = self.profile.window;
        let paused = u32::try_from(paused).unwrap_or(u32::MAX);
        let wanted = base + paused.saturating_mul(self.profile.stream_window).min(base);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if *window != wanted {
            *window = wanted;
            self.quic.set_receive_window(VarInt::from_u32(wanted));
        }
    }

    /// Round-trip time, and the congestion window per round trip as a rate.
    pub(crate) fn stats(&self) -> TransportStats {
        let path = self.quic.stats().path;
        let mut stats = TransportStats::default();
        stats.rtt = Some(path.rtt);
        let bits = u128::from(path.cwnd) * 8 * 1_000_000;
        stats.send_rate = bits
            .checked_div(path.rtt.as_micros())
            .map(|rate| u64::try_from(rate).unwrap_or(u64::MAX));
        stats
    }
}

impl Drop for Link {
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
    let data = quic
        .handshake_data()?
        .downcast::<quinn::crypto::rustls::HandshakeData>()
        .ok()?;
    String::from_utf8(data.protocol?).ok()
}

/// Reads the end of a raw QUIC connection, or of one that has no session yet.
pub(crate) fn raw_error(reason: ConnectionError) -> TransportError {
    match reason {
        ConnectionError::ApplicationClosed(close) => {
            closed_by_peer(code::from_either(close.error_code), &close.reason)
        }
        ConnectionError::LocallyClosed => TransportError::Closed {
            by: End::Local,
            code: 0,
            reason: String::new(),
        },
        ConnectionError::TimedOut => TransportError::TimedOut,
        other => TransportError::lost(other),
    }
}

/// Reads the end of a WebTransport session: its own account if that names a code, otherwise the
/// connection's.
fn web_error(reason: ConnectionError, session: Option<SessionError>) -> TransportError {
    if let Some(SessionError::WebTransportError(WebTransportError::Closed(code, reason))) = session
    {
        return closed_by_peer(code, reason.as_bytes());
    }
    match reason {
        ConnectionError::ApplicationClosed(close) => {
            match code::from_http3(close.error_code.into_inner()) {
                Some(code) => closed_by_peer(code, &close.reason),
                None if close.error_code == H3_NO_ERROR => closed_by_peer(0, &close.reason),
                None => TransportError::lost(ConnectionError::ApplicationClosed(close)),
            }
        }
        // This end did not close it, so the library did, when the CONNECT stream ended without a
        // capsule: the standard reads that as code 0.
        ConnectionError::LocallyClosed => closed_by_peer(0, b""),
        other => raw_error(other),
    }
}

/// The first `max` bytes of `text`, or a little fewer so as not to split a character.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn closed_by_peer(code: u32, reason: &[u8]) -> TransportError {
    let reason = String::from_utf8_lossy(&reason[..reason.len().min(MAX_REASON)]).into_owned();
    TransportError::Closed {
        by: End::Peer,
        code,
        reason,
    }
}

/// The longest reason that WebTransport's close capsule carries, in bytes.
const MAX_REASON: usize = 1024;

/// HTTP/3's code for an end without fault.
pub(crate) const H3_NO_ERROR: VarInt = VarInt::from_u32(0x100);
