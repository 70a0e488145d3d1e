//! Between what stands on the wire and what the model knows; nowhere else.

use std::sync::Arc;
use std::time::Duration;

use moq_model::{
    Abort, BroadcastPath, Fetch, GroupEnd, HopId, PathError, Start, Subscription, Timescale,
    TrackInfo,
};
use moq_wire::{GroupSequence, GroupStart, Subscribe, Version, code, varint};

/// The longest age that is put on the wire; nothing is kept for longer.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn path(path: moq_wire::Path) -> Result<BroadcastPath, PathError> {
    BroadcastPath::try_from(Arc::from(path))
}

/// A path of the model for the wire. The limits are the same, so no path of the model is refused.
pub(crate) fn wire_path(path: BroadcastPath) -> Result<moq_wire::Path, moq_wire::PathError> {
    moq_wire::Path::try_from(Arc::from(path))
}

pub(crate) fn hop(hop: moq_wire::HopId) -> HopId {
    HopId(hop.0)
}

pub(crate) fn wire_hop(hop: HopId) -> moq_wire::HopId {
    moq_wire::HopId(hop.0)
}

pub(crate) fn abort_code(abort: Abort) -> u32 {
    match abort {
        Abort::Internal => code::stream::INTERNAL,
        Abort::Timeout => code::stream::CONTROL_TIMEOUT,
        Abort::Cancelled => code::stream::CANCELLED,
        Abort::SessionClosed => code::stream::SESSION_CLOSED,
        Abort::NotFound => code::stream::NOT_FOUND,
        Abort::Unroutable => code::stream::UNROUTABLE,
        Abort::TooFarBehind => code::stream::TOO_FAR_BEHIND,
        Abort::Expired => code::stream::OLD,
        Abort::Evicted => code::stream::EVICTED,
        Abort::Missing => code::stream::OLD,
        Abort::GroupTooLarge => code::stream::GROUP_TOO_LARGE,
        Abort::FrameTooLarge => code::stream::FRAME_TOO_LARGE,
        Abort::Malformed => code::stream::MALFORMED_TRACK,
        Abort::NoCapacity => code::stream::NO_CAPACITY,
        Abort::Application(n) => code::application(n),
        Abort::Other(code) => code,
        _ => code::stream::INTERNAL,
    }
}

/// What a peer's code means here.
pub(crate) fn abort(code: u32) -> Abort {
    match code {
        code::stream::INTERNAL => Abort::Internal,
        code::stream::CANCELLED => Abort::Cancelled,
        code::stream::SESSION_CLOSED => Abort::SessionClosed,
        code::stream::NOT_FOUND => Abort::NotFound,
        code::stream::UNROUTABLE => Abort::Unroutable,
        code::stream::TOO_FAR_BEHIND => Abort::TooFarBehind,
        code::stream::OLD => Abort::Expired,
        code::stream::EVICTED => Abort::Evicted,
        code::stream::GROUP_TOO_LARGE => Abort::GroupTooLarge,
        code::stream::FRAME_TOO_LARGE => Abort::FrameTooLarge,
        code::stream::MALFORMED_TRACK => Abort::Malformed,
        code::stream::CONTROL_TIMEOUT => Abort::Timeout,
        code::stream::NO_CAPACITY => Abort::NoCapacity,
        _ => match code::from_application(code) {
            Some(n) => Abort::Application(n),
            None if code::stream::name(code).is_some() => Abort::Other(code),
            None => Abort::Internal,
        },
    }
}

/// The code for a group that a reader did not get to the end of.
pub(crate) fn group_end_code(end: GroupEnd) -> u32 {
    match end {
        GroupEnd::Finished => code::stream::CANCELLED,
        GroupEnd::Aborted(reason) => abort_code(reason),
        _ => code::stream::INTERNAL,
    }
}

/// What a subscriber on the wire wants. A draft without ages and starts means everything from the
/// newest group on.
pub(crate) fn subscription(
    priority: u8,
    max_age: Duration,
    start: GroupStart,
    last: Option<GroupSequence>,
    version: Version,
) -> Subscription {
    let has_range = version.features().subscribe_range;
    let start = match start {
        GroupStart::Floor(floor) if has_range => Start::Floor(floor.0),
        _ => Start::Newest,
    };
    let subscription = Subscription::default()
        .with_start(start)
        .with_priority(priority)
        .with_max_age(if has_range { max_age } else { Duration::MAX });
    match last {
        Some(last) => subscription.with_end(last.0.saturating_add(1)),
        None => subscription,
    }
}

/// Whether the newest group is wanted, which a sibling may not know yet.
pub(crate) fn is_newest(start: GroupStart, max_age: Duration) -> bool {
    (start, max_age) == (FLOOR_0, Duration::ZERO)
}

/// What a sibling means by its request. What comes before it knows which group is the newest would be
/// too old for a stranger, but not for a reader here.
pub(crate) fn from_sibling(request: Subscribe) -> Subscribe {
    if !is_newest(request.start, request.max_age) {
        return request;
    }
    Subscribe {
        start: GroupStart::Latest,
        max_age: Duration::MAX,
        ..request
    }
}

/// A start from the first group on. With an age of 0 it means the newest group, where the draft has no
/// other word for that.
pub(crate) const FLOOR_0: GroupStart = GroupStart::Floor(GroupSequence(0));

/// A start from `group` on, or from the last number on that the wire has.
pub(crate) fn wire_floor(group: u64) -> GroupStart {
    GroupStart::Floor(GroupSequence(group.min(varint::MAX)))
}

