//! What differs from run to run beside the operations.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use moq_model::session::RequestSource;
use moq_model::{
    Abort, BroadcastProducer, Budget, Start, Subscription, Timescale, Track, TrackInfo,
};

use super::Home;
use crate::reference::Costs;

/// The payload that all large frames share.
static LARGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![7; 6 << 20]));

/// What a group and a frame cost, as measured.
static COSTS: LazyLock<Costs> = LazyLock::new(|| {
    let budget = Budget::new(1 << 30);
    let track = BroadcastProducer::with_budget(budget.clone()).create(Track::new("cost"));
    let track = track.unwrap();
    let mut writing = track.append().unwrap();
    let group = budget.used();
    writing.append_at(0, "").unwrap();
    let frame = budget.used() - group;
    Costs { group, frame }
});

#[derive(Debug, Clone)]
pub struct Setting {
    pub limit: u64,
    pub costs: Costs,
    /// Frames of megabytes.
    pub is_large: bool,
    /// Readers that are far behind.
    pub is_slow: bool,
    local: usize,
    fed: usize,
    /// By how much timestamps go on, in milliseconds.
    pace: u64,
    ages: [u64; 2],
    /// Readers that a track may have at once.
    pub readers: usize,
}

impl Setting {
    pub fn new(numbers: [u64; 6]) -> Self {
        let costs = *COSTS;
        let is_large = numbers[0].is_multiple_of(6);
        let small = costs.group * [4, 12, 30, 90][numbers[1] as usize % 4];
        let limit = match (is_large, numbers[2] % 3) {
            (true, _) => 1 << 30,
            (_, 0) => 1 << 40,
            _ => small + numbers[2] % 500,
        };
        let (local, fed) = [(1, 0), (0, 1), (1, 1), (1, 2), (2, 1)][numbers[3] as usize % 5];
        Self {
            limit,
            costs,
            is_large,
            is_slow: is_large && numbers[1].is_multiple_of(2),
            local,
            fed,
            pace: [0, 3, 40, 400][numbers[4] as usize % 4],
            ages: if is_large {
                [3, 4]
            } else {
                [numbers[5] % 5, numbers[5] / 5 % 5]
            },
            readers: [1, 2, 4, 99][numbers[5] as usize / 25 % 4],
        }
    }

    pub fn homes(&self, budget: &Budget) -> Vec<Home> {
        let local = (0..self.local).map(|_| BroadcastProducer::with_budget(budget.clone()));
        let mut homes: Vec<_> = local.map(Home::Local).collect();
        for _ in 0..self.fed {
            let (source, queue) = RequestSource::new(budget.feeder());
            let broadcast = source.broadcast(&"room".parse().unwrap());
            homes.push(Home::Fed {
                _source: source,
                queue,
                broadcast,
            });
        }
        homes
    }

    pub fn info(&self, arg: u64) -> TrackInfo {
        let age = self.ages[arg as usize % 2];
        let max_age = [
            Duration::ZERO,
            Duration::from_millis(50),
            Duration::from_secs(1),
            Duration::from_secs(5),
            Duration::MAX,
        ][age as usize];
        let units = if arg.is_multiple_of(3) { 90_000 } else { 1_000 };
        TrackInfo {
            priority: 1,
            max_age,
            timescale: Timescale::new(units).unwrap(),
        }
    }

    /// A timestamp after `before`, as a rule.
    pub fn time(&self, before: u64, arg: u64, info: Option<TrackInfo>) -> u64 {
        let scale = info.unwrap_or_default().timescale.units() / 1_000;
        let step = scale * (arg / 16 % (self.pace + 1));
        match arg % 16 {
            1 | 2 if self.is_slow => before + step,
            0 => before.saturating_sub(step),
            1 => before + scale * 900,
            2 => before + scale * 7_000,
            3..6 => before,
            _ => before + step,
        }
    }

    pub fn payload(&self, arg: u64) -> Bytes {
        let small = [0, 1, 10, 100, 300, 900, 2_000][arg as usize % 7];
        if self.is_large && !arg.is_multiple_of(3) {
            return LARGE.slice(..(1 + arg as usize % 12) << 19);
        }
        Bytes::from(vec![7; small])
    }

    /// What a reader wants, near the group `near`.
    pub fn subscription(&self, args: [u64; 2], near: u64) -> Subscription {
        let [a, b] = args;
        let around = (near + 3).saturating_sub(b % 7);
        let wants = Subscription::default().with_priority(u8::try_from(a % 4).unwrap());
        let wants = match a / 4 % 6 {
            0 | 1 => wants,
            2 | 3 => wants.with_start(Start::OLDEST),
            _ => wants.with_start(Start::Floor(around)),
        };
        let wants = match a / 24 % 8 {
            0 => wants.with_max_age(Duration::ZERO),
            1 => wants.with_max_age(Duration::from_millis(30)),
            2 => wants.with_max_age(Duration::from_millis(700)),
            3 => wants.with_max_age(Duration::from_secs(60)),
            _ => wants,
        };
        let wants = match a / 192 % 6 {
            0 => wants.with_patience(Duration::ZERO),
            1 => wants.with_patience(Duration::from_millis(100)),
            2 => wants.with_patience(Duration::MAX),
            _ => wants,
        };
        match b / 7 % 5 {
            0 => wants.with_end(near + b / 35 % 9),
            _ => wants,
        }
    }
}

pub fn cause(arg: u64) -> Abort {
    [
        Abort::Internal,
        Abort::Cancelled,
        Abort::SessionClosed,
        Abort::SessionClosed,
        Abort::NotFound,
        Abort::TooFarBehind,
        Abort::Expired,
        Abort::Evicted,
        Abort::Missing,
        Abort::Malformed,
        Abort::Timeout,
        Abort::Application(7),
        Abort::Other(9),
    ][arg as usize % 13]
}
