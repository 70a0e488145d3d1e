//! Packets on their way to a driver's socket.

use std::collections::VecDeque;

use quinn_proto::Transmit;

use crate::direct::socket::Socket;

/// What is encoded, in order, and not yet taken by the system.
///
/// Encoding a packet and sending it are each more code than a core's first cache holds. So several
/// connections have theirs encoded before any of it is sent.
#[derive(Default)]
pub(super) struct Outgoing {
    trains: VecDeque<Transmit>,
    /// Of all trains, and before them of those that were sent.
    bytes: Vec<u8>,
    /// How many bytes were sent.
    sent: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.trains.is_empty()
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.trains.len() >= MAX_TRAINS || self.bytes.len() >= MAX_SIZE
    }

    /// Takes in a train. A long one is sent at once, because nothing is won by copying it.
    pub(super) fn push(&mut self, socket: &mut Socket, transmit: Transmit, bytes: &[u8]) {
        let is_long = transmit.size >= LONG;
        if is_long && self.send(socket) && socket.send(&transmit, bytes) {
            return;
        }
        self.bytes.extend_from_slice(&bytes[..transmit.size]);
        self.trains.push_back(transmit);
    }

    /// Sends what is there, and says whether the system took it all.
    pub(super) fn send(&mut self, socket: &mut Socket) -> bool {
        while let Some(transmit) = self.trains.front() {
            if !socket.send(transmit, &self.bytes[self.sent..]) {
                return false;
            }
            self.sent += transmit.size;
            self.trains.pop_front();
        }
        self.bytes.clear();
        self.sent = 0;
        socket.has_room();
        true
    }
}

/// Trains that are encoded before they are sent.
const MAX_TRAINS: usize = 32;

/// Bytes of trains that are encoded before they are sent.
const MAX_SIZE: usize = 32 << 10;

/// Bytes of a train that is sent by itself.
const LONG: usize = 16 << 10;
