//! How this end treats its peer, by who that is.

/// How this end treats its peer, by who that is.
///
/// Whoever has dialled is no relay, unless its grant says so. Chains say nothing about it: the peer
/// writes them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// The peer speaks for many: this end has dialled it, or granted it that.
    pub(crate) is_relay: bool,
    /// The peer is a part of the same relay.
    pub(crate) is_sibling: bool,
}

impl Policy {
    /// Whether more announcements than are allowed end the session. Of a relay, which passes them on, the
    /// rest is left out instead.
    pub(crate) fn ends_by_announcements(self) -> bool {
        !self.is_relay
    }

    /// Whether the way to the peer counts, as a hop of each chain and in each route's cost.
    pub(crate) fn is_hop(self) -> bool {
        !self.is_sibling
    }

    /// Whether the peer is told of hidden names without asking for them.
    pub(crate) fn hears_hidden(self) -> bool {
        self.is_sibling
    }

    /// Whether the peer can fall silent while this end is there. Siblings are one process.
    pub(crate) fn falls_silent_alone(self) -> bool {
        !self.is_sibling
    }

    /// Whether the peer asks for the newest group on behalf of this end's readers. It may not know yet which
    /// one that is, and what comes before it knows is not too old.
    pub(crate) fn shares_readers(self) -> bool {
        self.is_sibling
    }
}
