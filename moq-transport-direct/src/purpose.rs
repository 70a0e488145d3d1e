//! What the streams of an HTTP/3 connection are for, by their first bytes.

use bytes::{Bytes, BytesMut};
use quinn_proto::{Connection, Dir, StreamId, VarInt};
use web_transport_proto::{
    ConnectError, ConnectRequest, Frame, Settings, SettingsError, StreamUni, VarInt as H3VarInt,
};

use crate::read::{Read, read};
use crate::web::{Session, Web};

/// What a stream turns out to be.
enum Purpose {
    /// It takes more bytes to know.
    Unknown,
    /// One of a session that was not requested yet.
    Early,
    /// One of the session's; its head is gone from the bytes.
    Session,
    /// Read and forgotten.
    Drained,
    /// The request that makes the session.
    Connect,
    /// Nothing that this end serves.
    Refused,
}

impl Web {
    pub(super) fn read_head(&mut self, quic: &mut Connection, id: StreamId) {
        while let Some(head) = self.heads.get_mut(&id) {
            match read(quic, id) {
                Read::Bytes(bytes) if head.is_empty() => self.look(quic, id, bytes),
                Read::Bytes(bytes) => {
                    head.extend_from_slice(&bytes);
                    let bytes = std::mem::take(head).freeze();
                    self.look(quic, id, bytes);
                }
                Read::Blocked => return,
                Read::End | Read::Reset => {
                    self.heads.remove(&id);
                    refuse(quic, id);
                }
            }
        }
    }

    /// Decides what a stream is for, by its first bytes.
    fn look(&mut self, quic: &mut Connection, id: StreamId, mut bytes: Bytes) {
        match self.purpose(id, &mut bytes) {
            Purpose::Unknown if bytes.len() <= MAX_HEAD => {
                self.heads.insert(id, BytesMut::from(bytes));
                return;
            }
            Purpose::Unknown => self.fail("the beginning of a stream is too long"),
            // It is not read on, so that its end, and all that it has, are still there later.
            Purpose::Early => self.early.push((id, bytes)),
            Purpose::Session => self.accepted[id.dir() as usize].push_back((id, bytes)),
            Purpose::Drained => {
                self.drained.push(id);
                self.drain(quic, id);
            }
            Purpose::Refused => refuse(quic, id),
            Purpose::Connect => {
                self.heads.remove(&id);
                self.capsules.push(&bytes);
                self.read_connect(quic);
                for (id, bytes) in std::mem::take(&mut self.early) {
                    self.look(quic, id, bytes);
                }
            }
        }
        self.heads.remove(&id);
    }

    fn purpose(&mut self, id: StreamId, bytes: &mut Bytes) -> Purpose {
        let mut rest = bytes.clone();
        let Ok(kind) = H3VarInt::decode(&mut rest) else {
            return Purpose::Unknown;
        };
        match (id.dir(), kind) {
            (Dir::Bi, kind) if Frame(kind) == Frame::WEBTRANSPORT => self.member(rest, bytes),
            (Dir::Uni, kind) if StreamUni(kind) == StreamUni::WEBTRANSPORT => {
                self.member(rest, bytes)
            }
            (Dir::Bi, _) if self.session.is_none() => self.read_request(id, bytes),
            (Dir::Uni, kind) if StreamUni(kind) == StreamUni::CONTROL && !self.has_settings => {
                self.read_settings(bytes)
            }
            (Dir::Uni, kind) if is_qpack(kind) => Purpose::Drained,
            _ => Purpose::Refused,
        }
    }

    /// A stream of a session: of which one is said next.
    fn member(&self, mut rest: Bytes, bytes: &mut Bytes) -> Purpose {
        let Ok(named) = H3VarInt::decode(&mut rest) else {
            return Purpose::Unknown;
        };
        let Some(connect) = self.connect() else {
            return Purpose::Early;
        };
        if named.into_inner() != u64::from(connect) {
            return Purpose::Refused;
        }
        *bytes = rest;
        Purpose::Session
    }

    fn read_settings(&mut self, bytes: &Bytes) -> Purpose {
        match Settings::decode(&mut &bytes[..]) {
            Ok(settings) if settings.supports_webtransport() == 0 => {
                self.fail("the client does not support WebTransport");
            }
            Ok(_) => self.has_settings = true,
            Err(SettingsError::UnexpectedEnd) => return Purpose::Unknown,
            Err(error) => self.fail(&error.to_string()),
        }
        Purpose::Drained
    }

    fn read_request(&mut self, id: StreamId, bytes: &mut Bytes) -> Purpose {
        let mut rest = bytes.clone();
        match ConnectRequest::decode(&mut rest) {
            Ok(request) => {
                self.request = Some(request);
                self.session = Some(Session::new(id));
                *bytes = rest;
                return Purpose::Connect;
            }
            Err(ConnectError::UnexpectedEnd) => return Purpose::Unknown,
            Err(error) => self.fail(&error.to_string()),
        }
        Purpose::Refused
    }
}

fn is_qpack(kind: H3VarInt) -> bool {
    [StreamUni::QPACK_ENCODER, StreamUni::QPACK_DECODER].contains(&StreamUni(kind))
}

/// Lets go of a stream that is not served. Where it has ended already, there is nothing to do.
fn refuse(quic: &mut Connection, id: StreamId) {
    let _ = quic.recv_stream(id).stop(H3_REQUEST_REJECTED).is_ok();
    if id.dir() == Dir::Bi {
        let _ = quic.send_stream(id).reset(H3_REQUEST_REJECTED).is_ok();
    }
}

/// The most bytes that a stream may say before it is known what it is for; a request fits.
const MAX_HEAD: usize = 64 << 10;

/// HTTP/3's code for a stream that nobody looked at.
const H3_REQUEST_REJECTED: VarInt = VarInt::from_u32(0x10b);