/// The frames that a subscriber on the wire asks for; its last frame is included there.
pub(crate) fn fetch(request: &moq_wire::Fetch) -> Fetch {
    let fetch = Fetch::new(request.group.0)
        .with_first_frame(request.frame_start)
        .with_priority(request.priority);
    match request.frame_last {
        Some(last) => fetch.with_end_frame(last.saturating_add(1)),
        None => fetch,
    }
}

/// An age for the wire, no longer than the track keeps its groups.
pub(crate) fn wire_age(wanted: Duration, info: &TrackInfo) -> Duration {
    wanted.min(info.max_age).min(MAX_AGE)
}

pub(crate) fn track_info(info: &moq_wire::TrackInfo) -> Option<TrackInfo> {
    Some(TrackInfo {
        priority: info.priority,
        max_age: info.max_age,
        timescale: Timescale::new(info.timescale)?,
    })
}

pub(crate) fn wire_track_info(info: &TrackInfo) -> moq_wire::TrackInfo {
    moq_wire::TrackInfo {
        priority: info.priority,
        max_age: info.max_age.min(MAX_AGE),
        timescale: info.timescale.units(),
    }
}

/// A route for the wire. The sum of costs on the way may be more than it has a number for: then it is
/// the largest there is.
pub(crate) fn wire_route(route: moq_model::Route) -> moq_wire::Route {
    moq_wire::Route {
        hops: route.hops.into_iter().map(wire_hop).collect(),
        warm_cost: route.warm_cost.min(varint::MAX),
        cold_cost: route.cold_cost.min(varint::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_and_application_codes_pass_through() {
        for code in (0..=0x39).chain([64, 64 + 65_535]) {
            let passed = abort_code(abort(code));
            let is_known = code::stream::name(code).is_some() || code >= 64;
            assert_eq!(passed, if is_known { code } else { 0 }, "{code:#x}");
        }
        assert_eq!(abort_code(abort(u32::MAX)), code::stream::INTERNAL);
    }

    /// Texts around the limits of paths: of every count of segments and bytes that matters, with slashes
    /// in excess and without.
    fn texts() -> Vec<String> {
        let mut texts = vec![
            String::new(),
            "/".repeat(32),
            "a\n\u{202e}/\u{e9}".to_owned(),
        ];
        for count in [1, 2, 31, 32, 33, 34] {
            for slashes in ["/", "//"] {
                texts.push(vec!["s"; count].join(slashes));
                texts.push(format!("/{}/", vec!["s\u{e9}"; count].join(slashes)));
            }
        }
        for bytes in 1_020..=1_028 {
            texts.push("x".repeat(bytes));
            texts.push(format!("//{}//", "x".repeat(bytes)));
            texts.push(format!("a/{}", "\u{e9}".repeat(bytes / 2)));
            texts.push(format!("{}//b/", "x".repeat(bytes)));
        }
        texts
    }

    #[test]
    fn the_wire_and_the_model_take_and_refuse_the_same_paths() {
        let (mut taken, mut refused) = (0, 0);
        for text in texts() {
            let (wire, model) = (moq_wire::Path::new(&text), BroadcastPath::new(&text));
            assert_eq!(wire.is_ok(), model.is_ok(), "{text:?}");
            let (Ok(wire), Ok(model)) = (wire, model) else {
                refused += 1;
                continue;
            };
            taken += 1;
            assert_eq!(wire.as_str(), model.as_str());
            assert!(wire.segments().eq(model.segments()));
            assert_eq!(path(wire.clone()).as_ref(), Ok(&model));
            assert_eq!(wire_path(model), Ok(wire));
        }
        assert!(taken > 10 && refused > 10, "{taken}, {refused}");
    }

    #[test]
    fn the_wire_and_the_model_refuse_a_path_for_the_same_reason() {
        let (deep, long) = ("s/".repeat(33), "x".repeat(1_025));
        assert_eq!(
            moq_wire::Path::new(&deep),
            Err(moq_wire::PathError::Segments)
        );
        assert_eq!(BroadcastPath::new(&deep), Err(PathError::TooManySegments));
        assert_eq!(
            moq_wire::Path::new(&long),
            Err(moq_wire::PathError::TooLong)
        );
        assert_eq!(BroadcastPath::new(&long), Err(PathError::TooLong));
    }

    #[test]
    fn hops_and_costs_of_the_model_fit_the_wire() {
        assert_eq!(HopId::MAX_CHAIN, moq_wire::limits::MAX_HOPS);
        assert_eq!(moq_model::Route::MAX_COST, varint::MAX);
        assert_eq!(wire_hop(HopId::ANONYMOUS), moq_wire::HopId::ANONYMOUS);
        for id in [0, 1, (1 << 53) - 1, varint::MAX] {
            assert_eq!(hop(wire_hop(HopId(id))), HopId(id));
            assert_eq!(hop(moq_wire::HopId(id)).is_anonymous(), id == 0);
        }
        for _ in 0..100 {
            let hop = HopId::random();
            assert!(!hop.is_anonymous() && hop.0 < 1 << 53);
        }
        let mut route = moq_model::Route::local();
        route.hops = vec![HopId(7); HopId::MAX_CHAIN];
        (route.warm_cost, route.cold_cost) = (u64::MAX, varint::MAX);
        let wire = wire_route(route);
        assert_eq!(wire.hops, [moq_wire::HopId(7); moq_wire::limits::MAX_HOPS]);
        assert_eq!((wire.warm_cost, wire.cold_cost), (varint::MAX, varint::MAX));
    }
}
