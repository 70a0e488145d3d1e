//! All scenarios.

use super::super::cell::Role;
use super::{Between, Scenario, Suite};
use super::{announce, clock, commands, data, life, media, pressure, track};

const USUAL: Scenario = Scenario {
    name: "",
    what: "",
    suite: Suite::Endpoints,
    role: None,
    publisher: &[],
    subscriber: &[],
    since: "moq-lite-01",
    of_pairs: false,
    between: Between::Anything,
    run: |_| Ok(()),
};

/// All of them, in the order of the table.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "connect",
        what: "both ends connect; the draft is the one asked for",
        run: life::connect,
        ..USUAL
    },
    Scenario {
        name: "announce",
        what: "a broadcast is seen when it appears",
        run: announce::announce,
        ..USUAL
    },
    Scenario {
        name: "initial-set",
        what: "what was there before is seen by who comes later",
        run: announce::initial_set,
        ..USUAL
    },
    Scenario {
        name: "unannounce",
        what: "a broadcast is seen to go",
        run: announce::unannounce,
        ..USUAL
    },
    Scenario {
        name: "thousand",
        what: "a thousand announcements",
        run: announce::thousand,
        ..USUAL
    },
    Scenario {
        name: "missing-broadcast",
        what: "asking for a broadcast that nobody has is answered by an error",
        subscriber: &["blind"],
        run: track::missing_broadcast,
        ..USUAL
    },
    Scenario {
        name: "missing-track",
        what: "asking for a track that its broadcast lacks is answered by an error",
        run: track::missing_track,
        ..USUAL
    },
    Scenario {
        name: "one-frame",
        what: "one frame, and the end of the track",
        of_pairs: true,
        run: data::one_frame,
        ..USUAL
    },
    Scenario {
        name: "group-of-many",
        what: "100 frames of one group, in order",
        run: data::group_of_many,
        ..USUAL
    },
    Scenario {
        name: "three-groups",
        what: "three groups, all of them whole",
        run: data::three_groups,
        ..USUAL
    },
    Scenario {
        name: "empty-group",
        what: "a group without frames harms neither its neighbours nor the end",
        run: data::empty_group,
        ..USUAL
    },
    Scenario {
        name: "empty-frame",
        what: "a frame without bytes keeps its place",
        run: data::empty_frame,
        ..USUAL
    },
    Scenario {
        name: "large-frame",
        what: "a frame of 5 MB",
        run: data::large_frame,
        ..USUAL
    },
    Scenario {
        name: "late-join",
        what: "who joins late begins with the newest group",
        run: track::late_join,
        ..USUAL
    },
    Scenario {
        name: "written-once",
        what: "a track that was written once is read by a second viewer",
        between: Between::Relay,
        run: track::written_once,
        ..USUAL
    },
    Scenario {
        name: "fetch",
        what: "groups are read one by one, without a subscription",
        subscriber: &["fetch"],
        since: "moq-lite-05",
        run: track::fetch,
        ..USUAL
    },
    Scenario {
        name: "datagram",
        what: "groups of one frame that travel as datagrams",
        publisher: &["datagram"],
        subscriber: &["datagram"],
        since: "moq-lite-05",
        run: data::datagram,
        ..USUAL
    },
    Scenario {
        name: "unsubscribe",
        what: "the publisher learns that nobody reads any more",
        publisher: &["demand"],
        run: track::unsubscribe,
        ..USUAL
    },
    Scenario {
        name: "max-age",
        what: "groups older than the subscriber's max age are skipped, others are not",
        publisher: &["max-age"],
        subscriber: &["max-age"],
        since: "moq-lite-05",
        between: Between::Relay,
        run: pressure::max_age,
        ..USUAL
    },
    Scenario {
        name: "priority",
        what: "over a slow link the track of higher priority comes first",
        subscriber: &["priority"],
        between: Between::Relay,
        run: pressure::priority,
        ..USUAL
    },
    Scenario {
        name: "probe",
        what: "the subscriber learns what its neighbour measures of the connection",
        subscriber: &["probe"],
        since: "moq-lite-03",
        between: Between::Neighbours,
        run: pressure::probe,
        ..USUAL
    },
    Scenario {
        name: "publisher-restart",
        what: "a publisher that was killed and comes back is read again",
        between: Between::Relay,
        run: life::publisher_restart,
        ..USUAL
    },
    Scenario {
        name: "left-at-end",
        what: "a publisher that leaves 300 ms after the end of its track has ended it",
        publisher: &["demand"],
        // Drafts before that do not tell an end which could be known to be reached.
        since: "moq-lite-05",
        between: Between::Relay,
        of_pairs: true,
        run: life::left_at_end,
        ..USUAL
    },
    Scenario {
        name: "takeover",
        what: "a publisher is killed while another one has the same path: its viewers know within 3 s",
        publisher: &["demand", "dies"],
        between: Between::OurRelay,
        run: life::takeover,
        ..USUAL
    },
    Scenario {
        name: "relay-restart",
        what: "both ends find a relay that was restarted",
        publisher: &["reconnect"],
        subscriber: &["reconnect"],
        between: Between::OneRelay,
        run: life::relay_restart,
        ..USUAL
    },
    Scenario {
        name: "goaway",
        what: "who is asked to leave connects anew and goes on",
        publisher: &["reconnect"],
        subscriber: &["reconnect"],
        since: "moq-lite-04",
        between: Between::Leavers,
        run: life::goaway,
        ..USUAL
    },
    Scenario {
        name: "refused",
        what: "a path that is not open to the public is refused",
        between: Between::OneRelay,
        run: life::refused,
        ..USUAL
    },
    Scenario {
        name: "moq-lines",
        what: "`moq publish` to `moq subscribe`, line by line",
        suite: Suite::Commands,
        run: commands::lines,
        ..USUAL
    },
    Scenario {
        name: "moq-raw",
        what: "5 MB through `moq publish --raw` and `moq subscribe --raw`",
        suite: Suite::Commands,
        run: commands::raw,
        ..USUAL
    },
    Scenario {
        name: "moq-ls",
        what: "`moq ls` names what is announced",
        suite: Suite::Commands,
        run: commands::ls,
        ..USUAL
    },
    Scenario {
        name: "moq-ping",
        what: "`moq ping` names draft and transport",
        suite: Suite::Commands,
        run: commands::ping,
        ..USUAL
    },
    Scenario {
        name: "clock",
        what: "seconds arrive, each once and in order",
        suite: Suite::Clock,
        run: clock::clock,
        ..USUAL
    },
    Scenario {
        name: "moq-import",
        what: "video that `moq import` of moq-cli publishes, picture by picture",
        suite: Suite::Media,
        publisher: &["import"],
        run: media::clip,
        ..USUAL
    },
    Scenario {
        name: "moq-fetch",
        what: "`moq fetch` of moq-cli writes one of our groups",
        suite: Suite::Media,
        role: Some(Role::TheySubscribe),
        since: "moq-lite-05",
        run: media::fetched,
        ..USUAL
    },
];
