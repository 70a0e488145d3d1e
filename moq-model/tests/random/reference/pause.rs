//! The pause of the input while all readers are far behind.

use moq_model::Abort;

use super::{Costs, Expect, NO_END, Order, Place, Track};

/// How far behind the fastest reader may be, in bytes.
const SHARE: u64 = 16 << 20;
/// What a group counts for at least.
const LEAST: u64 = 16 << 10;
/// How long a pause lasts without progress.
const STALL: u64 = 2_000;
/// By how much the line may be out of date, besides one group.
const SLACK: u64 = 1 << 20;

/// An input that waits.
#[derive(Debug, Clone)]
pub struct Input {
    until: u64,
    progress: u64,
}

/// What an input has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    Shut,
    /// The pause has lasted for too long.
    Stalled,
    /// Open or shut: the line is drawn anew after some progress only.
    Either,
}

impl Track {
    pub fn gate(&self, input: Option<usize>, sequence: u64, now: u64, costs: Costs) -> Gate {
        let sizes = self.groups.iter().map(|group| costs.of(group));
        let slack = SLACK + sizes.max().unwrap_or(0).max(LEAST);
        if self.end.is_some() || !self.is_behind(sequence, SHARE - slack.min(SHARE), costs) {
            return Gate::Open;
        }
        if !self.is_behind(sequence, SHARE + slack, costs) {
            return Gate::Either;
        }
        let is_stalled = |input: &Input| input.until <= now && input.progress == self.progress;
        match input.map(|input| &self.inputs[input]) {
            Some(input) if is_stalled(input) => Gate::Stalled,
            _ => Gate::Shut,
        }
    }

    /// Whether the end of an input's pause has come, so that it looks again.
    pub fn is_gate_due(&self, input: usize, now: u64) -> bool {
        self.inputs[input].until <= now
    }

    /// Whether all readers are behind a group by this much, and could read on.
    fn is_behind(&self, sequence: u64, share: u64, costs: Costs) -> bool {
        let held = self.held_live_bytes(costs);
        let seen = self.seen(0, NO_END).count() as u64;
        if held < SHARE && seen < SHARE / LEAST {
            return false;
        }
        let mut fastest = None;
        for reader in 0..self.readers.len() {
            if self.readers[reader].is_gone {
                continue;
            }
            let oldest = self.oldest_unread(reader);
            if self.readers[reader].is_starved || oldest.is_none() {
                return false;
            }
            fastest = fastest.max(oldest);
        }
        let Some(fastest) = fastest else { return false };
        let mut groups: Vec<_> = self.seen(fastest + 1, NO_END).collect();
        groups.sort_unstable();
        let mut lead = 0;
        for at in groups {
            lead += costs.of(&self.groups[self.seen_at(at).unwrap()]).max(LEAST);
            if lead >= share {
                return sequence >= at;
            }
        }
        false
    }

    /// What the groups of the live track cost.
    fn held_live_bytes(&self, costs: Costs) -> u64 {
        let live = self.groups.iter().filter(|group| group.is_live());
        live.map(|group| costs.of(group)).sum()
    }

    /// The oldest group that a reader has not finished.
    fn oldest_unread(&self, index: usize) -> Option<u64> {
        let reader = &self.readers[index];
        if let Some((group, _)) = reader.place.current {
            return Some(self.groups[group].sequence);
        }
        let (start, end) = reader.range();
        if let Some(next) = reader.place.next {
            return self.lowest_seen(start.max(next), end);
        }
        let open = self.cursors.iter();
        let open = open.filter(|cursor| cursor.reader == Some(index) && !cursor.is_gone);
        let open = open.map(|cursor| self.groups[cursor.group].sequence);
        let untaken = self.seen(start, end).filter(|&at| !reader.is_told(at));
        open.chain(untaken).min()
    }

    /// An input begins to wait; its place in the list.
    pub fn pause(&mut self, now: u64) -> usize {
        self.inputs.push(Input {
            until: now + STALL,
            progress: self.progress,
        });
        self.inputs.len() - 1
    }

    /// An input that was paused waits on, after it was looked at.
    pub fn pause_on(&mut self, input: usize, now: u64) {
        let progress = self.progress;
        let input = &mut self.inputs[input];
        if input.until <= now {
            input.until = now + STALL;
            input.progress = progress;
        }
    }

    /// Ends a pause: the oldest groups go until half of the share is left.
    pub fn skip_stalled(&mut self, costs: Costs) {
        let is_much = |track: &Self| {
            let seen = track.seen(0, NO_END).count() as u64;
            track.held_live_bytes(costs) > SHARE / 2 || seen > SHARE / LEAST / 2
        };
        while is_much(self) && self.held_live().len() > 1 {
            self.discard(self.held_live()[0], Abort::TooFarBehind);
        }
    }

    /// What a reader gets next, and where it is then.
    pub fn peek(&self, index: usize, now: u64) -> (Expect, Place, Option<u64>) {
        match self.readers[index].order {
            Order::Newest => (self.peek_newest(index), Place::default(), None),
            Order::Aside => (self.peek_aside(index), Place::default(), None),
            Order::Sequence => self.peek_ordered(index, now),
            Order::Latest => {
                let (expect, place) = self.peek_latest(index);
                (expect, place, None)
            }
        }
    }

    /// Notes that a reader was given what was peeked at, with `lost` for how many groups of a run.
    pub fn advance(
        &mut self,
        index: usize,
        peeked: (Expect, Place, Option<u64>),
        lost: Option<u64>,
    ) {
        let (expect, mut place, waits_since) = peeked;
        let first = self.first_of(index);
        let order = self.readers[index].order;
        let reader = &mut self.readers[index];
        reader.first = first;
        if let Order::Newest | Order::Aside = order {
            if let (Expect::Lost(start, ..), Some(end)) = (expect, lost) {
                reader.told.push((start, end));
            }
            return;
        }
        if let (Expect::Lost(..), None, Some(end)) = (expect, place.current, lost) {
            place.next = Some(end);
        }
        let took = matches!(expect, Expect::Frame(..) | Expect::Lost(..));
        let left =
            reader.place.current.map(|(group, _)| group) != place.current.map(|(group, _)| group);
        self.progress += u64::from(took || left);
        if reader.place != place {
            reader.waits_since = None;
        }
        if let Some(since) = waits_since {
            let earliest = reader.waits_since.get_or_insert(since);
            *earliest = since.min(*earliest);
        }
        reader.place = place;
        reader.is_starved = order == Order::Sequence && expect == Expect::Wait;
    }
}
