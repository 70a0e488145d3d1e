//! The slow reference: what a track is by its documentation, as plain lists that are searched from
//! end to end. Times are milliseconds since the run began.

mod aside;
mod budget;
mod feed;
mod fetch;
mod latest;
mod newest;
mod ordered;
mod past;
mod pause;
mod readers;
mod retention;

use std::time::Duration;

use moq_model::{Abort, GroupEnd, Start, Subscription, TrackInfo};

pub use budget::Costs;
pub use fetch::Fetched;
pub use pause::{Gate, Input};

/// No end: "all further ones".
pub const NO_END: u64 = u64::MAX;

/// All tracks that share a budget.
#[derive(Debug, Clone)]
pub struct Reference {
    pub now: u64,
    pub limit: u64,
    pub costs: Costs,
    pub feeders: usize,
    pub tracks: Vec<Track>,
    /// Newest groups that were evicted.
    pub newest_dropped: u64,
    /// The documentation does not say which group had to go.
    pub is_ambiguous: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub time: u64,
    pub len: usize,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub sequence: u64,
    pub begun: u64,
    pub frames: Vec<Frame>,
    pub arriving: u64,
    pub ended: Option<GroupEnd>,
    pub gone: Option<Abort>,
    /// When it began in media time: its own, or the one that it took.
    pub time: Option<u64>,
    /// The first frame that was asked for, and the one after the last; for a group that was fetched.
    pub fetched: Option<(u64, Option<u64>)>,
    pub is_datagram: bool,
    /// Handles that read it.
    pub handles: usize,
}

impl Group {
    pub fn new(sequence: u64, begun: u64) -> Self {
        Self {
            sequence,
            begun,
            frames: Vec::new(),
            arriving: 0,
            ended: None,
            gone: None,
            time: None,
            fetched: None,
            is_datagram: false,
            handles: 0,
        }
    }

    pub fn is_held(&self) -> bool {
        self.gone.is_none()
    }

    pub fn is_live(&self) -> bool {
        self.fetched.is_none()
    }

    /// It has begun, and readers do not see it.
    pub fn is_announced(&self) -> bool {
        self.is_live() && self.is_held() && self.frames.is_empty() && self.ended.is_none()
    }

    /// Readers see it.
    pub fn is_seen(&self) -> bool {
        let has_begun = !self.frames.is_empty() || self.ended == Some(GroupEnd::Finished);
        self.is_live() && self.is_held() && has_begun
    }

    pub fn is_over(&self) -> bool {
        self.ended.is_some() || self.gone.is_some()
    }
}

#[derive(Debug, Clone)]
pub struct Track {
    pub name: String,
    pub feeder: usize,
    pub is_local: bool,
    pub info: Option<TrackInfo>,
    pub start: Option<u64>,
    pub told_end: Option<u64>,
    /// Its end, `None` in it for a finish, and when that was.
    pub end: Option<(Option<Abort>, u64)>,
    /// It ended because nobody read it.
    pub is_unused: bool,
    /// It can be found in its broadcast.
    pub is_listed: bool,
    /// Some handle to it is left.
    pub is_alive: bool,
    pub groups: Vec<Group>,
    /// Groups that are gone or will not come, in the order in which that became known.
    pub lost: Vec<(u64, u64, Abort)>,
    pub readers: Vec<Reader>,
    pub cursors: Vec<Cursor>,
    pub inputs: Vec<Input>,
    /// How often readers took something.
    pub progress: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    /// Newest first; groups are left in the track until they are asked for.
    Aside,
    Sequence,
    Latest,
}

#[derive(Debug, Clone)]
pub struct Reader {
    pub order: Order,
    pub wants: Subscription,
    /// The lowest group that it takes, once that is known.
    pub floor: Option<u64>,
    pub lowest: Option<u64>,
    pub first: Option<u64>,
    /// Newest first: what it took or was told of.
    pub told: Vec<(u64, u64)>,
    pub place: Place,
    pub waits_since: Option<u64>,
    /// It reads in sequence, and waits.
    pub is_starved: bool,
    pub is_gone: bool,
}

/// Where a reader is that reads frame by frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub next: Option<u64>,
    /// The group that it has begun, and the next frame of it.
    pub current: Option<(usize, usize)>,
}

/// A handle that reads one group.
#[derive(Debug, Clone)]
pub struct Cursor {
    pub group: usize,
    pub next: usize,
    pub end: Option<usize>,
    pub reader: Option<usize>,
    /// The group became too old for its reader.
    pub is_cut: bool,
    pub is_gone: bool,
}

/// What a reader is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// This group, by its place in the list.
    Group(usize),
    /// Groups from the first on, up to the second at most.
    Lost(u64, u64, Abort),
    Frame(u64, usize, Frame),
    End,
    Failed(Abort),
    Wait,
}

impl Reader {
    /// The groups that it takes.
    pub fn range(&self) -> (u64, u64) {
        let end = self.wants.end.unwrap_or(NO_END);
        self.floor.map_or((0, 0), |floor| (floor.min(end), end))
    }

    pub fn takes(&self, sequence: u64) -> bool {
        let (start, end) = self.range();
        start <= sequence && sequence < end
    }

    pub fn is_told(&self, sequence: u64) -> bool {
        self.told
            .iter()
            .any(|&(start, end)| start <= sequence && sequence < end)
    }

    pub fn begins_at_newest(&self) -> bool {
        self.wants.start == Start::Newest
    }
}

/// A time in milliseconds; without limit if it is that long.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
