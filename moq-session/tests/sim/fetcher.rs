//! Somebody who fetches single groups, and what must hold of what comes.

use std::time::Duration;

use moq_session::{Fetch, Frame, OriginProducer, TrackConsumer};
use tokio::time::{sleep, timeout};

use crate::content::{Place, payload, place, shape};
use crate::judge::{Edge, End, Judge, Published};
use crate::publisher;
use crate::reads::{Cause, Group, Piece};
use crate::rng::{Rng, hash};
use crate::rules::Owed;
use crate::tally::Count;
use crate::world::{PATH, Phase, World};

/// No fetch takes longer: an answer has 10 s at each of five hops to begin, a link is down for 10 s
/// at most, and a group lasts for little more than a second.
const PATIENCE: Duration = Duration::from_secs(90);

/// A group that is going to be fetched, or some of its frames.
#[derive(Debug, Clone, Copy)]
struct Wish {
    edge: Edge,
    group: u64,
    from: u64,
    until: Option<u64>,
    /// Leaves after so many frames.
    leaves: Option<u64>,
}

/// Fetches now and then until the tracks end.
pub async fn run(world: World, origin: OriginProducer, fetcher: usize) {
    let plan = world.plan.fetchers[fetcher].clone();
    let mut rng = Rng::new(hash(&[world.plan.seed, fetcher as u64, world.net.now()]));
    let path = PATH.parse().expect("it is a path");
    loop {
        sleep(Duration::from_millis(rng.range(100..=plan.pause))).await;
        if *world.phase.borrow() >= Phase::Closing {
            return;
        }
        let broadcast = origin.consume().broadcast(&path);
        let track = broadcast.and_then(|found| found.track(&publisher::name(plan.track)));
        let edge = world.judge.edge(plan.track as u64);
        let (Ok(track), Some(edge)) = (track, edge) else {
            continue;
        };
        let fetching = Fetching {
            judge: &world.judge,
            track: plan.track as u64,
            wish: wish(&mut rng, edge, plan.track as u64),
            can_fetch: world.is_calm && world.plan.can_fetch(),
            max_age: world.plan.tracks[plan.track].max_age,
        };
        if timeout(PATIENCE, fetching.run(&track)).await.is_err() {
            let text = format!("fetcher {fetcher} waits for {:?}", fetching.wish);
            world.judge.violation(text);
        }
    }
}

/// A group that is new, held, old or missing, often the whole of it.
fn wish(rng: &mut Rng, edge: Edge, track: u64) -> Wish {
    let newest = edge.group;
    let group = match rng.below(8) {
        0 => newest,
        1..=3 => newest.saturating_sub(rng.range(1..=3)),
        4 | 5 => newest.saturating_sub(rng.range(4..=40)),
        6 => newest + rng.range(1..=50),
        _ => {
            let is_missing = |group: &u64| shape(edge.epoch, track, *group).is_missing;
            (0..newest).rev().find(is_missing).unwrap_or(newest)
        }
    };
    let from = if rng.once_in(4) { rng.range(1..=3) } else { 0 };
    Wish {
        edge,
        group,
        from,
        until: rng.once_in(5).then(|| from + rng.range(0..=2)),
        leaves: rng.once_in(5).then(|| rng.range(0..=2)),
    }
}

struct Fetching<'a> {
    judge: &'a Judge,
    track: u64,
    wish: Wish,
    /// Nothing goes wrong, and each young group can be fetched.
    can_fetch: bool,
    max_age: u64,
}

