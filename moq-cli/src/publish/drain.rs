//! The end of a publication: what is owed is delivered before leaving.

use std::time::Duration;

use moq_session::Session;
use tokio::time::{Instant, sleep_until};

use crate::client::Link;
use crate::exit::{Exit, Failure};
use crate::progress::Meter;

/// Stays for at least a second, and until everybody who is served has received everything.
///
/// # Errors
/// If somebody has not, and made no progress for `linger`; or if a session was lost, and nobody has come
/// back for so long. If the session is lost before this begins, its readers are unknown, and it counts as
/// one that had some.
pub(crate) async fn run(link: &mut Link, meter: &Meter, linger: Duration) -> anyhow::Result<()> {
    let is_lost = link.serving().next().is_none();
    let mut drain = Drain::new(Instant::now(), is_lost);
    let watch = (linger / LOOKS).max(SHORTEST_LOOK);
    loop {
        let served = link.serving().map(Served::by).reduce(Served::and);
        if let Some(served) = served {
            meter.subscribers(served.subscriptions + served.unconfirmed);
        }
        let owing = link
            .serving()
            .find(|session| Served::by(session).owed() > 0)
            .cloned();
        let now = Instant::now();
        match drain.look(served, linger, now) {
            Verdict::Wait => {}
            Verdict::Done => return Ok(()),
            Verdict::GiveUp => {
                let what = format!("not everything was delivered: no progress for {linger:?}");
                let failure = Failure::new(Exit::Failed, what);
                return Err(failure.with_hint("give it longer with --linger").into());
            }
        }
        let delivered = async {
            match owing {
                // How a session ends the link tells.
                Some(session) if session.delivered().await.is_ok() => {}
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep_until(drain.next_look(now, watch)) => {}
            () = delivered => {}
            event = link.event() => event?,
        }
    }
}

/// What is still served, over all sessions that are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Served {
    subscriptions: usize,
    /// Those that are acknowledged and not let go of; the session waits for them with a limit.
    unconfirmed: usize,
    fetches: usize,
    bytes: u64,
}

impl Served {
    /// What one session still serves.
    fn by(session: &Session) -> Self {
        let outstanding = session.outstanding();
        Self {
            subscriptions: outstanding.subscriptions,
            unconfirmed: outstanding.unconfirmed,
            fetches: outstanding.fetches,
            bytes: outstanding.bytes,
        }
    }

    /// What two sessions serve together.
    fn and(self, other: Self) -> Self {
        Self {
            subscriptions: self.subscriptions + other.subscriptions,
            unconfirmed: self.unconfirmed + other.unconfirmed,
            fetches: self.fetches + other.fetches,
            bytes: self.bytes + other.bytes,
        }
    }

    /// How many requests are not delivered, or not let go of.
    fn owed(&self) -> usize {
        self.subscriptions + self.unconfirmed + self.fetches
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Wait,
    Done,
    GiveUp,
}

/// Decides from what is seen at each look.
#[derive(Debug)]
struct Drain {
    last: Option<Served>,
    /// When the session that is there began, as far as this knows.
    since: Instant,
    progress: Instant,
    /// A session was lost before what it served was delivered.
    is_owed: bool,
}

impl Drain {
    fn new(now: Instant, is_owed: bool) -> Self {
        Self {
            last: None,
            since: now,
            progress: now,
            is_owed,
        }
    }

    fn look(&mut self, served: Option<Served>, linger: Duration, now: Instant) -> Verdict {
        let is_new = self.last.is_none();
        if served != self.last {
            self.progress = now;
        }
        self.is_owed |= served.is_none() && self.last.is_some_and(|last| last.owed() > 0);
        self.last = served;
        let is_overdue = now.duration_since(self.progress) >= linger;
        let Some(served) = served else {
            return match (is_overdue, self.is_owed) {
                (true, true) => Verdict::GiveUp,
                (true, false) => Verdict::Done,
                (false, _) => Verdict::Wait,
            };
        };
        if is_new {
            self.since = now;
        }
        if served.owed() > 0 {
            // Whoever was cut off has come back.
            self.is_owed = false;
        }
        let is_due = now.duration_since(self.since) >= STAY;
        let is_behind = served.subscriptions + served.fetches > 0 || self.is_owed;
        match (is_behind, is_due, is_overdue) {
            (false, true, _) if served.unconfirmed > 0 => Verdict::Wait,
            (false, true, _) => Verdict::Done,
            (true, true, true) => Verdict::GiveUp,
            _ => Verdict::Wait,
        }
    }

