//! WebTransport on one connection, without I/O: HTTP/3's streams, the CONNECT request, and the
//! heads that say which session a stream belongs to.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use moq_transport_common::quic::SessionEnd;
use quinn_proto::{Connection, Dir, StreamId};
use rustc_hash::FxHashMap;
use web_transport_proto::{ConnectRequest, ConnectResponse, Frame, StreamUni, VarInt as H3VarInt};

use crate::ending::Close;
use crate::http3::code::H3_STREAM_CREATION_ERROR;
use crate::http3::{Capsules, Critical, datagram_stream, our_settings};
use crate::purpose::{Beginning, Early};
use crate::read::{Read, read};
use crate::refusals::Refusals;

/// The HTTP/3 side of a connection that carries one session.
#[derive(Default)]
pub(crate) struct Web {
    /// Streams whose purpose is not known yet.
    pub(super) heads: FxHashMap<StreamId, Beginning>,
    /// When each of them is given up, and some that are known meanwhile.
    pub(super) deadlines: VecDeque<(Instant, StreamId)>,
    /// How many bytes they keep.
    pub(super) kept: usize,
    /// Streams of a session that was not requested yet.
    pub(super) early: Vec<Early>,
    /// Streams of the session that nobody has accepted, with what was read beyond their heads.
    pub(super) accepted: [VecDeque<(StreamId, Bytes)>; 2],
    /// Streams that last as long as the connection.
    pub(super) critical: Vec<(StreamId, Critical)>,
    has_settings: bool,
    pub(super) refusals: Refusals,
    pub(super) request: Option<ConnectRequest>,
    pub(super) session: Option<Session>,
    pub(super) capsules: Capsules,
    /// How the peer ended the session.
    pub(super) ended: Option<SessionEnd>,
    /// What the peer did wrong, where that has ended the connection.
    pub(super) fault: Option<&'static str>,
    /// Whether this end has said that the session is over.
    pub(super) is_over: bool,
    pub(super) close: Option<Close>,
}

/// The session's CONNECT stream, and what names the session on its streams.
pub(super) struct Session {
    connect: StreamId,
    uni_head: Bytes,
    bidi_head: Bytes,
    datagram_head: Bytes,
}

/// What has come of looking at the streams.
#[derive(Default)]
pub(super) struct Progress {
    /// By direction: whether a stream of the session can be accepted.
    pub(super) accepted: [bool; 2],
    /// Whether the request is there, and can be answered.
    pub(super) requested: bool,
}

impl Web {
    /// Opens this end's control stream.
    pub(super) fn begin(quic: &mut Connection) -> Self {
        let mut web = Self::default();
        let control = quic.streams().open(Dir::Uni);
        if !control.is_some_and(|id| write_all(quic, id, our_settings().into())) {
            let reason = "there is no credit for a control stream";
            web.fail(H3_STREAM_CREATION_ERROR, reason);
        }
        web
    }

    /// Looks at new streams, or at one that has something new.
    pub(super) fn progress(&mut self, quic: &mut Connection, id: Option<StreamId>) -> Progress {
        let had_request = self.is_requested();
        let waiting = [self.accepted[0].len(), self.accepted[1].len()];
        match id {
            None => self.read_new(quic),
            Some(id) if self.connect() == Some(id) => self.read_connect(quic),
            Some(id) if self.heads.contains_key(&id) => self.read_head(quic, id),
            Some(id) => self.read_critical(quic, id),
        }
        let grown = |dir: usize| self.accepted[dir].len() > waiting[dir];
        Progress {
            accepted: [grown(0), grown(1)],
            requested: self.is_requested() && !had_request,
        }
    }

    /// A stream of the session, with what was read of it.
    pub(super) fn accept(&mut self, dir: Dir) -> Option<(StreamId, Bytes)> {
        self.accepted[dir as usize].pop_front()
    }

    /// The request, once it can be answered; it is given once.
    pub(super) fn take_request(&mut self) -> Option<ConnectRequest> {
        self.request.take_if(|_| self.has_settings)
    }

