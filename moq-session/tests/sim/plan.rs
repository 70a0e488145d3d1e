//! What a seed stands for: who is there, what is read, and what goes wrong when.

use moq_session::Version;

use crate::net::{Fault, FaultKind, LinkPlan};
use crate::rng::Rng;

/// When the faults of a run are over, in virtual milliseconds.
pub const FAULTS_END: u64 = 20_000;

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// The publisher is node 0, relays follow, then subscribers.
    pub relays: usize,
    pub links: Vec<LinkPlan>,
    pub tracks: Vec<TrackPlan>,
    pub readers: Vec<ReaderPlan>,
    /// Bytes that a relay may hold.
    pub budget: u64,
    pub faults: Vec<Timed>,
    pub faults_end: u64,
}

#[derive(Debug, Clone)]
pub struct TrackPlan {
    /// Milliseconds from one group to the next.
    pub interval: u64,
    pub max_age: u64,
}

#[derive(Debug, Clone)]
pub struct ReaderPlan {
    pub node: usize,
    pub track: usize,
    pub is_ordered: bool,
    pub from: From,
    pub max_age: u64,
    /// Milliseconds that it takes for a group, while there are faults.
    pub think: u64,
    /// When it leaves, and for how long.
    pub leaves: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
pub enum From {
    Newest,
    Oldest,
    Group(u64),
}

/// A fault and its time.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    pub at: u64,
    pub lasts: u64,
    pub what: What,
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    Link(Fault),
    /// A node is gone for a while. `which` chooses how.
    Crash {
        node: usize,
        kind: FaultKind,
        which: u64,
    },
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let relays = rng.index(4) + 1;
        let subscribers = rng.index(3) + 1;
        let tracks = (0..=rng.index(2)).map(|_| TrackPlan {
            interval: *rng.pick(&[300, 500, 800, 1_200]),
            max_age: *rng.pick(&[2_000, 5_000, 10_000]),
        });
        let tracks: Vec<_> = tracks.collect();
        let links = links(&mut rng, relays, subscribers);
        let readers = (0..subscribers).flat_map(|n| {
            let count = 1 + rng.index(2);
            let node = 1 + relays + n;
            (0..count)
                .map(|_| reader(&mut rng, node, tracks.len()))
                .collect::<Vec<_>>()
        });
        let readers = readers.collect();
        let budget = *rng.pick(&[32 << 10, 1 << 20, 256 << 20]);
        let count = 2 + rng.index(7);
        let nodes = 1 + relays + subscribers;
        let faults = (0..count)
            .map(|_| fault(&mut rng, relays, nodes, links.len()))
            .collect();
        Self {
            seed,
            relays,
            links,
            tracks,
            readers,
            budget,
            faults,
            faults_end: FAULTS_END,
        }
    }

    /// The same without faults, and shorter.
    pub fn calm(&self) -> Self {
        let mut plan = self.clone();
        plan.faults.clear();
        plan.faults_end = 4_000;
        for reader in &mut plan.readers {
            reader.leaves = None;
        }
        plan
    }

    /// One publisher, one relay, one subscriber that reads two tracks, in order and newest first.
    pub fn standard(version: Version) -> Self {
        let link = |ends| LinkPlan {
            ends,
            version,
            delay: 10,
            jitter: 0,
        };
        let track = TrackPlan {
            interval: 500,
            max_age: 5_000,
        };
        let reader = |track, is_ordered| ReaderPlan {
            node: 2,
            track,
            is_ordered,
            from: From::Oldest,
            max_age: 2_000,
            think: 0,
            leaves: None,
        };
        Self {
            seed: 1,
            relays: 1,
            links: vec![link((0, 1)), link((2, 1))],
            tracks: vec![track.clone(), track],
            readers: vec![reader(0, true), reader(1, false)],
            budget: 1 << 20,
            faults: Vec::new(),
            faults_end: 2_000,
        }
    }

    pub fn nodes(&self) -> usize {
        let last = self
            .links
            .iter()
            .map(|link| link.ends.0.max(link.ends.1))
            .max();
        last.unwrap_or_default() + 1
    }
}

fn links(rng: &mut Rng, relays: usize, subscribers: usize) -> Vec<LinkPlan> {
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
    let common = (!rng.once_in(4)).then(|| *rng.pick(Version::ALL));
    let plan = |ends| LinkPlan {
        ends,
        version: common.unwrap_or_else(|| *rng.pick(Version::ALL)),
        delay: rng.range(1..=25),
        jitter: rng.range(0..=10),
    };
    let mut links: Vec<_> = ends.into_iter().map(plan).collect();
    // Without the ids of hops, relays in a circle ask each other for what none of them has.
    if is_circle && links.iter().any(|link| !link.version.features().hop_ids) {
        links.pop();
    }
    links
}

fn reader(rng: &mut Rng, node: usize, tracks: usize) -> ReaderPlan {
    ReaderPlan {
        node,
        track: rng.index(tracks),
        is_ordered: !rng.once_in(3),
        from: *rng.pick(&[From::Newest, From::Oldest, From::Group(3), From::Group(0)]),
        max_age: *rng.pick(&[300, 1_000, 3_000, 8_000]),
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

fn fault(rng: &mut Rng, relays: usize, nodes: usize, links: usize) -> Timed {
    let kind = *rng.pick(&FaultKind::ALL);
    let link = rng.index(links);
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
