//! Drawing the parts of a plan.

use moq_session::Version;

use crate::net::{Fault, FaultKind, LinkPlan};
use crate::plan::{
    FAULTS_END, FetcherPlan, From, Mode, Plan, ReaderPlan, Timed, To, TrackPlan, What,
};
use crate::rng::Rng;

pub fn track(rng: &mut Rng) -> TrackPlan {
    TrackPlan {
        interval: *rng.pick(&[300, 500, 800, 1_200]),
        max_age: *rng.pick(&[2_000, 5_000, 10_000]),
        has_datagrams: rng.once_in(3),
    }
}

/// Who is linked with whom.
pub fn links(rng: &mut Rng, relays: usize, subscribers: usize) -> Vec<LinkPlan> {
    let mut ends = vec![(0, 1)];
    if relays > 1 && rng.once_in(3) {
        ends.push((0, 2));
    }
    for relay in 2..=relays {
        ends.push((relay, 1 + rng.index(relay - 1)));
    }
    for subscriber in 0..subscribers {
        ends.push((1 + relays + subscriber, 1 + rng.index(relays)));
    }
    let is_circle = relays > 2 && rng.once_in(2);
    if is_circle {
        ends.push((1, relays));
    }
    // Most runs speak one draft throughout, as a deployment does.
    // The newer ones can do more.
    let newer = &Version::ALL[Version::ALL.len() - 3..];
    let versions = *rng.pick(&[Version::ALL, newer]);
    let common = (!rng.once_in(4)).then(|| *rng.pick(versions));
    let plan = |ends| LinkPlan {
        ends,
        version: common.unwrap_or_else(|| *rng.pick(versions)),
        delay: rng.range(1..=25),
        jitter: rng.range(0..=10),
        spare_of: None,
    };
    let mut links: Vec<_> = ends.into_iter().map(plan).collect();
    // Without the ids of hops, relays in a circle ask each other for what none of them has.
    if is_circle
        && links
            .iter()
            .any(|link| !link.version.features().hops.has_ids())
    {
        links.pop();
    }
    links
}

pub fn reader(rng: &mut Rng, node: usize, tracks: usize) -> ReaderPlan {
    ReaderPlan {
        node,
        track: rng.index(tracks),
        mode: *rng.pick(&[
            Mode::InOrder,
            Mode::InOrder,
            Mode::InOrder,
            Mode::NewestFirst,
            Mode::NewestFirst,
            Mode::Latest,
        ]),
        from: *rng.pick(&[From::Newest, From::Oldest, From::Group(3), From::Group(0)]),
        max_age: age(rng),
        think: if rng.once_in(4) {
            rng.range(200..=2_000)
        } else {
            0
        },
        leaves: rng
            .once_in(4)
            .then(|| (rng.range(2_000..=FAULTS_END), rng.range(0..=8_000))),
    }
}

/// How old groups may be for a reader, in milliseconds.
fn age(rng: &mut Rng) -> u64 {
    *rng.pick(&[300, 1_000, 3_000, 8_000])
}

/// Makes all readers equally patient, and lets none begin with the newest group: relays keep what
/// each of them wants.
pub fn alike(rng: &mut Rng, readers: &mut [ReaderPlan]) {
    let max_age = *rng.pick(&[3_000, 8_000]);
    for reader in readers {
        reader.max_age = max_age;
        if matches!(reader.from, From::Newest) {
            reader.from = From::Oldest;
        }
    }
}

/// Slow links that are cut again and again, and no other faults: whatever is lost then is lost with a
/// session alone.
pub fn cuts(rng: &mut Rng, links: usize) -> Vec<Timed> {
    let mut faults = Vec::new();
    for at in (1_000..FAULTS_END - 2_000).step_by(1_500) {
        let link = rng.index(links);
        let which = rng.next();
        let kind = *rng.pick(&[FaultKind::Window, FaultKind::Window, FaultKind::Jitter]);
        let timed = |at, lasts, kind| Timed {
            at,
            lasts,
            what: What::Link(Fault { kind, link, which }),
        };
        faults.push(timed(at, 1_400, kind));
        faults.push(timed(at + rng.range(300..=1_300), 0, FaultKind::Cut));
    }
    faults
}

