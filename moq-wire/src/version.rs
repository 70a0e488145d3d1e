//! Drafts and what each of them can do.

use std::fmt;
use std::str::FromStr;

use crate::error::UnknownVersion;

/// A draft of moq-lite.
///
/// Nothing outside this module tells one draft from another; everything else asks [`Features`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// moq-lite-01, negotiated inside a `moql` session.
    Lite01,
    /// moq-lite-02, negotiated inside a `moql` session.
    Lite02,
    /// moq-lite-03.
    Lite03,
    /// moq-lite-04.
    Lite04,
    /// moq-lite-05.
    Lite05,
    /// moq-lite-06.
    Lite06,
    /// moq-lite-07 as far as it is written.
    Lite07Wip,
}

impl Version {
    /// The versions this crate speaks and offers by default, most wanted first.
    pub const SUPPORTED: &'static [Self] = &[Self::Lite06, Self::Lite05, Self::Lite04];

    /// The draft's own name, such as `moq-lite-06`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lite01 => "moq-lite-01",
            Self::Lite02 => "moq-lite-02",
            Self::Lite03 => "moq-lite-03",
            Self::Lite04 => "moq-lite-04",
            Self::Lite05 => "moq-lite-05",
            Self::Lite06 => "moq-lite-06",
            Self::Lite07Wip => "moq-lite-07-wip",
        }
    }

    /// The protocol name a transport negotiates: the draft's own, or `moql` where a handshake
    /// inside the session settles the draft.
    #[must_use]
    pub const fn alpn(self) -> &'static str {
        if self.features().handshake {
            "moql"
        } else {
            self.name()
        }
    }

    /// The supported version a negotiated protocol name stands for by itself.
    #[must_use]
    pub fn from_alpn(alpn: &str) -> Option<Self> {
        Self::SUPPORTED
            .iter()
            .copied()
            .find(|version| version.alpn() == alpn)
    }

    /// What this draft can do.
    #[must_use]
    pub const fn features(self) -> &'static Features {
        match self {
            Self::Lite01 => &LITE_01,
            Self::Lite02 => &LITE_02,
            Self::Lite03 => &LITE_03,
            Self::Lite04 => &LITE_04,
            Self::Lite05 => &LITE_05,
            Self::Lite06 => &LITE_06,
            Self::Lite07Wip => &LITE_07_WIP,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads the name of a supported version.
impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut supported = Self::SUPPORTED.iter().copied();
        supported
            .find(|version| version.name() == name)
            .ok_or_else(|| UnknownVersion(name.into()))
    }
}

/// How variable-length integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VarIntForm {
    /// As in QUIC: the two high bits of the first byte give the size.
    Quic,
    /// The number of leading one bits of the first byte is the number of further bytes.
    LeadingOnes,
}

/// What a draft can do, and how it spells what it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// How variable-length integers are written.
    pub varint: VarIntForm,
    /// The draft is settled by a handshake on the first bidirectional stream.
    pub handshake: bool,
    /// Each side sends one SETUP on a stream of its own.
    pub setup_stream: bool,
    /// The answer to an announce request starts with ANNOUNCE_INIT, the set as a list.
    pub announce_init: bool,
    /// The answer to an announce request starts with ANNOUNCE_OK.
    pub announce_ok: bool,
    /// Announcements carry at least the length of the hop chain.
    pub hop_count: bool,
    /// Announcements carry the ids of the hop chain.
    pub hop_ids: bool,
    /// The sender's own hop is part of the chain it sends; otherwise the receiver appends it.
    pub sender_in_chain: bool,
    /// ANNOUNCE_REQUEST names a hop whose routes are not wanted.
    pub exclude_hop: bool,
    /// ANNOUNCE_REQUEST says whether hidden names are wanted.
    pub include_hidden: bool,
    /// Announcements are START, UPDATE and END, with implicit ids and costs.
    pub typed_announce: bool,
    /// A second active announcement of a live path replaces its route, instead of being an error.
    pub announce_replace: bool,
    /// An announcement may have the status "restart".
    pub announce_restart: bool,
    /// START and UPDATE refer to earlier announcements of the stream.
    pub announce_compression: bool,
    /// SUBSCRIBE carries an age and a range of groups, and SUBSCRIBE_UPDATE exists.
    pub subscribe_range: bool,
    /// A byte without meaning follows the priority.
    pub ordered_byte: bool,
    /// The start of a subscription is a plain floor; otherwise absent means the latest group.
    pub start_is_floor: bool,
    /// SUBSCRIBE, FETCH and GROUP name frames.
    pub frame_bounds: bool,
    /// Answers to a subscription have a type; otherwise there is only SUBSCRIBE_OK.
    pub typed_response: bool,
    /// A subscription is accepted with SUBSCRIBE_OK.
    pub subscribe_ok: bool,
    /// SUBSCRIBE_OK carries a priority.
    pub ok_priority: bool,
    /// SUBSCRIBE_START and SUBSCRIBE_END exist.
    pub start_end: bool,
    /// SUBSCRIBE_END counts the group streams.
    pub end_stream_count: bool,
    /// The type of SUBSCRIBE_DROP, where it exists.
    pub drop_type: Option<u64>,
    /// TRACK and TRACK_INFO exist.
    pub track_stream: bool,
    /// Frames carry timestamps.
    pub timestamps: bool,
    /// A group of one frame may travel as a datagram.
    pub datagrams: bool,
    /// FETCH exists.
    pub fetch: bool,
    /// PROBE exists.
    pub probe: bool,
    /// PROBE carries a round-trip time.
    pub probe_rtt: bool,
    /// GOAWAY exists.
    pub goaway: bool,
}

