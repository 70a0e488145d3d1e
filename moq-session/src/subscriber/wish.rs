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
                start: convert::FLOOR_0,
            };
        };
        let priority = demand.priority;
        let start = match demand.start {
            Start::Floor(floor) => Some(floor.max(from.unwrap_or_default())),
            Start::Newest => begun.or(from),
        };
        let Some(first) = start else {
            let (start, max_age) = if version.features().start_is_floor {
                (convert::FLOOR_0, Duration::ZERO)
            } else {
                (GroupStart::Latest, age(demand.max_age, info, version))
            };
            return Self {
                priority,
                max_age,
                start,
            };
        };
        Self {
            priority,
            max_age: age(demand.max_age, info, version),
            start: convert::wire_floor(first),
        }
    }
}

/// The age to ask for. Where the draft does not tell how long the publisher keeps groups, it is
/// asked for as much as the readers want, and has what it has.
fn age(wanted: Duration, info: &TrackInfo, version: Version) -> Duration {
    let is_told = version.features().track_stream;
    if is_told || wanted == Duration::MAX {
        return convert::wire_age(wanted, info);
    }
    wanted.min(convert::MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_cut_to_the_tracks_own_where_that_is_known() {
        let info = TrackInfo::default();
        let asked = |wanted, version| age(wanted, &info, version);
        let (kept, wanted) = (info.max_age, Duration::from_secs(600));
        for &version in Version::ALL {
            let is_told = version.features().track_stream;
            let expected = if is_told { kept } else { wanted };
            assert_eq!(asked(wanted, version), expected, "{version}");
            assert_eq!(asked(Duration::MAX, version), kept, "{version}");
            let short = Duration::from_secs(1);
            assert_eq!(asked(short, version), short, "{version}");
        }
    }
}
