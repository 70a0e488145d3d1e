//! What comes in on a driver's socket.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use moq_transport_common::Verdict;
use quinn_proto::{DatagramEvent, EndpointEvent, Incoming, Transmit};

use crate::conn::Conn;
use crate::driver::Driver;
use crate::handshake::Begun;
use crate::hub::Stray;
use crate::ids::driver_of;
use crate::owner::Owner;
use crate::pass::Work;
use crate::socket::{SLOTS, ecn};

impl Driver {
    /// Receives what is there, up to a full batch, and says whether there may be more.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        for _ in 0..MAX_BATCHES {
            match self.socket.poll_recv(cx, &mut self.inbox) {
                Poll::Ready(Ok(filled)) => {
                    for index in 0..filled {
                        self.take_slot(index, now);
                    }
                    if filled == SLOTS {
                        return true;
                    }
                }
                Poll::Ready(Err(error)) => {
                    // What comes from the network as an error may be forged, and ends nothing.
                    tracing::debug!(%error, "cannot receive");
                }
                Poll::Pending => return false,
            }
        }
        true
    }

    fn take_slot(&mut self, index: usize, now: Instant) {
        let (meta, bytes) = self.inbox.slot(index);
        if !can_be_answered(meta.addr) {
            return;
        }
        let (remote, local, ecn) = (meta.addr, meta.dst_ip, ecn(meta));
        let stride = meta.stride.max(1);
        let mut bytes = BytesMut::from(bytes);
        while !bytes.is_empty() {
            let bytes = bytes.split_to(stride.min(bytes.len()));
            let datagram = Stray {
                remote,
                local,
                ecn,
                bytes,
            };
            match driver_of(&datagram.bytes) {
                Some(other) if other != self.number && other < self.hubs.len() => {
                    self.hubs[other].pass(datagram);
                }
                _ => self.take_datagram(datagram, now),
            }
        }
    }

    /// Takes in what others have received for this driver.
    pub(super) fn take_strays(&mut self, now: Instant) {
        for stray in self.hub.take_strays() {
            self.take_datagram(stray, now);
        }
    }

    fn take_datagram(&mut self, datagram: Stray, now: Instant) {
        let Stray {
            remote,
            local,
            ecn,
            bytes,
        } = datagram;
        self.outbox.clear();
        self.work = Some(Work::Datagram);
        let event = self
            .endpoint
            .handle(now, remote, local, ecn, bytes, &mut self.outbox);
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                let key = handle.0;
                self.work = Some(Work::Connection(key));
                if let Some(conn) = self.conn(key) {
                    conn.lock().quic.handle_event(event);
                    self.set_ready(key);
                } else {
                    // A defect has kept it from beginning; the endpoint is to forget it, too.
                    let _ = self.endpoint.handle_event(handle, EndpointEvent::drained());
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.take_incoming(incoming, now),
            Some(DatagramEvent::Response(transmit)) => self.respond(&transmit),
            None => {}
        }
        self.work = None;
    }

    fn take_incoming(&mut self, incoming: Incoming, now: Instant) {
        self.outbox.clear();
        let Some(admission) = &self.admission else {
            self.endpoint.ignore(incoming);
            return;
        };
        let room = match admission.judge(
            incoming.remote_address(),
            incoming.remote_address_validated(),
        ) {
            Verdict::Shake(room) => room,
            Verdict::Retry => {
                // It may always be retried while its address is not validated.
                if let Ok(transmit) = self.endpoint.retry(incoming, &mut self.outbox) {
                    self.respond(&transmit);
                }
                return;
            }
            Verdict::Refuse => {
                let transmit = self.endpoint.refuse(incoming, &mut self.outbox);
                self.respond(&transmit);
                return;
            }
        };
        match self.endpoint.accept(incoming, now, &mut self.outbox, None) {
            Ok((handle, quic)) => {
                let conn = Conn::new(self.hub.clone(), handle.0, quic, self.limits);
                self.insert(conn.clone());
                // If nobody takes it, because the server is closed, it is closed by that.
                let owner = Owner::new(conn);
                let _ = self.begun.send(Begun { owner, room }).is_ok();
            }
            Err(error) => {
                tracing::debug!(error = %error.cause, "a connection could not be accepted");
                if let Some(transmit) = error.response {
                    self.respond(&transmit);
                }
            }
        }
    }

    /// Sends an answer that belongs to no connection. A peer that does not get it asks again.
    fn respond(&mut self, transmit: &Transmit) {
        let _ = self
            .socket
            .send(std::slice::from_ref(transmit), &self.outbox);
    }
}

/// Batches received before others have their turn, where none is full.
const MAX_BATCHES: usize = 8;

/// Whether the system sends to this address: it refuses port 0, which only a forged packet comes from.
fn can_be_answered(peer: SocketAddr) -> bool {
    peer.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_at_port_0_is_not_answered() {
        assert!(can_be_answered(([127, 0, 0, 1], 1).into()));
        assert!(!can_be_answered(([127, 0, 0, 1], 0).into()));
    }
}
