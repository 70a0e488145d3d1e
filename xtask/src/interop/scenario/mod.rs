//! What is tried in a cell.

mod announce;
mod clock;
mod commands;
mod data;
mod life;
mod media;
mod pressure;
mod table;
mod track;

use super::cell::{Role, Side, Transport};
use super::endpoint::Outcome;
use super::peers::Kind;
use super::stage::Stage;

pub(crate) use table::ALL;

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
    /// Whether it is also tried between two peers.
    of_pairs: bool,
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
    /// One relay, of ours.
    OurRelay,
    /// Whoever the subscriber is connected to, one of them a peer where there is one.
    Neighbours,
    /// A relay of the peer's, or nothing where the peer dials: what our relay cannot ask of it.
    Leavers,
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
            Between::OurRelay => role.topology().relays == [Side::Us],
            Between::Neighbours => has_foreign_neighbours(role),
            Between::Leavers => matches!(
                role,
                Role::TheyRelay | Role::TheyDialPublish | Role::TheyDialSubscribe
            ),
        };
        let suite = match self.suite {
            Suite::Endpoints => matches!(kind, Kind::Endpoint | Kind::Relay),
            // Once, not again for every client of others.
            Suite::Commands => kind == Kind::Relay || role == Role::Ours,
            Suite::Clock => kind == Kind::Clock,
            Suite::Media => kind == Kind::Media && self.role.is_none_or(|only| only == role),
        };
        let is_tried = self.of_pairs || !matches!(role, Role::ReadBy(_));
        // Raw QUIC has no path before draft 05, so there is nothing to refuse.
        let has_path = transport == Transport::WebTransport || version >= "moq-lite-05";
        suite && fits && is_tried && version >= self.since && (self.name != "refused" || has_path)
    }
}

/// Whether the peer is the subscriber or what that is connected to.
fn has_foreign_neighbours(role: Role) -> bool {
    let topology = role.topology();
    let other = topology.relays.last().unwrap_or(&topology.publisher);
    role == Role::Ours || topology.subscriber == Side::Peer || *other == Side::Peer
}

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
