//! What comes in on a driver's socket.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use moq_transport_common::Verdict;
use quinn_proto::{DatagramEvent, EndpointEvent, Incoming, Transmit};

use crate::connection::ConnectionCore;
use crate::connection::ConnectionGuard;
use crate::driver::Driver;
use crate::handshake::Begun;
use crate::hub::Stray;
use crate::ids::LONG_HEADER;
use crate::pass::Work;
use crate::socket::{SLOTS, ecn};

impl Driver {
    /// Receives what is there, up to a full batch, and says whether there may be more.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        for _ in 0..MAX_BATCHES {
            let received = match self.socket.poll_recv(cx, &mut self.inbox) {
                Poll::Ready(received) => received,
                Poll::Pending if self.unasked.is_much() => self.socket.try_recv(&mut self.inbox),
                Poll::Pending => return false,
            };
            self.unasked = Unasked::default();
            match received {
                Ok(filled) => {
                    for index in 0..filled {
                        self.take_slot(index, now);
                    }
                    if filled == SLOTS {
                        self.unasked.count(MUCH);
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                // What comes from the network as an error may be forged, and ends nothing.
                Err(error) => tracing::debug!(%error, "cannot receive"),
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
            match self.siblings.other(&datagram.bytes) {
                Some(hub) => hub.pass(datagram),
                None => self.try_datagram(datagram, now),
            }
        }
    }

    /// Takes in what others have received for this driver.
    pub(super) fn take_strays(&mut self, now: Instant) {
        for stray in self.hub().take_strays() {
            self.try_datagram(stray, now);
        }
    }

    /// Takes in a datagram. One at which quinn-proto panics is lost, and those behind it are not.
    fn try_datagram(&mut self, datagram: Stray, now: Instant) {
        let _ = self.attempt(Work::Datagram, |this| this.take_datagram(datagram, now));
    }

    fn take_datagram(&mut self, datagram: Stray, now: Instant) {
        let Stray {
            remote,
            local,
            ecn,
            bytes,
        } = datagram;
        self.outbox.clear();
        let event = self
            .endpoint
            .handle(now, remote, local, ecn, bytes, &mut self.outbox);
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                let key = handle.0;
                self.turn_to(Work::Connection(key));
                let Some(connection) = self.table.get(key) else {
                    // A defect has kept it from beginning; the endpoint is to forget it, too.
                    let _ = self.endpoint.handle_event(handle, EndpointEvent::drained());
                    return;
                };
                let mut state = connection.lock();
                if !state.is_broken {
                    state.quic.handle_event(event);
                }
                drop(state);
                self.table.set_fresh(key);
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.take_incoming(incoming, now),
            Some(DatagramEvent::Response(transmit)) => {
                let mut is_allowed = || self.resets.allow(transmit.destination.ip(), now);
                if !is_reset(&self.outbox) || is_allowed() {
                    self.respond(&transmit);
                }
            }
            None => {}
        }
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
                let connection =
                    ConnectionCore::new(self.hub().clone(), handle.0, quic, self.limits);
                self.insert(connection.clone());
                // If nobody takes it, because the server is closed, it is closed by that.
                let guard = ConnectionGuard::new(connection);
                let _ = self.begun.send(Begun { guard, room }).is_ok();
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

/// How much the driver has done since it last looked whether anything has come.
///
/// It is told of arrivals by the runtime, which asks the system for them when no task is left to
/// run, or after several dozen have run. Where thousands of tasks are woken at once, or one pass
/// follows another, that takes many passes: the driver then looks by itself.
#[derive(Debug, Default)]
pub(super) struct Unasked(usize);

impl Unasked {
    /// Counts tasks that were woken and connections that were looked at.
    pub(super) fn count(&mut self, more: usize) {
        self.0 = self.0.saturating_add(more);
    }

    fn is_much(&self) -> bool {
        self.0 >= MUCH
    }
}

/// So much work that the runtime may not ask the system before the pass after the next: half of what
/// it runs between two times.
const MUCH: usize = 30;

/// Whether an answer that belongs to no connection is a stateless reset, which looks like a packet
/// with a short header.
fn is_reset(answer: &[u8]) -> bool {
    answer.first().is_some_and(|first| first & LONG_HEADER == 0)
}

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
