//! Which cells there are: peers crossed with roles, drafts, transports and scenarios.

use std::fmt;

use super::options::{Options, matches};
use super::ours::Ours;
use super::peers::{self, Kind, Peer};
use super::scenario::{self, Scenario};

/// Who does what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Nobody but us: our publisher, our relay, our subscriber.
    Ours,
    /// They publish at our relay, we subscribe.
    TheyPublish,
    /// We publish at our relay, they subscribe.
    TheySubscribe,
    /// They publish at our relay, and they subscribe.
    WeRelay,
    /// They publish at our relay, and the peer of this name subscribes.
    ReadBy(&'static str),
    /// We publish at their relay, and we subscribe.
    TheyRelay,
    /// We publish at their relay, which dials ours, where we subscribe.
    ChainDown,
    /// We publish at our relay, which theirs dials, where we subscribe.
    ChainUp,
    /// We dial their server and publish.
    WeDialPublish,
    /// We dial their server and subscribe.
    WeDialSubscribe,
    /// They dial our server and publish.
    TheyDialPublish,
    /// They dial our server and subscribe.
    TheyDialSubscribe,
}

impl Role {
    /// Who publishes, which relays lie between, and who subscribes.
    pub(crate) fn topology(self) -> Topology {
        use Side::{Peer, Us};
        let (publisher, relays, subscriber): (Side, &'static [Side], Side) = match self {
            Self::Ours => (Us, &[Us], Us),
            Self::TheyPublish => (Peer, &[Us], Us),
            Self::TheySubscribe => (Us, &[Us], Peer),
            Self::WeRelay | Self::ReadBy(_) => (Peer, &[Us], Peer),
            Self::TheyRelay => (Us, &[Peer], Us),
            Self::ChainDown => (Us, &[Peer, Us], Us),
            Self::ChainUp => (Us, &[Us, Peer], Us),
            Self::WeDialPublish | Self::TheyDialSubscribe => (Us, &[], Peer),
            Self::WeDialSubscribe | Self::TheyDialPublish => (Peer, &[], Us),
        };
        let listener = match self {
            Self::WeDialPublish | Self::TheyDialPublish => Some(End::Subscriber),
            Self::WeDialSubscribe | Self::TheyDialSubscribe => Some(End::Publisher),
            _ => None,
        };
        Topology {
            publisher,
            relays,
            subscriber,
            listener,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::TheyPublish => "they-publish",
            Self::TheySubscribe => "they-subscribe",
            Self::WeRelay => "we-relay",
            Self::ReadBy(_) => "read-by",
            Self::TheyRelay => "they-relay",
            Self::ChainDown => "chain-down",
            Self::ChainUp => "chain-up",
            Self::WeDialPublish => "we-dial-publish",
            Self::WeDialSubscribe => "we-dial-subscribe",
            Self::TheyDialPublish => "they-dial-publish",
            Self::TheyDialSubscribe => "they-dial-subscribe",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadBy(peer) => f.pad(&format!("{}-{peer}", self.name())),
            _ => f.pad(self.name()),
        }
    }
}

/// Who plays a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Us,
    Peer,
}

/// An end of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Publisher,
    Subscriber,
}

/// How the processes of a cell are connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Topology {
    pub(crate) publisher: Side,
    /// From the publisher to the subscriber.
    pub(crate) relays: &'static [Side],
    pub(crate) subscriber: Side,
    /// Who is dialled by the other end, without a relay.
    pub(crate) listener: Option<End>,
}

/// What carries the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    /// Raw QUIC.
    Quic,
    /// HTTP/3.
    WebTransport,
}

impl Transport {
    /// The URL scheme that asks for it.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Quic => "moqt",
            Self::WebTransport => "https",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Quic => "quic",
            Self::WebTransport => "webtransport",
        })
    }
}

/// One thing to try.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// `None` for ours against ours.
    pub(crate) peer: Option<&'static Peer>,
    pub(crate) role: Role,
    pub(crate) version: String,
    pub(crate) transport: Transport,
    pub(crate) scenario: &'static Scenario,
}

