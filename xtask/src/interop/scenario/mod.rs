//! What is tried in a cell.

mod announce;
mod clock;
mod commands;
mod data;
mod life;
mod media;
mod pressure;
mod track;

use super::cell::{Role, Transport};
use super::endpoint::Outcome;
use super::peers::Kind;
use super::stage::Stage;

/// One thing to try, and where it makes sense.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it shows, for the table.
    pub(crate) what: &'static str,
    suite: Suite,
    /// The only role in which it makes sense, if that is so.
    role: Option<Role>,
    /// What the publisher has to be able to do.
    pub(crate) publisher: &'static [&'static str],
    /// What the subscriber has to be able to do.
    pub(crate) subscriber: &'static [&'static str],
    /// The first draft that has it.
    since: &'static str,
    /// Whether it needs a relay in the middle, or one of ours.
    between: Between,
    pub(crate) run: fn(&mut Stage<'_>) -> Outcome,
}

/// Which programs are at the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suite {
    /// Test clients.
    Endpoints,
    /// Our command at both ends.
    Commands,
    Clock,
    /// moq-cli at one end.
    Media,
}

/// What has to lie between the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Anything,
    Relay,
    /// One relay, whose other end can be refused.
    OneRelay,
}

impl Scenario {
    /// Whether it makes sense there.
    pub(crate) fn suits(
        &self,
        kind: Kind,
        role: Role,
        version: &str,
        transport: Transport,
    ) -> bool {
        let relays = role.topology().relays.len();
        let fits = match self.between {
            Between::Anything => true,
            Between::Relay => relays > 0,
            Between::OneRelay => relays == 1,
        };
        let suite = match self.suite {
            Suite::Endpoints => matches!(kind, Kind::Endpoint | Kind::Relay),
            // Once, not again for every client of others.
            Suite::Commands => kind == Kind::Relay || role == Role::Ours,
            Suite::Clock => kind == Kind::Clock,
            Suite::Media => kind == Kind::Media && self.role.is_none_or(|only| only == role),
        };
        // Raw QUIC has no path before draft 05, so there is nothing to refuse.
        let has_path = transport == Transport::WebTransport || version >= "moq-lite-05";
        suite && fits && version >= self.since && (self.name != "refused" || has_path)
    }
}

const USUAL: Scenario = Scenario {
    name: "",
    what: "",
    suite: Suite::Endpoints,
    role: None,
    publisher: &[],
    subscriber: &[],
    since: "moq-lite-01",
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
        name: "publisher-restart",
        what: "a publisher that was killed and comes back is read again",
        between: Between::Relay,
        run: life::publisher_restart,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn scenarios_keep_to_what_makes_sense() {
        let named = |name: &str| ALL.iter().find(|scenario| scenario.name == name).unwrap();
        let (kind, role) = (Kind::Relay, Role::TheyRelay);
        let quic = Transport::Quic;
        assert!(named("max-age").suits(kind, role, "moq-lite-05", quic));
        assert!(!named("max-age").suits(kind, role, "moq-lite-04", quic));
        assert!(!named("refused").suits(kind, role, "moq-lite-04", quic));
        assert!(!named("clock").suits(kind, role, "moq-lite-04", quic));
        assert!(!named("priority").suits(Kind::Endpoint, Role::WeDialPublish, "moq-lite-06", quic));
    }
}
