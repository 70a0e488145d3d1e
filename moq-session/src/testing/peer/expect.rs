//! What a peer waits for.

use std::future::poll_fn;
use std::time::Duration;

use moq_model::platform::clock;
use moq_wire::{BiStream, Decode, GroupHeader, UniStream, decode_body};

use super::{Peer, alive, in_time};
use crate::testing::Script;
use crate::transport::{Transport, TransportError};

impl Peer {
    /// Waits for the session's next bidirectional stream, of which nothing is read.
    ///
    /// Cancel safe.
    pub async fn expect_raw_bi(&mut self) -> Script {
        let accepted = poll_fn(|cx| self.connection.poll_accept_bi(cx));
        let (send, recv) = alive(in_time("a bidirectional stream", accepted).await);
        Script::new("accepted bidi", self.version, Some(send), Some(recv))
    }

    /// Waits for a unidirectional stream of the session, of this type; others wait their turn.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_uni(&mut self, kind: UniStream) -> Script {
        let name = format!("{kind:?} (uni)");
        loop {
            let held = self.held_uni.iter().position(|(k, _)| *k == kind.code());
            if let Some(at) = held {
                return self.held_uni.remove(at).1;
            }
            let accepted = poll_fn(|cx| self.connection.poll_accept_uni(cx));
            let recv = alive(in_time(&name, accepted).await);
            let mut stream = Script::new(&name, self.version, None, Some(recv));
            let code = stream.expect_varint().await;
            self.held_uni.push((code, stream));
        }
    }

    /// Waits for a bidirectional stream of the session, of this type; others wait their turn.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_bi(&mut self, kind: BiStream) -> Script {
        let name = format!("{kind:?} (bidi)");
        loop {
            let held = self.held_bi.iter().position(|(k, _)| *k == kind.code());
            if let Some(at) = held {
                return self.held_bi.remove(at).1;
            }
            let accepted = poll_fn(|cx| self.connection.poll_accept_bi(cx));
            let (send, recv) = alive(in_time(&name, accepted).await);
            let mut stream = Script::new(&name, self.version, Some(send), Some(recv));
            let code = stream.expect_varint().await;
            self.held_bi.push((code, stream));
        }
    }

    /// Waits for a request of the session.
    ///
    /// # Panics
    /// If the stream begins otherwise.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_request<M: Decode>(&mut self, kind: BiStream) -> (M, Script) {
        let mut stream = self.expect_bi(kind).await;
        (stream.expect().await, stream)
    }

    /// Waits for a group's stream.
    ///
    /// # Panics
    /// If the stream begins otherwise.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_group(&mut self) -> (GroupHeader, Script) {
        let mut stream = self.expect_uni(UniStream::Group).await;
        (stream.expect().await, stream)
    }

    /// Checks that the session opens no stream of this type for a while.
    ///
    /// # Panics
    /// If it opens one.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_no_uni(&mut self, kind: UniStream, wait: Duration) {
        let came = clock::timeout(wait, self.expect_uni(kind)).await;
        assert!(came.is_err(), "no {kind:?} stream was expected");
    }

    /// As [`Self::expect_no_uni`], for bidirectional streams.
    ///
    /// # Panics
    /// If it opens one.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_no_bi(&mut self, kind: BiStream, wait: Duration) {
        let came = clock::timeout(wait, self.expect_bi(kind)).await;
        assert!(came.is_err(), "no {kind:?} stream was expected");
    }

    /// Waits for a datagram.
    ///
    /// # Panics
    /// If it does not parse.
    ///
    /// Cancel safe.
    pub async fn expect_datagram<M: Decode>(&mut self) -> M {
        let received = poll_fn(|cx| self.connection.poll_recv_datagram(cx));
        let datagram = alive(in_time("a datagram", received).await);
        let shown = format!("{datagram:02x?}");
        decode_body(datagram, self.version)
            .unwrap_or_else(|error| panic!("a datagram does not parse: {error} ({shown})"))
    }

    /// Waits until the session is closed, with this code.
    ///
    /// # Panics
    /// If it is closed with another code, or not at all.
    ///
    /// Cancel safe.
    pub async fn expect_close(&mut self, code: u32) -> String {
        let closed = poll_fn(|cx| self.connection.poll_closed(cx));
        match in_time("the session's close", closed).await {
            TransportError::Closed {
                code: got, reason, ..
            } => {
                assert_eq!(got, code, "closed with {got:#x} ({reason}), not {code:#x}");
                reason
            }
            error => panic!("the connection ended otherwise: {error}"),
        }
    }

    /// Checks that the session still answers: it refuses a stream of an unknown type.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn expect_alive(&mut self) {
        let mut stream = self.open_raw_bi().await;
        stream.send_varint(0x3f).await;
        stream.expect_reset(moq_wire::code::stream::CANCELLED).await;
    }
}
