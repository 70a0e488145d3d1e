//! What is done in a run: operations that make sense whatever happened before, so that any of them
//! can be left out.

use std::fmt;

use crate::rng::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Create,
    Ask,
    Append,
    Begin,
    Datagram,
    Frame,
    Arrive,
    FinishGroup,
    AbortGroup,
    DropGroup,
    FinishTrack,
    AbortTrack,
    DropTrack,
    LoseSession,
    EndUnused,
    Accept,
    SetStart,
    SetEnd,
    DropGroups,
    Fetch,
    Subscribe,
    Resume,
    Update,
    Read,
    Take,
    ReadGroup,
    Cut,
    DropReader,
    DropConsumer,
    DropHandle,
    WatchDemand,
    WatchGroup,
    WaitReady,
    PollWaiting,
    Advance,
}

/// How often each is done.
const WEIGHTS: &[(Kind, u64)] = &[
    (Kind::Create, 4),
    (Kind::Ask, 6),
    (Kind::Append, 30),
    (Kind::Begin, 16),
    (Kind::Datagram, 3),
    (Kind::Frame, 46),
    (Kind::Arrive, 6),
    (Kind::FinishGroup, 26),
    (Kind::AbortGroup, 7),
    (Kind::DropGroup, 3),
    (Kind::FinishTrack, 3),
    (Kind::AbortTrack, 2),
    (Kind::DropTrack, 1),
    (Kind::LoseSession, 3),
    (Kind::EndUnused, 2),
    (Kind::Accept, 2),
    (Kind::SetStart, 6),
    (Kind::SetEnd, 2),
    (Kind::DropGroups, 7),
    (Kind::Fetch, 7),
    (Kind::Subscribe, 16),
    (Kind::Resume, 3),
    (Kind::Update, 6),
    (Kind::Read, 70),
    (Kind::Take, 30),
    (Kind::ReadGroup, 40),
    (Kind::Cut, 5),
    (Kind::DropReader, 4),
    (Kind::DropConsumer, 12),
    (Kind::DropHandle, 2),
    (Kind::WatchDemand, 3),
    (Kind::WatchGroup, 4),
    (Kind::WaitReady, 6),
    (Kind::PollWaiting, 16),
    (Kind::Advance, 18),
];

/// One operation. What its numbers mean depends on what there is when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    pub kind: Kind,
    pub args: [u64; 4],
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.kind, self.args)
    }
}

/// What a run happens in.
#[derive(Debug, Clone)]
pub struct Script {
    pub setting: [u64; 6],
    pub ops: Vec<Op>,
}

impl Script {
    pub fn new(seed: u64, ops: usize) -> Self {
        let mut rng = Rng::new(seed);
        let setting = [(); 6].map(|()| rng.below(1 << 20));
        let ops = (0..ops).map(|_| op(&mut rng)).collect();
        Self { setting, ops }
    }
}

fn op(rng: &mut Rng) -> Op {
    let all: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.below(all);
    let mut kind = Kind::Advance;
    for &(each, weight) in WEIGHTS {
        if at < weight {
            kind = each;
            break;
        }
        at -= weight;
    }
    let args = [(); 4].map(|()| rng.below(1 << 20));
    Op { kind, args }
}