const LITE_01: Features = Features {
    varint: VarIntForm::Quic,
    handshake: true,
    setup_stream: false,
    announce_init: true,
    announce_ok: false,
    hop_count: false,
    hop_ids: false,
    sender_in_chain: false,
    exclude_hop: false,
    include_hidden: false,
    typed_announce: false,
    announce_replace: true,
    announce_restart: false,
    announce_compression: false,
    subscribe_range: false,
    ordered_byte: false,
    start_is_floor: false,
    frame_bounds: false,
    typed_response: false,
    subscribe_ok: true,
    ok_priority: true,
    start_end: false,
    end_stream_count: false,
    drop_type: None,
    track_stream: false,
    timestamps: false,
    datagrams: false,
    fetch: false,
    probe: false,
    probe_rtt: false,
    goaway: false,
};

const LITE_02: Features = Features {
    ok_priority: false,
    ..LITE_01
};

const LITE_03: Features = Features {
    handshake: false,
    announce_init: false,
    announce_replace: false,
    hop_count: true,
    sender_in_chain: true,
    subscribe_range: true,
    ordered_byte: true,
    typed_response: true,
    ok_priority: true,
    drop_type: Some(1),
    probe: true,
    ..LITE_02
};

const LITE_04: Features = Features {
    hop_ids: true,
    exclude_hop: true,
    probe_rtt: true,
    goaway: true,
    ..LITE_03
};

const LITE_05: Features = Features {
    setup_stream: true,
    announce_ok: true,
    sender_in_chain: false,
    announce_replace: true,
    announce_restart: true,
    subscribe_ok: false,
    start_end: true,
    drop_type: Some(2),
    track_stream: true,
    timestamps: true,
    datagrams: true,
    fetch: true,
    ..LITE_04
};

const LITE_06: Features = Features {
    exclude_hop: false,
    typed_announce: true,
    announce_replace: false,
    announce_restart: false,
    ordered_byte: false,
    start_is_floor: true,
    frame_bounds: true,
    ..LITE_05
};

const LITE_07_WIP: Features = Features {
    varint: VarIntForm::LeadingOnes,
    include_hidden: true,
    announce_compression: true,
    end_stream_count: true,
    drop_type: None,
    ..LITE_06
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supported_versions_are_found_by_either_name() {
        assert!(
            Version::SUPPORTED.is_sorted_by(|a, b| a > b),
            "newest first"
        );
        for version in Version::SUPPORTED.iter().copied() {
            assert_eq!(Version::from_alpn(version.alpn()), Some(version));
            assert_eq!(version.to_string().parse(), Ok(version));
        }
    }

    #[test]
    fn unsupported_names_are_refused() {
        for name in ["moql", "moq-lite-07-wip", "moq-lite-6", "h3", ""] {
            assert_eq!(Version::from_alpn(name), None);
            assert_eq!(name.parse::<Version>(), Err(UnknownVersion(name.into())));
        }
    }
}