    /// When to look again, unless something happens: when the stay is over, and else often enough
    /// to see progress.
    fn next_look(&self, now: Instant, watch: Duration) -> Instant {
        let due = self.since + STAY;
        let watched = now + watch;
        if due > now { watched.min(due) } else { watched }
    }
}

/// How long a publication stays at least, for those who are about to join.
const STAY: Duration = Duration::from_secs(1);

/// How often to look for progress while it is waited for.
const LOOKS: u32 = 20;

/// The least time between two such looks.
const SHORTEST_LOOK: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_secs(5);

    /// Looks at these times, in milliseconds, and yields the last verdict.
    fn verdict(looks: &[(u64, Option<(usize, u64)>)]) -> Verdict {
        let start = Instant::now();
        let mut drain = Drain::new(start, looks.first().is_some_and(|look| look.1.is_none()));
        let mut verdict = Verdict::Wait;
        for (at, served) in looks {
            assert_eq!(verdict, Verdict::Wait, "before {at}");
            let served = served.map(|(subscriptions, bytes)| Served {
                subscriptions,
                unconfirmed: 0,
                fetches: 0,
                bytes,
            });
            verdict = drain.look(served, LINGER, start + Duration::from_millis(*at));
        }
        verdict
    }

    #[test]
    fn nobody_to_serve_ends_after_a_second() {
        assert_eq!(
            verdict(&[(0, Some((0, 0))), (999, Some((0, 0)))]),
            Verdict::Wait
        );
        assert_eq!(
            verdict(&[(0, Some((0, 0))), (1_000, Some((0, 0)))]),
            Verdict::Done
        );
    }

    #[test]
    fn the_end_of_the_stay_is_not_slept_over() {
        let start = Instant::now();
        let drain = Drain::new(start, false);
        let after = |millis| start + Duration::from_millis(millis);
        let watch = Duration::from_millis(250);
        assert_eq!(drain.next_look(start, watch), after(250));
        assert_eq!(drain.next_look(after(900), watch), after(1_000));
        assert_eq!(drain.next_look(after(1_000), watch), after(1_250));
    }

    #[test]
    fn whoever_makes_progress_is_waited_for() {
        let looks = [
            (0, Some((1, 1))),
            (4_900, Some((1, 2))),
            (9_800, Some((1, 3))),
        ];
        assert_eq!(verdict(&looks), Verdict::Wait);
        assert_eq!(
            verdict(&[&looks[..], &[(9_900, Some((0, 3)))]].concat()),
            Verdict::Done
        );
        assert_eq!(
            verdict(&[&looks[..], &[(14_800, Some((1, 3)))]].concat()),
            Verdict::GiveUp
        );
    }

    #[test]
    fn whoever_was_cut_off_may_come_back() {
        let lost = [(0, Some((1, 1))), (100, None), (3_000, Some((0, 0)))];
        assert_eq!(
            verdict(&[&lost[..], &[(4_500, Some((0, 0)))]].concat()),
            Verdict::Wait
        );
        assert_eq!(
            verdict(&[&lost[..], &[(8_000, Some((0, 0)))]].concat()),
            Verdict::GiveUp
        );
        let back = [&lost[..], &[(4_500, Some((1, 0))), (4_600, Some((0, 9)))]].concat();
        assert_eq!(verdict(&back), Verdict::Done);
    }

    #[test]
    fn whoever_was_cut_off_before_the_end_of_the_input_is_owed_as_well() {
        assert_eq!(verdict(&[(0, None), (4_999, None)]), Verdict::Wait);
        assert_eq!(verdict(&[(0, None), (5_000, None)]), Verdict::GiveUp);
        let back = [(0, None), (3_000, Some((1, 0))), (4_100, Some((0, 9)))];
        assert_eq!(verdict(&back), Verdict::Done);
    }

    #[test]
    fn a_connection_that_stays_lost_matters_only_to_those_cut_off() {
        assert_eq!(
            verdict(&[(0, Some((1, 1))), (1, None), (5_001, None)]),
            Verdict::GiveUp
        );
        assert_eq!(
            verdict(&[(0, Some((0, 1))), (1, None), (5_001, None)]),
            Verdict::Done
        );
    }
}
