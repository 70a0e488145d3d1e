//! Why there is no session, with exit code and advice.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use moq_session::transport::{End, TransportError};
use moq_session::{DialError, Limit, SessionError};
use moq_transport_quinn::ConnectError;
use url::Url;

use super::shown;
use crate::exit::{Exit, Failure};

/// Why there is no session, with exit code and advice.
pub(crate) fn failed(url: &Url, error: Arc<DialError<ConnectError>>) -> anyhow::Error {
    let what = format!("cannot connect to {}", shown(url));
    let failure = match &*error {
        DialError::Dial(error) => transport_failure(&what, error),
        DialError::Connect(error) => session_failure(&what, error),
        DialError::Session(error) => ended_failure(what, error),
        _ => Failure::new(Exit::Failed, what),
    };
    anyhow::Error::new(Failed(error)).context(failure)
}

/// Why a session ended, with exit code and advice.
pub(crate) fn ended(url: &Url, error: SessionError) -> anyhow::Error {
    let failure = ended_failure(format!("the session with {} ended", shown(url)), &error);
    anyhow::Error::new(error).context(failure)
}

/// A limit on what one session may have was reached, here or behind the server.
pub(crate) fn no_capacity() -> Failure {
    let what = format!("no more {} are served", Limit::Subscriptions);
    Failure::new(Exit::Failed, what)
        .with_hint("the server or the publisher limits them, which its log says")
}

fn ended_failure(what: String, error: &SessionError) -> Failure {
    if is_unauthorized(error) {
        return Failure::new(Exit::Refused, what).with_hint(AUTHORIZATION);
    }
    match error {
        SessionError::Transport(TransportError::Closed {
            by: End::Peer,
            code: VERSION,
            ..
        }) => Failure::new(Exit::Failed, what).with_hint("offer another version with --version"),
        _ => Failure::new(Exit::Failed, what),
    }
}

fn session_failure(what: &str, error: &moq_session::ConnectError) -> Failure {
    match error {
        moq_session::ConnectError::Session(error) => ended_failure(what.to_owned(), error),
        _ => Failure::new(Exit::Failed, what).with_hint(OTHER_VERSION),
    }
}

fn transport_failure(what: &str, error: &ConnectError) -> Failure {
    let exit = match error {
        ConnectError::Timeout { .. } => Exit::TimedOut,
        ConnectError::Rejected { status: 401 | 403 } => Exit::Refused,
        ConnectError::Rejected { status: 404 } => Exit::NotFound,
        ConnectError::BadUrl(_) | ConnectError::UnsupportedScheme(_) => Exit::Usage,
        ConnectError::Transport(TransportError::Closed {
            by: End::Peer,
            code: UNAUTHORIZED,
            ..
        }) => Exit::Refused,
        _ => Exit::Failed,
    };
    let hint = match error {
        ConnectError::Certificate { fingerprint, .. } => Some(format!(
            "if you expected this certificate, give --tls-fingerprint {fingerprint}, or its authority with --tls-root FILE"
        )),
        ConnectError::NoCommonVersion => Some(OTHER_VERSION.to_owned()),
        ConnectError::Roots(_) => Some("give a PEM file with --tls-root".to_owned()),
        _ => error.hint(),
    };
    Failure::new(exit, what).with_hint_if(hint)
}

/// Whether the peer closed the session for lack of authorization.
pub(super) fn is_unauthorized(error: &SessionError) -> bool {
    let SessionError::Transport(TransportError::Closed { by, code, .. }) = error else {
        return false;
    };
    *by == End::Peer && *code == UNAUTHORIZED
}

/// A shared error as one of its own.
#[derive(Debug)]
struct Failed(Arc<DialError<ConnectError>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The session close code of a refusal.
const UNAUTHORIZED: u32 = 0x2;

/// The session close code of ends that have no version in common.
const VERSION: u32 = 0x15;

const AUTHORIZATION: &str = "check the token in the URL, and what its path allows";

const OTHER_VERSION: &str =
    "offer another version with --version, or use the other binding: https:// or moqt://";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moq_transport_quinn::Phase;

    use super::*;
    use crate::exit;

    fn url() -> Url {
        Url::parse("moqt://user:secret@h:1/room?jwt=secret").unwrap()
    }

    #[test]
    fn each_failure_to_connect_has_its_code() {
        let phase = Phase::Handshake;
        let after = Duration::from_secs(3);
        for (error, code) in [
            (ConnectError::Timeout { phase, after }, Exit::TimedOut),
            (ConnectError::Rejected { status: 401 }, Exit::Refused),
            (ConnectError::Rejected { status: 403 }, Exit::Refused),
            (ConnectError::Rejected { status: 500 }, Exit::Failed),
            (ConnectError::NoCommonVersion, Exit::Failed),
            (
                ConnectError::Refused {
                    addr: ([127, 0, 0, 1], 1).into(),
                },
                Exit::Failed,
            ),
        ] {
            let error = failed(&url(), Arc::new(DialError::Dial(error)));
            assert_eq!(exit::code(&error), code, "{error:#}");
            let line = exit::line(&error);
            assert!(
                line.starts_with("moq: cannot connect to moqt://h:1/room: "),
                "{line}"
            );
        }
    }

    #[test]
    fn a_session_closed_as_unauthorized_was_refused() {
        let closed = |by, code| {
            SessionError::Transport(TransportError::Closed {
                by,
                code,
                reason: String::new(),
            })
        };
        let exit_code = |by, code| exit::code(&ended(&url(), closed(by, code)));
        assert_eq!(exit_code(End::Peer, UNAUTHORIZED), Exit::Refused);
        assert_eq!(exit_code(End::Local, UNAUTHORIZED), Exit::Failed);
        assert_eq!(exit_code(End::Peer, VERSION), Exit::Failed);
    }
}
