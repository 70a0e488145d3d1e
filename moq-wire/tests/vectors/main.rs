//! Known bytes of known messages, one file per draft and message.
//!
//! A line is one message as it follows the stream type; `#` starts a comment.

mod draft;
mod expected;

use draft::Draft;
use expected::{
    accepted, announce_ok, begun, bounded, datagram, dropped, ended, everything_but, fetch, free,
    from_group_3, goaways, group_1, plain, probes, rooms, route, session_infos, setups, start,
    track, track_infos, unbounded, update,
};
use moq_wire::{AnnounceRequest, GroupSequence, GroupStart, Probe, Version};

#[test]
fn lite_07_wip_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite07Wip);
    draft.messages("setup", &setups());
    let request = AnnounceRequest {
        include_hidden: true,
        ..everything_but(0)
    };
    draft.messages("announce_request", &[request]);
    draft.messages("announce_ok", &[announce_ok()]);
    let rooms = rooms(&route(&[], 0, 0));
    draft.announcements("announce", &rooms);
    draft.announcements_read("announce_compressed", &rooms);
    let updates = [
        start("cam", route(&[9], 7, 7)),
        update(route(&[9, 10], 3, 3)),
        update(route(&[9, 10], 300, 300)),
    ];
    draft.announcements("announce_update", &updates);
    draft.announcements_read("announce_update_compressed", &updates);
    draft.messages(
        "subscribe",
        &[
            unbounded(GroupStart::Floor(GroupSequence(0))),
            bounded(30_000, Some(1)),
        ],
    );
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[begun(), ended(Some(2))]);
    draft.messages("track", &[track()]);
    draft.messages("track_info", &track_infos());
    draft.messages("fetch", &[fetch()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[180_000, 183_000, 177_000]);
    draft.datagrams(&[datagram(0, 0, b"first"), datagram(1, 20, b"")]);
    draft.messages("probe", &probes());
    draft.messages("goaway", &goaways());
    draft.finish();
}

#[test]
fn lite_06_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite06);
    draft.messages("setup", &setups());
    draft.messages("announce_request", &[everything_but(0)]);
    draft.messages("announce_ok", &[announce_ok()]);
    draft.announcements("announce", &rooms(&route(&[], 0, 0)));
    draft.announcements(
        "announce_update",
        &[
            start("cam", route(&[9], 7, 7)),
            update(route(&[9, 10], 3, 3)),
        ],
    );
    draft.messages(
        "subscribe",
        &[
            unbounded(GroupStart::Floor(GroupSequence(0))),
            bounded(30_000, Some(1)),
        ],
    );
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[begun(), ended(None), dropped()]);
    draft.messages("track", &[track()]);
    draft.messages("track_info", &track_infos());
    draft.messages("fetch", &[fetch()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[180_000, 183_000, 177_000]);
    draft.datagrams(&[datagram(0, 0, b"first"), datagram(1, 20, b"")]);
    draft.messages("probe", &probes());
    draft.messages("goaway", &goaways());
    draft.finish();
}

#[test]
fn lite_05_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite05);
    draft.messages("announce_request", &[everything_but(0x2222)]);
    draft.messages("announce_ok", &[announce_ok()]);
    draft.announcements("announce", &rooms(&free(&[])));
    draft.announcements(
        "announce_update",
        &[start("cam", free(&[9])), update(free(&[9, 10]))],
    );
    draft.messages("subscribe", &[unbounded(GroupStart::Latest)]);
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[begun(), ended(None)]);
    draft.messages("track", &[track()]);
    draft.messages("track_info", &track_infos());
    draft.messages("group", &[group_1()]);
    draft.frames(&[180_000, 183_000, 177_000]);
    draft.finish();
}

#[test]
fn lite_04_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite04);
    draft.messages("announce_request", &[everything_but(0x2222)]);
    draft.announcements("announce", &rooms(&free(&[0x1111])));
    draft.announcements("announce_update", &[start("cam", free(&[9, 0x1111]))]);
    draft.messages(
        "subscribe",
        &[unbounded(GroupStart::Latest), bounded(5_000, None)],
    );
    draft.responses(&[accepted(5), dropped()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[]);
    draft.messages("probe", &probes());
    draft.messages("goaway", &goaways());
    draft.finish();
}

#[test]
fn lite_03_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite03);
    draft.messages("announce_request", &[everything_but(0)]);
    draft.announcements("announce", &rooms(&free(&[0])));
    draft.announcements("announce_update", &[start("cam", free(&[0, 0]))]);
    draft.messages(
        "subscribe",
        &[unbounded(GroupStart::Latest), bounded(5_000, None)],
    );
    draft.messages("subscribe_update", &[from_group_3()]);
    draft.responses(&[accepted(5), dropped()]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[]);
    let probes = probes().map(|probe| Probe { rtt: None, ..probe });
    draft.messages("probe", &probes);
    draft.finish();
}

#[test]
fn lite_02_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite02);
    draft.handshake(&[0xff0d_ad02, 0xff0d_ad01, 0xff00_000e]);
    before_ranges(&mut draft, 0);
    draft.finish();
}

#[test]
fn lite_01_is_spelled_as_recorded() {
    let mut draft = Draft::new(Version::Lite01);
    draft.handshake(&[0xff0d_ad01]);
    before_ranges(&mut draft, 5);
    draft.finish();
}

/// What the drafts without ranges have in common, but for the priority they accept with.
fn before_ranges(draft: &mut Draft, priority: u8) {
    draft.messages("session_info", &session_infos());
    draft.messages("announce_request", &[everything_but(0)]);
    draft.listed("announce", &rooms(&free(&[]))[..3], 2);
    draft.messages("subscribe", &[plain()]);
    draft.responses(&[accepted(priority)]);
    draft.messages("group", &[group_1()]);
    draft.frames(&[]);
}
