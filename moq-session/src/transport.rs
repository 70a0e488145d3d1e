//! What a session needs of the thing that carries its streams.
//!
//! The traits are in poll form, so that one task can watch thousands of streams without a future
//! for each. A backend promises three things: a write that returns `Pending` has taken nothing,
//! [`SendStream::set_priority`] is best effort (higher first), and a dropped stream does no harm to
//! others. A session in turn always finishes or resets the send halves it opened.
//!
//! `testing::conformance`, with the feature `testing`, has a case for each sentence of these traits. Any
//! backend's tests can call it.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

pub use moq_model::platform::{MaybeSend, MaybeSync};

/// Both halves of a bidirectional stream.
pub type Streams<T> = (<T as Transport>::Send, <T as Transport>::Recv);

/// A connection that can open and accept streams: quinn, the in-memory pair, or any
/// web-transport session through `Compat`.
///
/// A clone is a further handle to the same connection, with polling state of its own: each
/// `poll_*` method keeps at most one waker per handle, the last one. When the last handle and the last
/// stream are dropped, the connection is closed with code 0.
pub trait Transport: Clone + MaybeSend + MaybeSync + 'static {
    /// The sending half of a stream.
    type Send: SendStream;
    /// The receiving half of a stream.
    type Recv: RecvStream;

    /// Waits for a unidirectional stream opened by the peer.
    ///
    /// # Errors
    /// [`TransportError`] once the connection is gone.
    fn poll_accept_uni(&mut self, cx: &mut Context<'_>)
    -> Poll<Result<Self::Recv, TransportError>>;

    /// Waits for a bidirectional stream opened by the peer.
    ///
    /// # Errors
    /// [`TransportError`] once the connection is gone.
    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Streams<Self>, TransportError>>;

    /// Opens a unidirectional stream, waiting for the peer's stream credit.
    ///
    /// # Errors
    /// [`TransportError`] once the connection is gone.
    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Send, TransportError>>;

    /// Opens a bidirectional stream, waiting for the peer's stream credit.
    ///
    /// # Errors
    /// [`TransportError`] once the connection is gone.
    fn poll_open_bi(&mut self, cx: &mut Context<'_>)
    -> Poll<Result<Streams<Self>, TransportError>>;

    /// Waits for a datagram.
    ///
    /// # Errors
    /// [`TransportError`] once the connection is gone.
    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>>;

    /// Sends a datagram if there is room for it now; it is lost otherwise, as is one that is too long.
    fn send_datagram(&mut self, payload: Bytes);

    /// The largest payload that [`Self::send_datagram`] can carry now, in bytes; 0 without datagrams.
    fn max_datagram_size(&self) -> usize;

    /// What is known about this connection besides its bytes.
    fn info(&self) -> &TransportInfo;

    /// What the transport measures at this moment.
    fn stats(&self) -> TransportStats;

    /// How many packets have come from the peer; `None` from a backend that cannot ping, whose
    /// connections count as alive.
    ///
    /// A backend without packets counts something else that comes, as long as answers to
    /// [`Self::ping`] are among it.
    fn heard(&self) -> Option<u64> {
        None
    }

    /// Sends something that the peer's transport has to answer, whatever its application is busy with.
    fn ping(&self) {}

    /// Tells how many streams are left unread on purpose, so that what they hold back does not use
    /// up the flow control window that all streams share.
    ///
    /// A backend widens its window by what that many streams can hold, within reason, or ignores it.
    fn set_paused_streams(&self, count: usize) {
        let _ = count;
    }

    /// Tells how many bidirectional streams of the peer the session can hold at one time. It is told once,
    /// before any stream is accepted.
    ///
    /// A backend lets the peer open as many in the end, by credit that grows as it is used, or ignores it.
    fn set_stream_limit(&self, count: usize) {
        let _ = count;
    }

    /// Closes the connection with a code and a reason; later calls change nothing. A backend may cut a
    /// reason of more than 1024 bytes.
    fn close(&mut self, code: u32, reason: &str);

    /// Waits until either end has closed the connection, or it was lost.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError>;
}

/// The sending half of a stream. Dropped before it is finished or reset, it resets the stream with code 0.
pub trait SendStream: MaybeSend + MaybeSync + 'static {
    /// Writes as many of `chunks` as flow control allows, without copying them.
    ///
    /// Returns the bytes taken, more than 0 unless all chunks are empty. Chunks taken whole are
    /// left empty, and a chunk taken in part begins at its first byte not taken.
    ///
    /// # Errors
    /// [`SendError`] when the peer stopped the stream or the connection is gone.
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>>;

    /// Sets the send order among the connection's streams; higher is sent first.
    fn set_priority(&mut self, order: i32);

    /// Ends the stream well; what was written is still delivered.
    fn finish(&mut self);

    /// Abandons the stream with a moq-lite stream code; a finished and acknowledged one stays so. The
    /// first reset counts.
    fn reset(&mut self, code: u32);

    /// Waits until the peer has acknowledged everything up to the end, or stopped the stream.
    ///
    /// # Errors
    /// [`SendError`] when the peer stopped the stream, it was reset here, or the connection is gone.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>>;
}