impl Cell {
    pub(crate) fn peer_name(&self) -> &'static str {
        self.peer.map_or("ours", |peer| peer.name)
    }

    /// The peer that plays an end, or the relays.
    pub(crate) fn peer_at(&self, end: End) -> Option<&'static Peer> {
        match (self.role, end) {
            (Role::ReadBy(name), End::Subscriber) => peers::named(name),
            _ => self.peer,
        }
    }

    /// All peers that it needs.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &'static Peer> {
        let ends = [End::Publisher, End::Subscriber];
        ends.map(|end| self.peer_at(end)).into_iter().flatten()
    }

    /// Why it cannot be, for a reason of the peer's.
    pub(crate) fn lack(&self) -> Option<&'static str> {
        let name = self.to_string();
        let cell = name.split_once('/').map_or("", |(_, rest)| rest);
        let lacks = self.peer.map_or(&[][..], |peer| peer.lacks);
        let found = lacks
            .iter()
            .find(|lack| self.version.as_str() < lack.before && matches(lack.cells, cell));
        found.map(|lack| lack.why)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            role,
            version,
            transport,
            scenario,
            ..
        } = self;
        let peer = self.peer_name();
        write!(f, "{peer}/{role}/{version}/{transport}/{}", scenario.name)
    }
}

/// All cells that the options ask for, whether their peer can be had or not.
pub(crate) fn all(ours: &Ours, peers: &[&'static Peer], options: &Options) -> Vec<Cell> {
    let mut cells = Vec::new();
    for version in &ours.versions {
        for transport in [Transport::Quic, Transport::WebTransport] {
            cells.extend(cross(None, Role::Ours, version, transport, ours));
        }
    }
    for peer in peers {
        let versions = ours.versions.iter();
        for version in versions.filter(|version| peer.versions.contains(&version.as_str())) {
            for transport in peer.transports {
                for role in peer.roles {
                    cells.extend(cross(Some(peer), *role, version, *transport, ours));
                }
            }
        }
    }
    cells.retain(|cell| is_wanted(cell, options) && (!options.quick || is_quick(cell, ours)));
    cells
}

/// Whether a cell is among the few that are run on every change: the newest draft of each peer over
/// its first transport.
fn is_quick(cell: &Cell, ours: &Ours) -> bool {
    let Some(peer) = cell.peer else {
        return ours.versions.first() == Some(&cell.version);
    };
    let mut shared = ours.versions.iter();
    let newest = shared.find(|version| peer.versions.contains(&version.as_str()));
    newest == Some(&cell.version)
        && peer.transports.first() == Some(&cell.transport)
        && cell.role != Role::WeRelay
}

fn cross<'a>(
    peer: Option<&'static Peer>,
    role: Role,
    version: &'a str,
    transport: Transport,
    ours: &'a Ours,
) -> impl Iterator<Item = Cell> + 'a {
    let reader = match role {
        Role::ReadBy(name) => peers::named(name),
        _ => peer,
    };
    let can = move |side: Side, peer: Option<&Peer>, what: &str| match (side, peer) {
        (Side::Peer, Some(peer)) if matches!(peer.kind, Kind::Endpoint | Kind::Media) => {
            peer.can.contains(&what)
        }
        _ => ours.can.iter().any(|can| can == what),
    };
    let is_spoken = reader.is_none_or(|reader| reader.versions.contains(&version));
    let topology = role.topology();
    let kind = peer.map_or(Kind::Endpoint, |peer| peer.kind);
    let scenarios = scenario::ALL.iter().filter(move |scenario| {
        is_spoken
            && scenario.suits(kind, role, version, transport)
            && (scenario.publisher.iter()).all(|what| can(topology.publisher, peer, what))
            && (scenario.subscriber.iter()).all(|what| can(topology.subscriber, reader, what))
    });
    scenarios.map(move |scenario| Cell {
        peer,
        role,
        version: version.to_owned(),
        transport,
        scenario,
    })
}

fn is_wanted(cell: &Cell, options: &Options) -> bool {
    let among = |wanted: &[String], name: &str| {
        wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)
    };
    let name = cell.to_string();
    let tests = &options.tests;
    among(&options.peers, cell.peer_name())
        && among(&options.versions, &cell.version)
        && (tests.is_empty() || tests.iter().any(|test| matches(test, &name)))
}
