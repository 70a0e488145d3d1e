//! Outputs that wait to be carried out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::output::{Notice, Output};
use crate::catalog::Catalog;

/// Outputs by track, merged by the times at which they are due.
///
/// An input often has seconds of one track before the same seconds of another. Outputs of one track
/// keep their order; a track waits for no other.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: BTreeMap<usize, VecDeque<(u64, Output)>>,
    /// Catalogs, each behind everything that was queued before it.
    catalogs: VecDeque<(u64, Output)>,
    notices: VecDeque<Notice>,
    next: u64,
    /// When the latest frame is due.
    latest: Duration,
}

impl Queue {
    /// Adds an output that belongs to a track.
    pub(super) fn push(&mut self, track: usize, output: Output) {
        if let Output::Frame { due, .. } = &output {
            self.latest = self.latest.max(*due);
        }
        let place = self.place();
        self.lanes
            .entry(track)
            .or_default()
            .push_back((place, output));
    }

    /// Adds a catalog: the first is told at once, later ones when what was published before is out.
    pub(super) fn push_catalog(&mut self, catalog: Catalog, is_first: bool) {
        let place = if is_first { 0 } else { self.place() };
        self.catalogs.push_back((place, Output::Catalog(catalog)));
    }

    /// Adds a notice, which is told at once.
    pub(super) fn push_notice(&mut self, notice: Notice) {
        self.notices.push_back(notice);
    }

    fn place(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// When the next output is due; `None` if there is none.
    pub(super) fn next_due(&self) -> Option<Duration> {
        if !self.notices.is_empty() || self.catalog_is_next() {
            return Some(Duration::ZERO);
        }
        self.first().map(|(due, _, _)| due)
    }

    /// Takes the next output.
    pub(super) fn pop(&mut self) -> Option<Output> {
        if let Some((_, _, track)) = self.first().filter(|(_, _, track)| self.opens(*track)) {
            return self.take(track);
        }
        if let Some(notice) = self.notices.pop_front() {
            return Some(Output::Notice(notice));
        }
        if self.catalog_is_next() {
            return self.catalogs.pop_front().map(|(_, output)| output);
        }
        let (_, _, track) = self.first()?;
        self.take(track)
    }

    fn take(&mut self, track: usize) -> Option<Output> {
        let lane = self.lanes.get_mut(&track)?;
        let output = lane.pop_front().map(|(_, output)| output);
        if matches!(output, Some(Output::Finish { .. })) {
            self.lanes.remove(&track);
        }
        output
    }

    fn opens(&self, track: usize) -> bool {
        let front = self.lanes.get(&track).and_then(VecDeque::front);
        matches!(front, Some((_, Output::Open(_))))
    }

    /// The lane that is due first: when, its place, its track.
    fn first(&self) -> Option<(Duration, u64, usize)> {
        let fronts = self.lanes.iter().filter_map(|(track, lane)| {
            let (place, _) = lane.front()?;
            Some((due(lane), *place, *track))
        });
        fronts.min()
    }

    fn catalog_is_next(&self) -> bool {
        let Some((place, _)) = self.catalogs.front() else {
            return false;
        };
        let mut fronts = self.lanes.values().filter_map(VecDeque::front);
        fronts.all(|(front, _)| front > place)
    }

    /// Whether there is a frame of a track.
    pub(super) fn has_frame(&self, track: usize) -> bool {
        let lane = self.lanes.get(&track);
        let is_frame = |(_, output): &(u64, Output)| matches!(output, Output::Frame { .. });
        lane.is_some_and(|lane| lane.iter().any(is_frame))
    }

    /// From the next frame to the latest.
    pub(super) fn span(&self) -> Duration {
        let first = self.first().map_or(self.latest, |(due, _, _)| due);
        self.latest.saturating_sub(first)
    }
}

/// When a lane's front is due. A group is due with its first frame, everything else at once.
fn due(lane: &VecDeque<(u64, Output)>) -> Duration {
    let mut outputs = lane.iter().map(|(_, output)| output);
    match outputs.next() {
        Some(Output::Frame { due, .. }) => *due,
        Some(Output::Group { .. }) => match outputs.next() {
            Some(Output::Frame { due, .. }) => *due,
            _ => Duration::ZERO,
        },
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(track: usize, millis: u64) -> Output {
        Output::Frame {
            track,
            timestamp: millis,
            due: Duration::from_millis(millis),
            payload: Bytes::new(),
        }
    }

    fn told(queue: &mut Queue) -> Vec<String> {
        let outputs = std::iter::from_fn(|| queue.pop());
        let text = outputs.map(|output| match output {
            Output::Frame {
                track, timestamp, ..
            } => format!("{track}@{timestamp}"),
            Output::Group { track } => format!("group {track}"),
            Output::Catalog(_) => "catalog".to_owned(),
            other => format!("{other:?}"),
        });
        text.collect()
    }

    #[test]
    fn tracks_are_merged_by_time() {
        let mut queue = Queue::default();
        for track in [0, 1] {
            queue.push(track, Output::Group { track });
            for at in 0..2 {
                queue.push(track, frame(track, at * 40 + track as u64 * 10));
            }
        }
        assert_eq!(queue.span(), Duration::from_millis(50));
        let expected = ["group 0", "0@0", "group 1", "1@10", "0@40", "1@50"];
        assert_eq!(told(&mut queue), expected);
    }

    #[test]
    fn first_catalog_is_told_at_once_and_later_ones_in_their_place() {
        let mut queue = Queue::default();
        queue.push(0, frame(0, 10));
        queue.push_catalog(Catalog::default(), true);
        queue.push_catalog(Catalog::default(), false);
        queue.push(0, frame(0, 20));
        assert_eq!(queue.next_due(), Some(Duration::ZERO));
        assert_eq!(told(&mut queue), ["catalog", "0@10", "catalog", "0@20"]);
        assert_eq!(queue.next_due(), None);
    }
}
