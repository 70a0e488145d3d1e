//! Streams of a client that this end does not want.

use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn_proto::{Connection, Dir, StreamId, VarInt};
use rustc_hash::FxHashSet;

use crate::connection::now;
use crate::http3::answer;
use crate::http3::code::{H3_EXCESSIVE_LOAD, H3_NO_ERROR, H3_REQUEST_REJECTED};
use crate::recv;
use crate::web::{Web, write_all};

/// What was refused, and is not over.
#[derive(Default)]
pub(super) struct Refusals {
    /// Requests whose answers are on their way. The client's stream credit bounds them.
    answered: FxHashSet<StreamId>,
    counted: Counted,
}

/// How many streams were refused lately. Each gives the client credit for another one, so without a
/// bound it could open them as fast as it can send.
#[derive(Debug, Default)]
struct Counted {
    /// When the counting began.
    since: Option<Instant>,
    refused: u32,
}

impl Counted {
    /// Counts one more, and says whether those are too many.
    fn is_too_many(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= PERIOD;
        if self.since.is_none_or(is_over) {
            self.since = Some(now);
            self.refused = 0;
        }
        self.refused = self.refused.saturating_add(1);
        self.refused > MAX_REFUSED
    }
}

impl Web {
    /// Answers a request that is for no session. The client is stopped when it has the answer: in
    /// one packet, the stop would come first, and some clients give up a request at that.
    ///
    /// Draft: RFC 9114, HTTP Message Exchanges.
    pub(super) fn refuse(&mut self, quic: &mut Connection, id: StreamId, status: u16) {
        if write_all(quic, id, Bytes::from(answer(status))) {
            // It fails where the client has given up the stream, which is told below.
            let _ = quic.send_stream(id).finish().is_ok();
            self.refusals.answered.insert(id);
            self.count_refused();
        } else {
            self.reject(quic, id, H3_REQUEST_REJECTED);
        }
    }

    /// Lets go of a stream that is not wanted.
    pub(super) fn reject(&mut self, quic: &mut Connection, id: StreamId, code: VarInt) {
        abort(quic, id, code);
        self.count_refused();
    }

    fn count_refused(&mut self) {
        if self.refusals.counted.is_too_many(now()) {
            let reason = "too many streams that are not wanted";
            self.fail(H3_EXCESSIVE_LOAD, reason);
        }
    }

    /// Reads no more of a refused request, now that the client has its answer or does not want it.
    pub(super) fn end_refusal(&mut self, quic: &mut Connection, id: StreamId) {
        if self.refusals.answered.remove(&id) {
            abort(quic, id, H3_NO_ERROR);
        }
    }
}

/// Lets go of a stream. Where it has ended already, there is nothing to do.
pub(super) fn abort(quic: &mut Connection, id: StreamId, code: VarInt) {
    recv::stop(quic, id, code);
    if id.dir() == Dir::Bi {
        let _ = quic.send_stream(id).reset(code).is_ok();
    }
}

/// How long refused streams are counted.
const PERIOD: Duration = Duration::from_secs(10);

/// The most refused streams of a connection in that time. Those of a session that come before its
/// request, because packets were lost, are some hundreds.
const MAX_REFUSED: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_have_so_many_streams_refused_in_a_period() {
        let (mut counted, start) = (Counted::default(), Instant::now());
        for at in [start, start + PERIOD] {
            for _ in 0..MAX_REFUSED {
                assert!(!counted.is_too_many(at));
            }
            assert!(counted.is_too_many(at + PERIOD / 2));
        }
    }
}
