//! What becomes of a client's streams, by their beginnings.

use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn_proto::{Connection, Dir, StreamId};

use crate::connection::now;
use crate::http3::code::{
    H3_EXCESSIVE_LOAD, H3_REQUEST_REJECTED, H3_STREAM_CREATION_ERROR, WT_BUFFERED_STREAM_REJECTED,
};
use crate::http3::{Asking, Critical, Fault, Head, Purpose};
use crate::read::{Read, read};
use crate::refusals::abort;
use crate::web::{Session, Web};

/// A stream whose purpose is not known yet.
pub(super) struct Beginning {
    head: Head,
    /// Whether it has a deadline.
    is_timed: bool,
}

/// A stream of a session that was not requested yet. No more of it is read than it took to know
/// that, so that all the rest, its end too, is still there later.
pub(super) struct Early {
    session: u64,
    id: StreamId,
    bytes: Bytes,
}

impl Web {
    /// Takes in the streams that the client has opened.
    pub(super) fn read_new(&mut self, quic: &mut Connection) {
        for dir in [Dir::Bi, Dir::Uni] {
            while let Some(id) = quic.streams().accept(dir) {
                let beginning = Beginning {
                    head: Head::new(dir == Dir::Bi),
                    is_timed: false,
                };
                self.heads.insert(id, beginning);
                self.read_head(quic, id);
            }
        }
    }

    /// Reads on in the beginning of a stream, until its purpose is known.
    pub(super) fn read_head(&mut self, quic: &mut Connection, id: StreamId) {
        while let Some(beginning) = self.heads.get_mut(&id) {
            match read(quic, id) {
                Read::Bytes(mut bytes) => {
                    self.kept -= beginning.head.kept();
                    let purpose = beginning.head.push(&mut bytes);
                    self.kept += beginning.head.kept();
                    self.decide(quic, id, purpose, bytes);
                }
                Read::Blocked => {
                    // A unidirectional stream may be silent as long as it likes.
                    let is_begun = beginning.head.has_begun() || id.dir() == Dir::Bi;
                    if is_begun && !beginning.is_timed {
                        beginning.is_timed = true;
                        self.set_deadline(id);
                    }
                    return;
                }
                Read::End => {
                    let fault = beginning.head.finish();
                    self.forget(id);
                    self.blame(quic, id, &fault);
                }
                // It costs no more than a stream of the session that is given up as early.
                Read::Reset => {
                    let code = beginning.head.cut_off().code;
                    self.forget(id);
                    abort(quic, id, code);
                }
            }
        }
    }

    /// Gives a stream a while to say what it is for. Deadlines of those that have are forgotten when
    /// they are the most, because streams could be opened faster than deadlines pass.
    fn set_deadline(&mut self, id: StreamId) {
        self.deadlines.push_back((now() + HEAD_DEADLINE, id));
        if self.deadlines.len() > MIN_DEADLINES.max(2 * self.heads.len()) {
            let heads = &self.heads;
            self.deadlines.retain(|(_, id)| heads.contains_key(id));
        }
    }

    fn decide(
        &mut self,
        quic: &mut Connection,
        id: StreamId,
        purpose: Result<Option<Purpose>, Fault>,
        bytes: Bytes,
    ) {
        if matches!(purpose, Ok(None)) {
            if self.kept > MAX_KEPT {
                let reason = "too many requests that are not whole";
                self.fail(H3_EXCESSIVE_LOAD, reason);
            }
            return;
        }
        self.forget(id);
        match purpose {
            Ok(None) => {}
            Ok(Some(Purpose::Session(session))) => {
                self.member(quic, Early { session, id, bytes });
            }
            Ok(Some(Purpose::Critical(critical))) => self.begin_critical(quic, id, critical, bytes),
            Ok(Some(Purpose::Request(Asking::Session(request)))) if self.session.is_none() => {
                self.request = Some(*request);
                self.session = Some(Session::new(id));
                let end = self.capsules.push(bytes);
                self.take_end(quic, end);
                self.read_connect(quic);
                for early in std::mem::take(&mut self.early) {
                    self.member(quic, early);
                }
            }
            Ok(Some(Purpose::Request(Asking::Session(_)))) => {
                self.reject(quic, id, H3_REQUEST_REJECTED);
            }
            Ok(Some(Purpose::Request(Asking::Other(status)))) => self.refuse(quic, id, status),
            Ok(Some(Purpose::Unknown)) => self.reject(quic, id, H3_STREAM_CREATION_ERROR),
            Err(fault) => self.blame(quic, id, &fault),
        }
    }