impl Fetching<'_> {
    async fn run(&self, track: &TrackConsumer) {
        let Wish {
            group, from, until, ..
        } = self.wish;
        let mut fetch = Fetch::new(group).with_first_frame(from);
        fetch.end_frame = until;
        self.note(0, || format!("fetches {:?}", self.wish));
        let is_due = self.is_due();
        match track.fetch(fetch).await {
            Ok(group) => self.read(Group::new(group), is_due).await,
            Err(error) => {
                self.note(1, || error.to_string());
                self.judge.count(Count::FetchesRefused);
                self.expect_no_refusal(is_due, &error.to_string());
            }
        }
    }

    async fn read(&self, mut group: Group, is_due: bool) {
        if group.sequence() != self.wish.group {
            let text = format!("fetched {}, not {:?}", group.sequence(), self.wish);
            return self.judge.violation(text);
        }
        let (mut epoch, mut index) = (None, self.wish.from);
        while self
            .wish
            .leaves
            .is_none_or(|leaves| index < self.wish.from + leaves)
        {
            match group.next().await {
                Piece::Frame(frame) => {
                    epoch = self.frame(epoch, index, &frame);
                    index += 1;
                }
                Piece::Whole => return self.whole(epoch, index),
                Piece::Cut(cause) => return self.cut(index, cause, is_due),
            }
        }
        self.note(5, || "is abandoned".to_owned());
        self.judge.count(Count::FetchesAbandoned);
    }

    /// Checks a frame; says whose group it is of, as far as is known.
    fn frame(&self, epoch: Option<u64>, index: u64, frame: &Frame) -> Option<u64> {
        self.note(2, || format!("frame {index}"));
        let said = place(&frame.payload);
        let epoch = epoch.or_else(|| said.map(|said| said.epoch));
        let expected = Place {
            epoch: epoch.unwrap_or_default(),
            track: self.track,
            group: self.wish.group,
            index,
        };
        if said.is_some_and(|said| said != expected) {
            self.violation(&format!("{said:?} where {expected:?} belongs"));
        } else if epoch.is_some() && frame.payload != payload(expected) {
            self.violation(&format!("frame {index} has another content"));
        }
        epoch
    }

    /// The fetch has ended well, after the frames before `index`.
    fn whole(&self, epoch: Option<u64>, index: u64) {
        self.note(3, || "is whole".to_owned());
        self.judge.count(Count::FetchedWhole);
        let Wish {
            edge,
            group,
            from,
            until,
            ..
        } = self.wish;
        // What was asked for may be there before the group has ended.
        let has_all = |published: &Published| {
            let count = published.frames.len() as u64;
            let is_all = published.end == Some(End::Finished) && index == count.max(from);
            is_all || until.is_some_and(|until| index >= until && count.max(from) >= index)
        };
        // Another life of the publisher may have answered.
        let newest = self.judge.edge(self.track).unwrap_or(edge).epoch;
        let epochs = epoch.map_or(1..=newest, |epoch| epoch..=epoch);
        let is_empty = until.is_some_and(|until| until <= from);
        let found = |epoch| self.judge.group(epoch, self.track, group);
        let is_right = epochs
            .filter_map(found)
            .any(|published| has_all(&published));
        if !is_right && !is_empty {
            self.violation(&format!("ended well before frame {index} of {epoch:?}"));
        }
    }

    fn cut(&self, index: u64, cause: Cause, is_due: bool) {
        self.note(4, || format!("is cut, {cause:?}"));
        let is_refused = index == self.wish.from;
        self.judge.count(if is_refused {
            Count::FetchesRefused
        } else {
            Count::FetchesCut
        });
        // A group that still grew is read from the subscription that feeds it, and ends with that.
        let grew = self.wish.edge.group == self.wish.group;
        let is_unfed = !is_refused && grew && cause == Cause::Cancelled;
        self.expect_no_refusal(is_due && !is_unfed, &format!("{cause:?}"));
    }

    fn expect_no_refusal(&self, is_due: bool, why: &str) {
        if is_due && self.is_due() {
            self.violation(&format!("failed, although the publisher has it: {why}"));
        }
    }

    /// Whether the publisher has the group, and nothing is in the way.
    fn is_due(&self) -> bool {
        let Wish { edge, group, .. } = self.wish;
        let owed = Owed {
            epoch: edge.epoch,
            track: self.track,
            max_age: self.max_age,
            at: self.judge.now() + 500,
        };
        self.can_fetch && !self.judge.owed_in(owed, group..group + 1).is_empty()
    }

    fn violation(&self, text: &str) {
        self.judge.violation(format!("{:?} {text}", self.wish));
    }

    fn note(&self, kind: u64, text: impl FnOnce() -> String) {
        let (track, group) = (self.track, self.wish.group);
        self.judge.note([track, group, kind, 7 << 32], || {
            format!("fetch of group {group}, track {track}: {}", text())
        });
    }
}
