//! One direction of a stream, with both of its ends.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Wakers;

#[derive(Debug, Default)]
pub(super) struct Pipe {
    /// Bytes written that the receiver has not given credit back for.
    pub(super) unread: usize,
    /// Nothing of it may arrive before this.
    pub(super) not_before: u64,
    pub(super) is_finished: bool,
    pub(super) is_acked: bool,
    /// The sender gave up.
    pub(super) is_reset: bool,
    /// The receiver gave up, as the sender knows.
    pub(super) stopped: Option<u32>,
    pub(super) has_sender: bool,
    /// The stream counts against its opener's limit until this half is over.
    pub(super) is_counted: bool,
    pub(super) write_wakers: Wakers,
    pub(super) closed_wakers: Wakers,

    pub(super) arrived: VecDeque<Bytes>,
    pub(super) has_fin: bool,
    pub(super) reset: Option<u32>,
    pub(super) is_stopped: bool,
    pub(super) has_receiver: bool,
    pub(super) read_wakers: Wakers,
}

impl Pipe {
    pub(super) fn new(is_counted: bool) -> Self {
        Self {
            is_counted,
            has_sender: true,
            has_receiver: true,
            ..Self::default()
        }
    }

    /// Whether the sender has nothing more to do with it.
    pub(super) fn is_sent(&self) -> bool {
        self.is_acked || self.is_reset || (self.stopped.is_some() && !self.has_sender)
    }

    /// Whether the receiver has nothing more to do with it.
    pub(super) fn is_received(&self) -> bool {
        self.is_stopped || self.reset.is_some() || (self.has_fin && self.arrived.is_empty())
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_sent() && self.is_received()
    }

    pub(super) fn wake(&mut self) {
        self.write_wakers.wake();
        self.closed_wakers.wake();
        self.read_wakers.wake();
    }
}
