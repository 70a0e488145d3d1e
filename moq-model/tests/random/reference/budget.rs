//! Who gives way.

use moq_model::Abort;

use super::{Group, Reference, Track};

/// What a group and a frame cost besides the payload, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    pub group: u64,
    pub frame: u64,
}

/// What a track could give, from what goes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gives {
    Nothing,
    Newest,
    Fetched,
    Older,
}

impl Costs {
    pub fn of(self, group: &Group) -> u64 {
        if !group.is_held() {
            return 0;
        }
        let frames = group.frames.iter();
        let frames: u64 = frames.map(|frame| self.frame + frame.len as u64).sum();
        self.group + frames + group.arriving
    }
}

impl Reference {
    pub fn held_by_track(&self, track: &Track) -> u64 {
        if !track.is_alive {
            return 0;
        }
        track.groups.iter().map(|group| self.costs.of(group)).sum()
    }

    pub fn used(&self) -> u64 {
        let tracks = self.tracks.iter();
        tracks.map(|track| self.held_by_track(track)).sum()
    }

    fn held_by(&self, feeder: usize) -> u64 {
        let tracks = self.tracks.iter().filter(|track| track.feeder == feeder);
        tracks.map(|track| self.held_by_track(track)).sum()
    }

    /// Makes room for bytes of a feeder, for as long as they are of use; says whether there is any.
    pub fn make_room(
        &mut self,
        feeder: usize,
        bytes: u64,
        is_of_use: impl Fn(&Self) -> bool,
    ) -> bool {
        loop {
            if self.used() + bytes <= self.limit {
                return true;
            }
            if bytes > self.limit || !is_of_use(self) {
                return false;
            }
            let Some((track, gives)) = self.greediest(feeder, bytes) else {
                return false;
            };
            self.evict(track, gives);
        }
    }

    /// The track that gives way: of the feeder that holds the most, with what the writing one wants,
    /// the one that holds the most of those that have more than a newest group.
    fn greediest(&mut self, writing: usize, bytes: u64) -> Option<(usize, Gives)> {
        let wants = |feeder| if feeder == writing { bytes } else { 0 };
        let feeders = 0..self.feeders;
        let mut feeders: Vec<_> = feeders
            .map(|feeder| (self.held_by(feeder) + wants(feeder), feeder))
            .collect();
        feeders.sort_unstable_by(|a, b| b.cmp(a));
        for index in 0..feeders.len() {
            let (held, feeder) = feeders[index];
            let Some((track, gives, is_close)) = self.greediest_of(feeder) else {
                continue;
            };
            if gives == Gives::Newest && held * self.feeders as u64 <= self.limit {
                continue;
            }
            let mut others = feeders.iter().filter(|other| other.1 != feeder);
            if is_close || others.any(|other| other.0 == held) {
                self.is_ambiguous = true;
            }
            return Some((track, gives));
        }
        None
    }

    /// Also says whether another track holds about as much.
    fn greediest_of(&self, feeder: usize) -> Option<(usize, Gives, bool)> {
        let tracks = 0..self.tracks.len();
        let tracks = tracks.filter(|&track| self.tracks[track].feeder == feeder);
        let mut tracks: Vec<_> = tracks
            .map(|track| {
                let held = self.held_by_track(&self.tracks[track]);
                (self.tracks[track].gives(), held, track)
            })
            .filter(|&(gives, ..)| gives > Gives::Nothing)
            .collect();
        tracks.sort_unstable_by(|a, b| b.cmp(a));
        let &(gives, held, track) = tracks.first()?;
        let is_close = tracks
            .get(1)
            .is_some_and(|second| second.0 == gives && second.1 + held / 32 >= held);
        Some((track, gives, is_close))
    }

    fn evict(&mut self, track: usize, mut gives: Gives) {
        let costs = self.costs;
        let track = &mut self.tracks[track];
        let fetched = track.groups.iter().filter(|group| !group.is_live());
        let fetched: u64 = fetched.map(|group| costs.of(group)).sum();
        let all: u64 = track.groups.iter().map(|group| costs.of(group)).sum();
        if gives == Gives::Older && fetched > all / 4 {
            gives = Gives::Fetched;
        }
        match gives {
            Gives::Older | Gives::Newest => {
                let oldest = track.held_live()[0];
                track.discard(oldest, Abort::Evicted);
            }
            Gives::Fetched => {
                let fetched = 0..track.groups.len();
                let fetched = fetched.filter(|&index| track.groups[index].is_kept_for_fetch());
                let first = fetched.min_by_key(|&index| (track.groups[index].sequence, index));
                let group = &mut track.groups[first.unwrap()];
                group.gone = Some(Abort::Evicted);
                group.arriving = 0;
            }
            Gives::Nothing => {}
        }
        self.newest_dropped += u64::from(gives == Gives::Newest);
    }
}

impl Track {
    fn gives(&self) -> Gives {
        if !self.is_alive {
            return Gives::Nothing;
        }
        let live = self.held_live().len();
        let has_fetched = self.groups.iter().any(Group::is_kept_for_fetch);
        match live {
            2.. => Gives::Older,
            _ if has_fetched => Gives::Fetched,
            1 => Gives::Newest,
            _ => Gives::Nothing,
        }
    }
}
