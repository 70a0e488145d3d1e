//! When a peer of which nothing comes is taken for gone, as plain data.

use std::time::Duration;

use moq_model::platform::clock::Instant;

/// How often to look whether anything has come.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// Silence after which the peer is pinged.
const QUIET: Duration = Duration::from_millis(500);
/// The least time for an answer.
const LEAST_PATIENCE: Duration = Duration::from_millis(500);
/// Round-trip times that an answer may take.
const ROUND_TRIPS: u32 = 6;

/// What is heard of one peer.
#[derive(Debug)]
pub(super) struct Silence {
    /// Packets that had come at the last look.
    heard: u64,
    /// When something was last seen to have come.
    since: Instant,
    /// The last look.
    looked: Instant,
    /// When the first ping of this silence was sent.
    pinged: Option<Instant>,
    is_silent: bool,
}

/// What a look leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Something came, or may yet come by itself.
    Wait,
    /// The peer is to be pinged.
    Ping,
    /// The peer has left pings without an answer for too long.
    Silent,
    /// Something came of a peer that was silent.
    Back,
}

impl Silence {
    /// Begins to listen, after `heard` packets.
    pub(super) fn new(heard: u64, now: Instant) -> Self {
        Self {
            heard,
            since: now,
            looked: now,
            pinged: None,
            is_silent: false,
        }
    }

    /// Whether the peer is taken for gone.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Looks how many packets have come by now; `rtt` is the round-trip time as far as it is known.
    pub(super) fn look(&mut self, heard: u64, rtt: Duration, now: Instant) -> Step {
        let is_late = now.duration_since(self.looked) > 2 * LOOK;
        self.looked = now;
        if heard != self.heard {
            let was_silent = self.is_silent;
            *self = Self::new(heard, now);
            return if was_silent { Step::Back } else { Step::Wait };
        }
        if self.is_silent {
            return Step::Ping;
        }
        if is_late {
            // This end was held up, so what has come may not be counted yet.
            (self.since, self.pinged) = (now, None);
        }
        match self.pinged {
            None if now.duration_since(self.since) < QUIET => Step::Wait,
            Some(at) if now.duration_since(at) >= (ROUND_TRIPS * rtt).max(LEAST_PATIENCE) => {
                self.is_silent = true;
                Step::Silent
            }
            _ => {
                self.pinged.get_or_insert(now);
                Step::Ping
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use moq_model::platform::clock;

    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    /// Looks as often as it takes to learn this, at most for a minute; says for how long.
    fn until(silence: &mut Silence, step: Step, rtt: Duration, now: &mut Instant) -> Duration {
        let began = *now;
        while now.duration_since(began) < Duration::from_secs(60) {
            *now += LOOK;
            if silence.look(silence.heard, rtt, *now) == step {
                return now.duration_since(began);
            }
        }
        panic!("no {step:?}");
    }

    #[test]
    fn a_quiet_peer_is_pinged_before_it_counts_as_silent() {
        let mut now = clock::now();
        let mut silence = Silence::new(7, now);
        assert_eq!(until(&mut silence, Step::Ping, NO_TIME, &mut now), QUIET);
        let patience = until(&mut silence, Step::Silent, NO_TIME, &mut now);
        assert_eq!(patience, LEAST_PATIENCE);
        assert!(silence.is_silent());
        // It is asked on, so that it is heard as soon as it can be.
        assert_eq!(until(&mut silence, Step::Ping, NO_TIME, &mut now), LOOK);
        now += LOOK;
        assert_eq!(silence.look(8, NO_TIME, now), Step::Back);
        assert!(!silence.is_silent());
        assert_eq!(until(&mut silence, Step::Ping, NO_TIME, &mut now), QUIET);
    }

    #[test]
    fn any_packet_is_an_answer() {
        let mut now = clock::now();
        let mut silence = Silence::new(0, now);
        for heard in 1..100 {
            until(&mut silence, Step::Ping, NO_TIME, &mut now);
            now += LOOK;
            assert_eq!(silence.look(heard, NO_TIME, now), Step::Wait);
        }
        assert!(!silence.is_silent());
    }

    #[test]
    fn a_long_way_has_six_round_trips() {
        let mut now = clock::now();
        let (mut silence, rtt) = (Silence::new(0, now), Duration::from_millis(500));
        until(&mut silence, Step::Ping, rtt, &mut now);
        assert_eq!(until(&mut silence, Step::Silent, rtt, &mut now), 6 * rtt);
    }

    #[test]
    fn an_end_that_was_held_up_itself_begins_anew() {
        let mut now = clock::now();
        let mut silence = Silence::new(0, now);
        until(&mut silence, Step::Ping, NO_TIME, &mut now);
        now += Duration::from_secs(5);
        assert_eq!(silence.look(0, NO_TIME, now), Step::Wait);
        assert_eq!(until(&mut silence, Step::Ping, NO_TIME, &mut now), QUIET);
    }
}