/// Cuts the connection while another fault of its link makes groups wait there.
pub fn cut(rng: &mut Rng, fault: &Timed) -> Option<Timed> {
    use FaultKind::{Delay, Jitter, Stall, Streams, Window};
    let What::Link(of) = fault.what else {
        return None;
    };
    let is_slow = [Delay, Jitter, Stall, Streams, Window].contains(&of.kind);
    let what = What::Link(Fault {
        kind: FaultKind::Cut,
        ..of
    });
    let at = fault.at + rng.range(0..=fault.lasts);
    let lasts = 0;
    (is_slow && rng.once_in(2)).then_some(Timed { at, lasts, what })
}

pub fn fetcher(rng: &mut Rng, node: usize, tracks: usize) -> FetcherPlan {
    FetcherPlan {
        node,
        track: rng.index(tracks),
        pause: *rng.pick(&[1_000, 3_000, 6_000]),
    }
}

pub fn fault(rng: &mut Rng, plan: &Plan) -> Timed {
    let (relays, nodes) = (plan.relays, plan.nodes());
    let kind = *rng.pick(&FaultKind::ALL);
    let link = rng.index(plan.links.len());
    let which = rng.next();
    let what = match kind {
        FaultKind::CrashPublisher => What::Crash {
            node: 0,
            kind,
            which,
        },
        FaultKind::CrashRelay => What::Crash {
            node: 1 + rng.index(relays),
            kind,
            which,
        },
        FaultKind::CrashSubscriber => {
            let first = 1 + relays;
            What::Crash {
                node: first + rng.index(nodes - first),
                kind,
                which,
            }
        }
        _ => What::Link(Fault { kind, link, which }),
    };
    let at = rng.range(500..=FAULTS_END - 1_000);
    let lasts = if rng.once_in(4) {
        rng.range(10_500..=13_000)
    } else {
        rng.range(100..=4_000)
    };
    Timed {
        at,
        lasts: lasts.min(FAULTS_END - at),
        what,
    }
}

/// Lets a node ask its peers to leave, and gives some of them a link to where it points.
pub fn goaway(rng: &mut Rng, plan: &mut Plan) {
    let node = rng.index(plan.relays + 1);
    let other = 1 + rng.index(plan.relays);
    let to = match rng.below(6) {
        0 => To::Nowhere,
        1 | 2 => To::Back,
        _ if node == 0 || other == node => To::Back,
        _ => To::Node(other),
    };
    if let To::Node(other) = to {
        for home in 0..plan.links.len() {
            if plan.may_move(home, node, other) && !rng.once_in(4) {
                let spare = LinkPlan {
                    ends: (plan.links[home].ends.0, other),
                    spare_of: Some(home),
                    ..plan.links[home].clone()
                };
                plan.links.push(spare);
            }
        }
    }
    plan.faults.push(Timed {
        at: rng.range(1_000..=FAULTS_END - 6_000),
        lasts: 0,
        what: What::Goaway {
            node,
            to,
            deadline: rng.range(500..=8_000),
        },
    });
}

impl Plan {
    /// Whether who dials over a link from `node` may dial `other` instead.
    ///
    /// Relays only move to those that cannot be behind them, and only where all links tell the ids of
    /// hops, because a relay that moves is linked with both for a while.
    fn may_move(&self, home: usize, node: usize, other: usize) -> bool {
        let link = &self.links[home];
        let (from, to) = link.ends;
        let is_taken = self.links.iter().any(|link| link.ends == (from, other));
        let has_ids = self
            .links
            .iter()
            .all(|link| link.version.features().hops.has_ids());
        let is_relay = (1..=self.relays).contains(&from);
        let is_behind = is_relay && (other >= from || !has_ids);
        to == node && link.spare_of.is_none() && !is_taken && !is_behind
    }
}

/// A peer of some relay that floods it, in one run of three.
pub fn hostile(rng: &mut Rng, plan: &mut Plan) {
    if !rng.once_in(3) {
        return;
    }
    let versions: Vec<_> = Version::ALL
        .iter()
        .filter(|version| !version.features().handshake)
        .collect();
    let ends = (plan.nodes(), 1 + rng.index(plan.relays));
    plan.hostile = Some(plan.links.len());
    plan.links.push(LinkPlan {
        ends,
        version: **rng.pick(&versions),
        delay: rng.range(1..=25),
        jitter: 0,
        spare_of: None,
    });
}
