//! Between what stands on the wire and what the model knows; nowhere else.

use std::sync::Arc;
use std::time::Duration;

use moq_model::{
    Abort, BroadcastPath, Fetch, GroupEnd, HopId, PathError, Start, Subscription, Timescale,
    TrackInfo,
};
use moq_wire::{GroupStart, Subscribe, Version, code};

/// The longest age that is put on the wire; nothing is kept for longer.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn path(path: moq_wire::Path) -> Result<BroadcastPath, PathError> {
    BroadcastPath::try_from(Arc::from(path))
}

/// A path of the model for the wire; it fits, because the limits are the same.
pub(crate) fn wire_path(path: BroadcastPath) -> moq_wire::Path {
    moq_wire::Path::try_from(Arc::from(path)).unwrap_or_default()
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
        Abort::GroupTooLarge => code::stream::GROUP_TOO_LARGE,
        Abort::FrameTooLarge => code::stream::FRAME_TOO_LARGE,
        Abort::Malformed => code::stream::MALFORMED_TRACK,
        Abort::Application(n) => code::application(n),
        Abort::Other(code) => code,
        _ => code::stream::INTERNAL,
    }
}

/// What a peer's code means here. A peer's SESSION_CLOSED speaks of another session than this one.
pub(crate) fn abort(code: u32) -> Abort {
    match code {
        code::stream::INTERNAL => Abort::Internal,
        code::stream::CANCELLED => Abort::Cancelled,
        code::stream::NOT_FOUND => Abort::NotFound,
        code::stream::UNROUTABLE => Abort::Unroutable,
        code::stream::TOO_FAR_BEHIND => Abort::TooFarBehind,
        code::stream::OLD => Abort::Expired,
        code::stream::EVICTED => Abort::Evicted,
        code::stream::GROUP_TOO_LARGE => Abort::GroupTooLarge,
        code::stream::FRAME_TOO_LARGE => Abort::FrameTooLarge,
        code::stream::MALFORMED_TRACK => Abort::Malformed,
        code::stream::CONTROL_TIMEOUT => Abort::Timeout,
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
        GroupEnd::Expired => code::stream::OLD,
        GroupEnd::Evicted => code::stream::EVICTED,
        _ => code::stream::INTERNAL,
    }
}

/// What a subscriber on the wire wants. A draft without ages and starts means everything from the
/// newest group on.
pub(crate) fn subscription(
    priority: u8,
    max_age: Duration,
    start: GroupStart,
    end: Option<u64>,
    version: Version,
) -> Subscription {
    let has_range = version.features().subscribe_range;
    let start = match start {
        GroupStart::Floor(floor) if has_range => Start::Floor(floor),
        _ => Start::Newest,
    };
    let subscription = Subscription::default()
        .from(start)
        .with_priority(priority)
        .with_max_age(if has_range { max_age } else { Duration::MAX });
    match end {
        Some(last) => subscription.until(last.saturating_add(1)),
        None => subscription,
    }
}

/// Whether the newest group is wanted, which a sibling may not know yet.
pub(crate) fn is_newest(start: GroupStart, max_age: Duration) -> bool {
    (start, max_age) == (GroupStart::Floor(0), Duration::ZERO)
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

/// The frames that a subscriber on the wire asks for; its last frame is included there.
pub(crate) fn fetch(request: &moq_wire::Fetch) -> Fetch {
    let fetch = Fetch::new(request.group.0)
        .from(request.frame_start)
        .with_priority(request.priority);
    match request.frame_end {
        Some(last) => fetch.until(last.saturating_add(1)),
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

pub(crate) fn wire_route(route: moq_model::Route) -> moq_wire::Route {
    moq_wire::Route {
        hops: route.hops.into_iter().map(wire_hop).collect(),
        warm_cost: route.warm_cost,
        cold_cost: route.cold_cost,
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
}