    /// Keeps a stream of the session, or one of a session that may still be requested.
    fn member(&mut self, quic: &mut Connection, stream: Early) {
        let Early { session, id, bytes } = stream;
        match self.connect() {
            Some(connect) if u64::from(connect) == session => {
                self.accepted[id.dir() as usize].push_back((id, bytes));
            }
            None if self.early.len() < MAX_EARLY => self.early.push(Early { session, id, bytes }),
            _ => self.reject(quic, id, WT_BUFFERED_STREAM_REJECTED),
        }
    }

    fn begin_critical(
        &mut self,
        quic: &mut Connection,
        id: StreamId,
        critical: Critical,
        bytes: Bytes,
    ) {
        if self.critical.iter().any(|(_, old)| old.is_like(&critical)) {
            let reason = "a second stream of a type that there is one of";
            self.fail(H3_STREAM_CREATION_ERROR, reason);
            return;
        }
        self.critical.push((id, critical));
        self.take_critical(id, bytes);
        self.read_critical(quic, id);
    }

    /// Gives up the streams that have taken too long to say what they are for.
    pub(super) fn expire(&mut self, quic: &mut Connection, now: Instant) {
        while self.deadlines.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, id)) = self.deadlines.pop_front() {
                self.cut_off(quic, id);
            }
        }
    }

    /// When that is to be done next.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        while let Some((at, id)) = self.deadlines.front() {
            if self.heads.contains_key(id) {
                return Some(*at);
            }
            self.deadlines.pop_front();
        }
        None
    }

    /// Lets go of a stream whose purpose was not said.
    fn cut_off(&mut self, quic: &mut Connection, id: StreamId) {
        if let Some(beginning) = self.forget(id) {
            self.blame(quic, id, &beginning.head.cut_off());
        }
    }

    fn forget(&mut self, id: StreamId) -> Option<Beginning> {
        let beginning = self.heads.remove(&id)?;
        self.kept -= beginning.head.kept();
        Some(beginning)
    }

    /// Ends what a fault costs.
    pub(super) fn blame(&mut self, quic: &mut Connection, id: StreamId, fault: &Fault) {
        if fault.is_of_connection {
            self.fail(fault.code, fault.reason);
        } else {
            self.reject(quic, id, fault.code);
        }
    }
}

/// How long a stream may take to say what it is for: as long as a stream of a session may take to
/// say its type.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How many deadlines are no reason to look for those that are of no use.
const MIN_DEADLINES: usize = 64;

/// The most bytes of all requests that are not whole.
const MAX_KEPT: usize = 64 << 10;

/// The most streams of a session that was not requested yet.
const MAX_EARLY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use quinn_proto::Side;

    #[test]
    fn deadlines_of_streams_that_are_known_are_forgotten() {
        let mut web = Web::default();
        for index in 0..10_000 {
            web.set_deadline(StreamId::new(Side::Client, Dir::Uni, index));
            assert!(web.deadlines.len() <= MIN_DEADLINES);
        }
        assert_eq!(web.deadline(), None);
        let id = StreamId::new(Side::Client, Dir::Bi, 0);
        let beginning = Beginning {
            head: Head::new(true),
            is_timed: true,
        };
        web.heads.insert(id, beginning);
        web.set_deadline(id);
        assert!(web.deadline().is_some());
    }
}
