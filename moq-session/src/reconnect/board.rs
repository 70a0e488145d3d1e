//! Where the state of a connection that is kept is posted.

use moq_wire::code;
use tokio::sync::watch;

use super::Status;
use crate::resume::Sessions;
use crate::session::Session;

/// Posts what is going on. Dropped, it closes the session that is up.
#[derive(Debug)]
pub(super) struct Board<E: std::error::Error + 'static> {
    status: watch::Sender<Status<E>>,
    session: watch::Sender<Option<Session>>,
}

/// A session that is closed when this is dropped, whoever else has a handle to it.
#[derive(Debug)]
pub(super) struct Lingering(pub(super) Session);

impl<E: std::error::Error + 'static> Board<E> {
    /// A board on which the first dial is posted, and what reads it.
    pub(super) fn new() -> (Self, watch::Receiver<Status<E>>, Sessions) {
        let (status, statuses) = watch::channel(Status::Connecting { attempt: 1 });
        let (session, sessions) = watch::channel(None);
        (Self { status, session }, statuses, Sessions::new(sessions))
    }

    /// Posts a change.
    pub(super) fn post(&self, status: Status<E>) {
        self.session.send_replace(status.session().cloned());
        self.status.send_replace(status);
    }
}

impl<E: std::error::Error + 'static> Drop for Board<E> {
    fn drop(&mut self) {
        if let Some(session) = &*self.session.borrow() {
            session.close(code::session::NO_ERROR, "");
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        self.0.close(code::session::NO_ERROR, "");
    }
}