/// The receiving half of a stream. Dropped before its end, it stops the stream with code 0.
pub trait RecvStream: MaybeSend + MaybeSync + 'static {
    /// Waits for the next bytes in order, or `None` after the last one; a chunk is never empty.
    ///
    /// # Errors
    /// [`RecvError`] when the peer reset the stream or the connection is gone.
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>>;

    /// Tells the peer to stop sending, with a moq-lite stream code; nothing is read afterwards. The first
    /// stop counts, and none that comes after the end was read.
    fn stop(&mut self, code: u32);
}

/// A connection that a peer has begun and that is not answered yet.
///
/// Where the request travels before there is a session (WebTransport's CONNECT), `accept` and
/// `refuse` answer it; where there is none (raw QUIC), the connection exists already and `refuse`
/// closes it.
pub trait Incoming: MaybeSend + 'static {
    /// What the connection becomes.
    type Transport: Transport;

    /// Path and query of the request, such as `/room?jwt=…`; `None` where SETUP carries it.
    fn request_path(&self) -> Option<&str>;

    /// The protocol names that the peer offers, most wanted first; one where TLS has settled it.
    fn protocols(&self) -> &[String];

    /// What is known of the peer before the request is answered; nothing unless the backend tells.
    fn info(&self) -> TransportInfo {
        TransportInfo::default()
    }

    /// Answers the request, with the protocol chosen from [`Self::protocols`].
    ///
    /// # Errors
    /// [`TransportError`] if the connection is gone.
    ///
    /// Not cancel safe: the connection is lost.
    fn accept(
        self,
        protocol: Option<&str>,
    ) -> impl Future<Output = Result<Self::Transport, TransportError>> + MaybeSend;

    /// Refuses the request with an HTTP status such as 401 or 503, or with the session close code
    /// that comes nearest. Not cancel safe: the peer may miss it.
    fn refuse(self, status: u16, close_code: u32) -> impl Future<Output = ()> + MaybeSend;
}

/// What a session can know of its connection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TransportInfo {
    /// What carries the session.
    pub kind: TransportKind,
    /// The protocol name that was negotiated, such as `moq-lite-06`.
    pub protocol: Option<String>,
    /// On a client whose binding has no URL: path and query for the SETUP.
    pub setup_path: Option<String>,
    /// The peer's address, where there is one.
    pub remote: Option<SocketAddr>,
    /// SHA-256 of the certificate that the peer showed, in hex.
    pub fingerprint: Option<String>,
    /// On a server: the authority that the client asked for, host and port or the name in TLS; not to be
    /// trusted.
    pub authority: Option<String>,
    /// On a server: the `Origin` header of a web page, not to be trusted except from a browser.
    pub origin: Option<String>,
}

/// The bindings of moq-lite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TransportKind {
    /// Raw QUIC, `moqt://`.
    #[default]
    Quic,
    /// WebTransport over HTTP/3, `https://`.
    WebTransport,
    /// Two ends in one process.
    Memory,
}

impl TransportKind {
    /// Whether the request's path travels outside of moq-lite's own SETUP.
    #[must_use]
    pub fn has_url(self) -> bool {
        self == Self::WebTransport
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "raw QUIC",
            Self::WebTransport => "WebTransport",
            Self::Memory => "memory",
        })
    }
}

/// What a transport measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportStats {
    /// Round-trip time.
    pub rtt: Option<Duration>,
    /// What the congestion controller would send, in bits per second.
    pub send_rate: Option<u64>,
}

/// Why a connection ended.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// One end closed the session on purpose.
    #[error("{by} closed the connection: code {code:#x}{}", Reason(reason))]
    Closed {
        /// Who did it.
        by: End,
        /// The session close code.
        code: u32,
        /// The peer's words, not to be trusted.
        reason: String,
    },
    /// Nothing came from the peer for longer than the idle timeout.
    #[error("the connection timed out")]
    TimedOut,
    /// The connection broke.
    #[error("the connection was lost: {0}")]
    Lost(Arc<dyn std::error::Error + Send + Sync>),
}

impl TransportError {
    /// A loss with the backend's error as source.
    pub fn lost(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Lost(Arc::from(source.into()))
    }
}

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// This one.
    Local,
    /// The other one.
    Peer,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "this end",
            Self::Peer => "the peer",
        })
    }
}

/// Why nothing more can be sent on a stream.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The peer stopped it.
    #[error("the peer stopped the stream with code {0:#x}")]
    Stopped(u32),
    /// The stream was finished or reset here already.
    #[error("the stream is closed")]
    Closed,
    /// The connection is gone.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Why nothing more can be received on a stream.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The peer reset it.
    #[error("the peer reset the stream with code {0:#x}")]
    Reset(u32),
    /// The stream was stopped here already.
    #[error("the stream is closed")]
    Closed,
    /// The connection is gone.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// A peer's reason in parentheses, escaped and cut to 256 bytes; nothing if empty.
struct Reason<'a>(&'a str);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", moq_model::text::Escaped(self.0))
    }
}
