//! What a subscription asks of the peer.

use std::time::Duration;

use moq_model::{Demand, Start, TrackInfo};
use moq_wire::{GroupStart, Version};

use crate::convert;

/// What the readers want, in the words of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) priority: u8,
    pub(super) max_age: Duration,
    pub(super) start: GroupStart,
}

impl Wish {
    /// `begun` is the group that the publisher began with, once it has said so; `from` the one that
    /// an attempt before this one has reached.
    ///
    /// Where a start is only a floor, "newest" is an age of 0 until it is known which group that is;
    /// from there on it is that floor, with the age that is wanted.
    pub(super) fn new(
        demand: Option<Demand>,
        info: &TrackInfo,
        begun: Option<u64>,
        from: Option<u64>,
        version: Version,
    ) -> Self {
        let Some(demand) = demand else {
            return Self {
                priority: 127,
                max_age: Duration::ZERO,
                start: GroupStart::Floor(0),
            };
        };
        let priority = demand.priority;
        let start = match demand.start {
            Start::Floor(floor) => Some(floor.max(from.unwrap_or_default())),
            Start::Newest => begun.or(from),
        };
        let Some(first) = start else {
            let is_floor = version.features().start_is_floor;
            let max_age = if is_floor {
                Duration::ZERO
            } else {
                convert::wire_age(demand.max_age, info)
            };
            return Self {
                priority,
                max_age,
                start: GroupStart::Latest,
            };
        };
        Self {
            priority,
            max_age: convert::wire_age(demand.max_age, info),
            start: GroupStart::Floor(first),
        }
    }
}
