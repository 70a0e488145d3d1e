//! Why a group does not arrive whole.

use moq_model::{Abort, WriteError};
use moq_wire::code;

use crate::convert;
use crate::error::{PeerFault, StreamError};
use crate::limiter::Limiter;
use crate::limits::Limit;

/// Why a group did not arrive whole, and what the peer is told.
#[derive(Debug)]
pub(super) struct GroupFailure {
    pub(super) abort: Abort,
    pub(super) stop: Option<u32>,
    pub(super) fault: Option<PeerFault>,
}

impl GroupFailure {
    /// Counts what is the peer's fault.
    pub(super) fn count(&self, limiter: &Limiter) {
        if let Some(fault) = &self.fault {
            limiter.strike(fault);
        }
        if matches!(self.abort, Abort::GroupTooLarge | Abort::FrameTooLarge) {
            limiter.reach(Limit::Group);
        }
    }
}

impl From<StreamError> for GroupFailure {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Reset(code) => Self {
                abort: convert::abort(code),
                stop: None,
                fault: None,
            },
            StreamError::Peer(fault) => {
                let (abort, stop) = match fault {
                    PeerFault::Truncated(_) => (Abort::Internal, None),
                    PeerFault::Exceeded { .. } => {
                        let code = code::stream::NO_CAPACITY;
                        (convert::abort(code), Some(code))
                    }
                    _ => (Abort::Malformed, Some(code::stream::MALFORMED_TRACK)),
                };
                Self {
                    abort,
                    stop,
                    fault: Some(fault),
                }
            }
            StreamError::Timeout => Self {
                abort: Abort::Timeout,
                stop: Some(code::stream::CONTROL_TIMEOUT),
                fault: None,
            },
            _ => Self {
                abort: Abort::SessionClosed,
                stop: None,
                fault: None,
            },
        }
    }
}

impl From<WriteError> for GroupFailure {
    fn from(error: WriteError) -> Self {
        let abort = match error {
            WriteError::GroupTooLarge => Abort::GroupTooLarge,
            _ => Abort::Expired,
        };
        Self {
            abort,
            stop: Some(convert::abort_code(abort)),
            fault: None,
        }
    }
}
