//! What happens on a connection because time has passed.

use std::net::SocketAddr;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moq_transport_common::quic::H3_NO_ERROR;
use quinn_proto::Transmit;

use crate::connection::State;
use crate::driver::Driver;
use crate::pass::Work;

/// When a connection has to be visited, beside what quinn-proto asks for.
pub(super) struct Deadlines {
    /// When to stop waiting for the peer of a session that was closed.
    give_up_at: Option<Instant>,
    /// While pacing holds packets back.
    paced: Option<Paced>,
    /// The peer's address when there was last an opportunity to send.
    sent_to: SocketAddr,
}

/// A deadline of quinn-proto, at which a whole burst may be sent.
#[derive(Debug, Clone, Copy)]
struct Paced {
    whole_at: Instant,
    /// When part of the burst may be sent.
    part_at: Instant,
}

impl Paced {
    /// A burst grows up to its size, and what would come on top while a timer is late is lost. So
    /// the connection is visited before the burst is whole, and a late timer finds it whole. Before
    /// a quarter of the time it is not worth a visit.
    fn new(now: Instant, whole_at: Instant) -> Self {
        let early = whole_at.saturating_duration_since(now) * 3 / 4;
        let part_at = whole_at
            .checked_sub(early.min(MAX_LATE))
            .unwrap_or(whole_at);
        Self { whole_at, part_at }
    }
}

impl Deadlines {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            give_up_at: None,
            paced: None,
            sent_to: peer,
        }
    }

    /// The peer's address when there was last an opportunity to send.
    pub(super) fn sent_to(&self) -> SocketAddr {
        self.sent_to
    }

    pub(super) fn stop_waiting(&mut self) {
        self.give_up_at = None;
    }

    /// Whether the peer has been told of the session's end, and not yet answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.give_up_at.is_some()
    }
}

impl Driver {
    /// Finds the connections whose time has come.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop(now) {
            let _ = self.attempt(Work::Connection(key), |this| this.expire_one(key, now));
        }
    }

    fn expire_one(&mut self, key: usize, now: Instant) {
        let Some(connection) = self.table.get(key).cloned() else {
            return;
        };
        let mut state = connection.lock();
        if state.deadline().is_some_and(|at| at <= now) {
            state.expire(now, &mut self.woken);
            self.table.set_fresh(key);
        } else {
            self.set_timer(key, &mut state);
        }
    }

    /// Has a connection looked at when its deadline comes.
    pub(super) fn set_timer(&mut self, key: usize, state: &mut State) {
        if let Some(at) = state.deadline() {
            self.timers.set(key, at);
        }
    }
}

impl State {
    /// The next packets to send.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        segments: usize,
        outbox: &mut Vec<u8>,
    ) -> Option<Transmit> {
        if self.is_broken {
            return None;
        }
        let before = self.quic.poll_timeout();
        let transmit = self.quic.poll_transmit(now, segments, outbox);
        self.deadlines.sent_to = self.quic.remote_address();
        self.deadlines.paced = match (&transmit, self.quic.poll_timeout()) {
            // Where there is nothing to send, the only deadline that it may set is pacing's.
            (None, Some(at)) if Some(at) != before => Some(Paced::new(now, at)),
            (None, _) => self.deadlines.paced,
            (Some(_), _) => None,
        };
        transmit
    }

    /// When to visit the connection again, if nothing happens before.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        if self.is_broken {
            return None;
        }
        let timeout = self.quic.poll_timeout();
        let paced = self.deadlines.paced;
        let paced = paced.filter(|paced| Some(paced.whole_at) == timeout);
        let timeout = paced.map(|paced| paced.part_at).or(timeout);
        let web = self.web.as_mut().and_then(|web| web.deadline());
        let own = self.deadlines.give_up_at.into_iter().chain(web);
        timeout.into_iter().chain(own).min()
    }

    /// Gives the peer a while to read that the session is over. It closes the connection then; if
    /// it does not, this end does.
    pub(super) fn give_time(&mut self, now: Instant) {
        let patience = (self.quic.rtt() * 3).max(MIN_PATIENCE);
        self.deadlines.give_up_at = Some(now + patience);
    }

    /// Takes in that the deadline has passed. One of the way to the peer's former address is none of
    /// the way to a new one: that has none before it was sent something.
    pub(super) fn expire(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        // What may be sent is sent in this pass, and what is held back sets the next deadline.
        self.deadlines.paced = None;
        let has_moved = self.deadlines.sent_to != self.quic.remote_address();
        if !has_moved && self.quic.poll_timeout().is_some_and(|at| at <= now) {
            self.quic.handle_timeout(now);
        }
        if let Some(web) = &mut self.web {
            web.expire(&mut self.quic, now);
        }
        if self.deadlines.give_up_at.is_some_and(|at| at <= now) {
            self.close(now, H3_NO_ERROR, Bytes::new(), woken);
        }
    }
}

/// The least time for the peer to read that a session is over.
const MIN_PATIENCE: Duration = Duration::from_millis(100);

/// How late a timer may be without a paced connection falling behind.
const MAX_LATE: Duration = Duration::from_millis(5);
