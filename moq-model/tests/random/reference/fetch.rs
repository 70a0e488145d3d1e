//! Groups that are read without a subscription.

use moq_model::{Fetch, GroupEnd};

use super::{Group, Reference, Track};

/// What a fetch comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    NotFound,
    /// This group, by its place in the list.
    Joined(usize),
    /// The same, which has to be asked for.
    Asked(usize),
}

impl Group {
    /// Whether everything that was to be in it is here or may still come.
    fn is_whole(&self) -> bool {
        self.is_held() && matches!(self.ended, None | Some(GroupEnd::Finished))
    }
}

impl Track {
    fn held_group(&self, sequence: u64) -> Option<usize> {
        let mut groups = self.groups.iter();
        groups.position(|group| group.is_live() && group.is_held() && group.sequence == sequence)
    }

    fn joinable(&self, fetch: &Fetch) -> Option<usize> {
        let held = self.held_group(fetch.group);
        if self.is_local {
            return held;
        }
        if let Some(held) = held.filter(|&held| self.groups[held].is_whole()) {
            return Some(held);
        }
        self.groups.iter().position(|group| {
            let covers = |(first, end): (u64, Option<u64>)| {
                let reaches = match (end, fetch.end_frame) {
                    (None, _) => true,
                    (Some(end), Some(wanted)) => wanted <= end,
                    (Some(_), None) => false,
                };
                first <= fetch.first_frame && reaches
            };
            group.sequence == fetch.group && group.is_whole() && group.fetched.is_some_and(covers)
        })
    }

    /// A handle to the frames of a group that are wanted.
    pub fn join(&mut self, group: usize, fetch: &Fetch) -> usize {
        let first = self.groups[group].fetched.map_or(0, |(first, _)| first);
        let held = |frame: u64| usize::try_from(frame.saturating_sub(first)).unwrap();
        let (next, end) = (held(fetch.first_frame), fetch.end_frame.map(held));
        self.add_cursor(group, None, next, end)
    }
}

impl Reference {
    pub fn fetch(&mut self, track: usize, fetch: &Fetch) -> Fetched {
        let (feeder, now) = (self.tracks[track].feeder, self.now);
        if let Some(group) = self.tracks[track].joinable(fetch) {
            return Fetched::Joined(group);
        }
        if self.tracks[track].is_local || !self.make_room(feeder, self.costs.group, |_| true) {
            return Fetched::NotFound;
        }
        let track = &mut self.tracks[track];
        let mut group = Group::new(fetch.group, now);
        group.fetched = Some((fetch.first_frame, fetch.end_frame));
        track.groups.push(group);
        Fetched::Asked(track.groups.len() - 1)
    }
}
