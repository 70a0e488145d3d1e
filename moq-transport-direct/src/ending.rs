//! How a session of WebTransport ends, and with it its connection.

use bytes::BytesMut;
use moq_transport_common::quic::SessionEnd;
use quinn_proto::{Connection, VarInt};
use web_transport_proto::{Capsule, Frame, VarInt as H3VarInt};

use crate::http3::Fault;
use crate::http3::code::H3_NO_ERROR;
use crate::read::{Read, read};
use crate::refusals::abort;
use crate::web::{Web, write_all};

/// How this end has to close the connection.
pub(super) struct Close {
    pub(super) code: VarInt,
    pub(super) reason: &'static str,
    /// Whether the client first has a while to read how the session has ended.
    pub(super) is_late: bool,
}

impl Web {
    /// How to close the connection, if it has to be.
    pub(super) fn take_close(&mut self) -> Option<Close> {
        self.close.take()
    }

    /// Whether the connection has to be closed, which the driver does.
    pub(super) fn has_to_close(&self) -> bool {
        self.close.is_some()
    }

    /// Tells the peer that the session is over, and says whether that could be written.
    pub(super) fn say_end(&mut self, quic: &mut Connection, code: u32, reason: &str) -> bool {
        self.is_over = true;
        let reason = reason.to_owned();
        let mut capsule = BytesMut::new();
        Capsule::CloseWebTransportSession { code, reason }.encode(&mut capsule);
        let (Some(id), Ok(length)) = (self.connect(), H3VarInt::try_from(capsule.len())) else {
            return false;
        };
        let mut frame = BytesMut::new();
        Frame::DATA.encode(&mut frame);
        length.encode(&mut frame);
        frame.extend_from_slice(&capsule);
        write_all(quic, id, frame.freeze()) && quic.send_stream(id).finish().is_ok()
    }

    /// Reads the session's end off its CONNECT stream.
    pub(super) fn read_connect(&mut self, quic: &mut Connection) {
        let Some(id) = self.connect() else { return };
        while self.close.is_none() {
            let end = match read(quic, id) {
                Read::Bytes(bytes) => self.capsules.push(bytes),
                Read::Blocked => return,
                // The standard reads an end without a capsule as code 0.
                Read::End => self.capsules.finish().map(Some),
                Read::Reset => Ok(Some(SessionEnd::default())),
            };
            self.take_end(quic, end);
        }
    }

    /// Takes in what has come of reading the CONNECT stream. With its session ends the connection,
    /// which has no other.
    pub(super) fn take_end(
        &mut self,
        quic: &mut Connection,
        end: Result<Option<SessionEnd>, Fault>,
    ) {
        match end {
            Ok(None) => {}
            Ok(Some(end)) => {
                self.close_by(H3_NO_ERROR, "", false);
                self.ended = Some(end);
            }
            Err(fault) if fault.is_of_connection => self.fail(fault.code, fault.reason),
            Err(fault) => {
                self.is_over = true;
                self.fault = Some(fault.reason);
                if let Some(id) = self.connect() {
                    abort(quic, id, fault.code);
                }
                self.close_by(H3_NO_ERROR, "", true);
            }
        }
    }

    pub(super) fn fail(&mut self, code: VarInt, reason: &'static str) {
        if self.close.is_none() {
            self.close_by(code, reason, false);
            self.fault = Some(reason);
        }
    }

    fn close_by(&mut self, code: VarInt, reason: &'static str, is_late: bool) {
        self.close = Some(Close {
            code,
            reason,
            is_late,
        });
    }
}
