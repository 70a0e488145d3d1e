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
    trains: VecDeque<(Transmit, Vec<u8>)>,
    /// Bytes in all trains.
    size: usize,
    /// Empty ones, of trains that were sent.
    buffers: Vec<Vec<u8>>,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.trains.is_empty()
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.trains.len() >= MAX_TRAINS || self.size >= MAX_SIZE
    }

    /// Room to encode a train in.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes back room that was not needed.
    pub(super) fn reuse(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.buffers.push(buffer);
    }

    pub(super) fn push(&mut self, transmit: Transmit, buffer: Vec<u8>) {
        self.size += transmit.size;
        self.trains.push_back((transmit, buffer));
    }

    /// Sends what is there, and says whether the system took it all.
    pub(super) fn send(&mut self, socket: &mut Socket) -> bool {
        while let Some((transmit, bytes)) = self.trains.front() {
            if !socket.send(transmit, bytes) {
                return false;
            }
            if let Some((transmit, buffer)) = self.trains.pop_front() {
                self.size -= transmit.size;
                self.reuse(buffer);
            }
        }
        socket.has_room();
        true
    }
}

/// Trains that are encoded before they are sent.
const MAX_TRAINS: usize = 32;

/// Bytes of trains, counted before the last one, that are encoded before they are sent.
const MAX_SIZE: usize = 32 << 10;
