//! What a seed stands for: who is there, what is read, and what goes wrong when.

use moq_session::Version;

use crate::draw;
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
    pub fetchers: Vec<FetcherPlan>,
    /// The link of a hostile peer, which is the node that dials.
    pub hostile: Option<usize>,
    /// Relays that consist of two parts.
    pub split: Vec<usize>,
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
    /// Some groups travel as datagrams.
    pub has_datagrams: bool,
}

#[derive(Debug, Clone)]
pub struct ReaderPlan {
    pub node: usize,
    pub track: usize,
    pub mode: Mode,
    pub from: From,
    pub max_age: u64,
    /// Milliseconds that it takes for a group, while there are faults.
    pub think: u64,
    /// When it leaves, and for how long.
    pub leaves: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    InOrder,
    NewestFirst,
    /// The newest group only.
    Latest,
}

/// Somebody who fetches single groups of a track.
#[derive(Debug, Clone)]
pub struct FetcherPlan {
    pub node: usize,
    pub track: usize,
    /// Milliseconds from one fetch to the next, at most.
    pub pause: u64,
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
    /// A node asks its peers to leave, within so many milliseconds.
    Goaway {
        node: usize,
        to: To,
        deadline: u64,
    },
}

/// Where the peers of a node are to go that asks them to leave.
#[derive(Debug, Clone, Copy)]
pub enum To {
    /// Back to where they were.
    Back,
    /// To another node, which those can reach that have a link for it.
    Node(usize),
    /// To where nobody can go.
    Nowhere,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let relays = rng.index(4) + 1;
        let subscribers = rng.index(3) + 1;
        let tracks = (0..=rng.index(2)).map(|_| draw::track(&mut rng)).collect();
        let links = draw::links(&mut rng, relays, subscribers);
        let mut plan = Self {
            seed,
            relays,
            links,
            tracks,
            readers: Vec::new(),
            fetchers: Vec::new(),
            hostile: None,
            split: Vec::new(),
            budget: *rng.pick(&[32 << 10, 1 << 20, 256 << 20]),
            faults: Vec::new(),
            faults_end: FAULTS_END,
        };
        for node in 1 + relays..1 + relays + subscribers {
            for _ in 0..=rng.index(2) {
                let reader = draw::reader(&mut rng, node, plan.tracks.len());
                plan.readers.push(reader);
            }
            if rng.once_in(2) {
                let fetcher = draw::fetcher(&mut rng, node, plan.tracks.len());
                plan.fetchers.push(fetcher);
            }
        }
        if rng.once_in(2) {
            draw::alike(&mut rng, &mut plan.readers);
        }
        plan.split = (1..=relays).filter(|_| rng.once_in(4)).collect();
        for _ in 0..2 + rng.index(7) {
            let fault = draw::fault(&mut rng, &plan);
            plan.faults.extend(draw::cut(&mut rng, &fault));
            plan.faults.push(fault);
        }
        if rng.once_in(6) {
            plan.faults = draw::cuts(&mut rng, plan.links.len());
            plan.budget = 256 << 20;
            draw::alike(&mut rng, &mut plan.readers);
        }
        if rng.once_in(2) {
            for _ in 0..=rng.index(2) {
                draw::goaway(&mut rng, &mut plan);
            }
        }
        draw::hostile(&mut rng, &mut plan);
        plan
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

    /// One publisher, one relay, one subscriber that reads two tracks, in order and newest first, and
    /// fetches groups of one.
    pub fn standard(version: Version) -> Self {
        let link = |ends| LinkPlan {
            ends,
            version,
            delay: 10,
            jitter: 0,
            spare_of: None,
        };
        // What a publisher has finished it keeps for so long: longer than a dead connection stays unnoticed.
        let track = TrackPlan {
            interval: 500,
            max_age: 30_000,
            has_datagrams: false,
        };
        let reader = |track, mode| ReaderPlan {
            node: 2,
            track,
            mode,
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
            readers: vec![reader(0, Mode::InOrder), reader(1, Mode::NewestFirst)],
            fetchers: vec![FetcherPlan {
                node: 2,
                track: 0,
                pause: 400,
            }],
            hostile: None,
            split: Vec::new(),
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