    /// Answers the request, and says whether that could be written.
    pub(super) fn respond(&self, quic: &mut Connection, response: &ConnectResponse) -> bool {
        let mut bytes = BytesMut::new();
        let encoded = response.encode(&mut bytes).is_ok();
        encoded
            && self
                .connect()
                .is_some_and(|id| write_all(quic, id, bytes.freeze()))
    }

    /// Ends the answer, where it is a refusal.
    pub(super) fn finish(&self, quic: &mut Connection) {
        if let Some(id) = self.connect() {
            // It fails if the peer has stopped it, and then knows enough.
            let _ = quic.send_stream(id).finish().is_ok();
        }
    }

    /// What a stream of the session begins with.
    pub(super) fn head(&self, dir: Dir) -> Bytes {
        match (&self.session, dir) {
            (Some(session), Dir::Uni) => session.uni_head.clone(),
            (Some(session), Dir::Bi) => session.bidi_head.clone(),
            (None, _) => Bytes::new(),
        }
    }

    /// The payload of a datagram, if it is the session's.
    pub(super) fn datagram(&mut self, mut datagram: Bytes) -> Option<Bytes> {
        let session = u64::from(self.connect()?);
        match datagram_stream(&mut datagram) {
            Ok(stream) => (stream == session).then_some(datagram),
            Err(fault) => {
                self.fail(fault.code, fault.reason);
                None
            }
        }
    }

    /// What a datagram of the session begins with.
    pub(super) fn datagram_head(&self) -> &[u8] {
        self.session
            .as_ref()
            .map_or(&[], |session| &session.datagram_head)
    }

    /// Reads on in a stream that lasts as long as the connection, if it is one.
    pub(super) fn read_critical(&mut self, quic: &mut Connection, id: StreamId) {
        while self.close.is_none() && self.critical.iter().any(|(critical, _)| *critical == id) {
            match read(quic, id) {
                Read::Bytes(bytes) => self.take_critical(id, bytes),
                Read::Blocked => return,
                Read::End | Read::Reset => {
                    self.critical.retain(|(critical, _)| *critical != id);
                    self.miss_critical(quic);
                }
            }
        }
    }

    /// Takes in that such a stream has ended. Of a connection whose session is over, or ends with
    /// it, they end in any order.
    fn miss_critical(&mut self, quic: &mut Connection) {
        self.read_connect(quic);
        if !self.is_over && !quic.is_closed() {
            let fault = Critical::closed();
            self.fail(fault.code, fault.reason);
        }
    }

    /// Takes in what such a stream says.
    pub(super) fn take_critical(&mut self, id: StreamId, bytes: Bytes) {
        for (critical_id, critical) in &mut self.critical {
            if *critical_id == id {
                let pushed = critical.push(bytes);
                self.has_settings |= critical.has_settings();
                if let Err(fault) = pushed {
                    self.fail(fault.code, fault.reason);
                }
                return;
            }
        }
    }

    fn is_requested(&self) -> bool {
        self.has_settings && self.request.is_some()
    }

    pub(super) fn connect(&self) -> Option<StreamId> {
        self.session.as_ref().map(|session| session.connect)
    }
}

impl Session {
    pub(super) fn new(connect: StreamId) -> Self {
        let head = |kind: Option<H3VarInt>, id: u64| {
            let mut bytes = BytesMut::new();
            for number in kind.into_iter().chain(H3VarInt::from_u64(id).ok()) {
                number.encode(&mut bytes);
            }
            bytes.freeze()
        };
        let id = u64::from(connect);
        Self {
            connect,
            uni_head: head(Some(StreamUni::WEBTRANSPORT.0), id),
            bidi_head: head(Some(Frame::WEBTRANSPORT.0), id),
            datagram_head: head(None, id / 4),
        }
    }
}

/// Writes a few bytes, and says whether there was room for all of them.
pub(super) fn write_all(quic: &mut Connection, id: StreamId, bytes: Bytes) -> bool {
    let mut chunks = [bytes];
    let written = quic.send_stream(id).write_chunks(&mut chunks).is_ok();
    written && !chunks[0].has_remaining()
}
