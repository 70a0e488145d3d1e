//! Streams of a client that this end does not want.

use bytes::Bytes;
use quinn_proto::{Connection, Dir, StreamId, VarInt};
use rustc_hash::FxHashSet;

use crate::http3::answer;
use crate::http3::code::{H3_NO_ERROR, H3_REQUEST_REJECTED};
use crate::recv;
use crate::web::{Web, write_all};

/// What was refused, and is not over.
#[derive(Default)]
pub(super) struct Refusals {
    /// Requests whose answers are on their way. The client's stream credit bounds them.
    answered: FxHashSet<StreamId>,
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
        } else {
            abort(quic, id, H3_REQUEST_REJECTED);
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
