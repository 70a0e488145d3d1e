//! What went wrong, and whose fault it is.

use moq_model::text::Escaped;
use moq_wire::{DecodeError, EncodeError, Version, code};

use crate::limits::Limit;
use crate::transport::{End, RecvError, SendError, TransportError};

/// A rule of the protocol that the peer broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerFault {
    /// Bytes that do not parse.
    #[error("{what} does not parse: {error}")]
    Malformed {
        /// The message.
        what: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A stream that ended inside a message.
    #[error("the stream ended inside {0}")]
    Truncated(&'static str),
    /// A second Setup stream.
    #[error("a second SETUP")]
    SecondSetup,
    /// A second Goaway stream.
    #[error("a second GOAWAY")]
    SecondGoaway,
    /// No SETUP in time.
    #[error("no SETUP in time")]
    NoSetup,
    /// An answer that a request does not have.
    #[error("{0} where the draft has none")]
    Unexpected(&'static str),
    /// Two live subscriptions under one id.
    #[error("subscribe id {0} used twice")]
    DuplicateSubscribe(u64),
    /// Answers that contradict each other.
    #[error("{0} contradicts what was said before")]
    Contradiction(&'static str),
    /// More than this end is ready to take.
    #[error("more than {allowed} {limit}")]
    Exceeded {
        /// Of what.
        limit: Limit,
        /// How much is allowed.
        allowed: u64,
    },
}

/// This end's own code for a session that it cannot hold.
const TOO_MANY: u16 = 0x30;

impl PeerFault {
    /// The code with which the session is closed.
    #[must_use]
    pub(crate) fn close_code(&self) -> u32 {
        match self {
            Self::NoSetup => code::session::CONTROL_TIMEOUT,
            // What is too much for this end is no violation.
            Self::Exceeded { .. } => code::application(TOO_MANY),
            _ => code::session::PROTOCOL_VIOLATION,
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The peer broke the protocol, and was told so.
    #[error("the peer broke the protocol: {0}")]
    Peer(#[from] PeerFault),
    /// This end closed the session, or dropped its last handle.
    #[error("the session was closed here")]
    Closed,
    /// The peer ended the session's stream, and the session with it.
    #[error("the peer ended the session")]
    Ended,
    /// What the session was granted has run out.
    #[error("the grant has expired")]
    Expired,
    /// The draft that is spoken has no form for what this end has to say when it starts.
    #[error("this end cannot introduce itself: {0}")]
    Encode(#[from] EncodeError),
    /// Work of this session panicked with this message: a bug on this side. Other sessions go on.
    #[error("a bug on this side ended the session: {}", Escaped(.0))]
    Panicked(String),
    /// The connection ended.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl SessionError {
    /// Whether the peer closed the session for lack of authorization or of a common version, which the
    /// next session would lack as well. A grant that has expired is such a lack.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Transport(TransportError::Closed {
                by: End::Peer,
                code: code::session::UNAUTHORIZED | code::session::VERSION,
                ..
            })
        )
    }
}

/// Why a stream failed, which leaves the session alone.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StreamError {
    /// The peer broke the protocol on this stream.
    #[error("the peer broke the protocol: {0}")]
    Peer(#[from] PeerFault),
    /// The peer reset its half.
    #[error("the peer reset the stream: {}", Code(*.0))]
    Reset(u32),
    /// The peer stopped this end's half.
    #[error("the peer stopped the stream: {}", Code(*.0))]
    Stopped(u32),
    /// The draft that is spoken has no form for what this end has to say.
    #[error("this cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended, or the stream was closed here.
    #[error("the connection ended")]
    Transport,
}

impl From<SendError> for StreamError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Stopped(code) => Self::Stopped(code),
            SendError::Closed | SendError::Transport(_) => Self::Transport,
        }
    }
}

impl From<RecvError> for StreamError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Reset(code) => Self::Reset(code),
            RecvError::Closed | RecvError::Transport(_) => Self::Transport,
        }
    }
}

/// Why no session could be started as a client.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Peer and client have no draft in common.
    #[error("no common version: offered {}, the peer chose {}", Names(offered), Chosen(chosen.as_deref()))]
    NoCommonVersion {
        /// What this end offered.
        offered: Vec<Version>,
        /// What the peer chose, not to be trusted.
        chosen: Option<String>,
    },
    /// The session ended while it was starting.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why a peer was not let in.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Peer and server have no draft in common.
    #[error("no common version: the peer offers {}", Offered(offered))]
    NoCommonVersion {
        /// What the peer offered, not to be trusted.
        offered: Vec<String>,
    },
    /// The requested path is no broadcast path.
    #[error("the requested path is not valid: {0}")]
    Path(#[from] moq_model::PathError),
    /// The session ended while it was starting.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why a peer can't be granted something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// It is less than before, for another root or for another peer; the session is closed.
    #[error("the grant is narrower than before, so the session is closed")]
    Narrower,
}

/// Why a group can't be fetched.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The draft that is spoken has no FETCH.
    #[error("{0} has no FETCH")]
    NotInVersion(Version),
    /// What was asked for is no broadcast path.
    #[error(transparent)]
    Path(#[from] moq_model::PathError),
    /// The track was refused.
    #[error(transparent)]
    Track(#[from] moq_model::ReadError),
}

/// Why the peer can't be asked to leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoawayError {
    /// The draft that is spoken has no GOAWAY.
    #[error("{0} has no GOAWAY")]
    NotInVersion(Version),
    /// The URI is longer than the draft allows.
    #[error("the URI is longer than {} bytes", moq_wire::limits::MAX_GOAWAY_URI)]
    TooLong,
}

/// A stream code with its name.
struct Code(u32);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match code::stream::name(self.0) {
            Some(name) => write!(f, "{name} ({:#x})", self.0),
            None => write!(f, "code {:#x}", self.0),
        }
    }
}

struct Names<'a>(&'a [Version]);

impl std::fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.0.iter().map(|version| version.name()).collect();
        f.write_str(&names.join(", "))
    }
}

struct Chosen<'a>(Option<&'a str>);

impl std::fmt::Display for Chosen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => Escaped(name).fmt(f),
            None => f.write_str("none of them"),
        }
    }
}

struct Offered<'a>(&'a [String]);

impl std::fmt::Display for Offered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        Escaped(&self.0.join(", ")).fmt(f)
    }
}
