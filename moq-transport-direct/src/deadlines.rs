//! What happens on a connection because time has passed.

use std::task::Waker;
use std::time::{Duration, Instant};

use quinn_proto::Transmit;

use crate::conn::State;
use crate::driver::Driver;
use crate::pass::Work;

impl Driver {
    /// Finds the connections whose time has come, or as good as.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop(now) {
            self.expire_one(key, now, |state| state.deadline());
        }
        while let Some(key) = self.early.pop(now) {
            self.expire_one(key, now, |state| state.early_deadline(now));
        }
    }

    fn expire_one(
        &mut self,
        key: usize,
        now: Instant,
        deadline: impl FnOnce(&mut State) -> Option<Instant>,
    ) {
        let Some(conn) = self.conn(key).cloned() else {
            return;
        };
        self.work = Some(Work::Connection(key));
        let mut state = conn.lock();
        if deadline(&mut state).is_some_and(|at| at <= now) {
            state.expire(now, &mut self.woken);
            self.set_ready(key);
        } else {
            self.set_timers(key, &mut state, now);
        }
        self.work = None;
    }

    /// Has a connection looked at when its deadlines come.
    pub(super) fn set_timers(&mut self, key: usize, state: &mut State, now: Instant) {
        if let Some(at) = state.deadline() {
            self.timers.set(key, at);
        }
        if let Some(at) = state.early_deadline(now) {
            self.early.set(key, at);
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
        loop {
            let at = self.reached.max(match self.is_late {
                true => self.earliest(now),
                false => now,
            });
            let transmit = self.quic.poll_transmit(at, segments, outbox);
            self.sent_to = self.quic.remote_address();
            if let Some(transmit) = transmit {
                if transmit.size > ACKNOWLEDGEMENT {
                    self.wrote_at = Some(now);
                }
                return Some(transmit);
            }
            if !self.go_on(now) {
                self.is_late = false;
                if at >= now {
                    return None;
                }
            }
        }
    }

    /// Goes on to the next deadline, if it has passed or is as good as there.
    ///
    /// Pacing allows a burst per deadline, and a connection would be the slower for each that is
    /// noticed late: by a millisecond as a rule, by many when the machine is busy.
    fn go_on(&mut self, now: Instant) -> bool {
        let due = self.quic.poll_timeout();
        let due = due.filter(|at| *at <= now + self.leeway());
        let Some(at) = due.filter(|at| !self.is_late || *at > self.reached) else {
            return false;
        };
        // quinn-proto's time never goes back.
        self.reached = at.max(self.earliest(now)).max(self.reached);
        self.quic.handle_timeout(self.reached);
        self.is_late = true;
        true
    }

    /// The earliest time that may be made up for: what is sent then counts as sent then.
    fn earliest(&self, now: Instant) -> Instant {
        now.checked_sub(self.quic.rtt() / 4).unwrap_or(now)
    }

    /// By how much a deadline may be early. Timers are not more precise.
    fn leeway(&self) -> Duration {
        (self.quic.rtt() / 8).min(Duration::from_millis(1))
    }

    /// When to visit the connection again, if nothing happens before.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let timeout = self.quic.poll_timeout();
        let web = self.web.as_mut().and_then(|web| web.deadline());
        timeout.into_iter().chain(self.give_up_at).chain(web).min()
    }

    /// From when on a pass for another reason may do what the deadline is for.
    ///
    /// Where nothing was written for a while, nothing of this end waits to be acknowledged, and
    /// what comes next is the acknowledgement of what has come: it may be early, and a wake less.
    pub(super) fn early_deadline(&mut self, now: Instant) -> Option<Instant> {
        if self.wrote_at.is_some_and(|wrote| wrote + QUIET >= now) {
            return None;
        }
        self.quic.poll_timeout()?.checked_sub(EARLY)
    }

    /// Takes in that the deadline has passed, or may be taken for that. One of the way to the peer's
    /// former address is none of the way to a new one: that has none before it was sent something.
    pub(super) fn expire(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        let has_moved = self.sent_to != self.quic.remote_address();
        if !has_moved
            && !self.go_on(now)
            && let Some(at) = self.quic.poll_timeout()
            && at <= now + EARLY
        {
            self.quic.handle_timeout(now.max(at));
        }
        if let Some(web) = &mut self.web {
            web.expire(&mut self.quic, now);
        }
        if self.give_up_at.is_some_and(|at| at <= now) {
            self.close(now, moq_transport_common::quic::H3_NO_ERROR, b"", woken);
        }
    }
}

/// How long after the last write this end counts as quiet: longer than a write usually waits for
/// its acknowledgement.
const QUIET: Duration = Duration::from_millis(200);

/// The most bytes of a packet that only acknowledges, or gives credit.
const ACKNOWLEDGEMENT: usize = 64;

/// How much earlier than it has to be an acknowledgement may be sent: with the delay of 25 ms that
/// is usual, not before the next packet of a stream of 50 per second, for which it would be one more.
const EARLY: Duration = Duration::from_millis(4);
