//! What a draft can do: a table with one row per draft, each written as the row before it and what
//! the draft changed.

/// How variable-length integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VarIntForm {
    /// As in QUIC: the two high bits of the first byte give the size.
    Quic,
    /// The number of leading one bits of the first byte is the number of further bytes.
    LeadingOnes,
}

/// What announcements say of the hop chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HopForm {
    /// Nothing.
    Absent,
    /// How many hops it has.
    Count,
    /// The id of each hop.
    Ids,
}

impl HopForm {
    /// Whether at least the length of the chain is said.
    #[must_use]
    pub const fn has_count(self) -> bool {
        matches!(self, Self::Count | Self::Ids)
    }

    /// Whether the hops can be told apart.
    #[must_use]
    pub const fn has_ids(self) -> bool {
        matches!(self, Self::Ids)
    }
}

/// What PROBE reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProbeForm {
    /// There is no PROBE.
    Absent,
    /// A bitrate.
    Bitrate,
    /// A bitrate and a round-trip time.
    BitrateAndRtt,
}

impl ProbeForm {
    /// Whether the draft has PROBE.
    #[must_use]
    pub const fn exists(self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Whether a round-trip time is reported.
    #[must_use]
    pub const fn has_rtt(self) -> bool {
        matches!(self, Self::BitrateAndRtt)
    }
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
    /// What announcements say of the hop chain.
    pub hops: HopForm,
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
    /// SUBSCRIBE_END names the group after the last one; otherwise some publishers name the last one.
    pub end_is_exact: bool,
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
    /// What PROBE reports, where it exists.
    pub probe: ProbeForm,
    /// GOAWAY exists.
    pub goaway: bool,
}

pub(crate) const LITE_01: Features = Features {
    varint: VarIntForm::Quic,
    handshake: true,
    setup_stream: false,
    announce_init: true,
    announce_ok: false,
    hops: HopForm::Absent,
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
    end_is_exact: false,
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
    probe: ProbeForm::Absent,
    goaway: false,
};

pub(crate) const LITE_02: Features = Features {
    ok_priority: false,
    ..LITE_01
};

pub(crate) const LITE_03: Features = Features {
    handshake: false,
    announce_init: false,
    announce_replace: false,
    hops: HopForm::Count,
    sender_in_chain: true,
    subscribe_range: true,
    ordered_byte: true,
    typed_response: true,
    ok_priority: true,
    drop_type: Some(1),
    probe: ProbeForm::Bitrate,
    ..LITE_02
};

pub(crate) const LITE_04: Features = Features {
    hops: HopForm::Ids,
    exclude_hop: true,
    probe: ProbeForm::BitrateAndRtt,
    goaway: true,
    ..LITE_03
};

pub(crate) const LITE_05: Features = Features {
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

pub(crate) const LITE_06: Features = Features {
    exclude_hop: false,
    typed_announce: true,
    announce_replace: false,
    announce_restart: false,
    ordered_byte: false,
    start_is_floor: true,
    end_is_exact: true,
    frame_bounds: true,
    ..LITE_05
};

pub(crate) const LITE_07_WIP: Features = Features {
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

    type Column = fn(&Features) -> bool;

    /// The table by its columns, so that a change to a row cannot pass on to later drafts unseen.
    #[test]
    fn each_feature_has_its_drafts() {
        let rows = [
            LITE_01,
            LITE_02,
            LITE_03,
            LITE_04,
            LITE_05,
            LITE_06,
            LITE_07_WIP,
        ];
        let columns: &[(Column, &str)] = &[
            (|row| row.handshake, "1 2"),
            (|row| row.setup_stream, "5 6 7"),
            (|row| row.announce_init, "1 2"),
            (|row| row.announce_ok, "5 6 7"),
            (|row| row.hops == HopForm::Absent, "1 2"),
            (|row| row.hops == HopForm::Count, "3"),
            (|row| row.hops == HopForm::Ids, "4 5 6 7"),
            (|row| row.hops.has_count(), "3 4 5 6 7"),
            (|row| row.hops.has_ids(), "4 5 6 7"),
            (|row| row.sender_in_chain, "3 4"),
            (|row| row.exclude_hop, "4 5"),
            (|row| row.include_hidden, "7"),
            (|row| row.typed_announce, "6 7"),
            (|row| row.announce_replace, "1 2 5"),
            (|row| row.announce_restart, "5"),
            (|row| row.announce_compression, "7"),
            (|row| row.subscribe_range, "3 4 5 6 7"),
            (|row| row.ordered_byte, "3 4 5"),
            (|row| row.start_is_floor, "6 7"),
            (|row| row.end_is_exact, "6 7"),
            (|row| row.frame_bounds, "6 7"),
            (|row| row.typed_response, "3 4 5 6 7"),
            (|row| row.subscribe_ok, "1 2 3 4"),
            (|row| row.ok_priority, "1 3 4 5 6 7"),
            (|row| row.start_end, "5 6 7"),
            (|row| row.end_stream_count, "7"),
            (|row| row.track_stream, "5 6 7"),
            (|row| row.timestamps, "5 6 7"),
            (|row| row.datagrams, "5 6 7"),
            (|row| row.fetch, "5 6 7"),
            (|row| row.probe == ProbeForm::Absent, "1 2"),
            (|row| row.probe == ProbeForm::Bitrate, "3"),
            (|row| row.probe == ProbeForm::BitrateAndRtt, "4 5 6 7"),
            (|row| row.probe.exists(), "3 4 5 6 7"),
            (|row| row.probe.has_rtt(), "4 5 6 7"),
            (|row| row.goaway, "4 5 6 7"),
            (|row| row.varint == VarIntForm::LeadingOnes, "7"),
            (|row| row.drop_type == Some(1), "3 4"),
            (|row| row.drop_type == Some(2), "5 6"),
        ];
        for (index, (has, drafts)) in columns.iter().enumerate() {
            let found = rows.iter().zip(1..).filter(|(row, _)| has(row));
            let found = found
                .map(|(_, draft)| draft.to_string())
                .collect::<Vec<_>>();
            assert_eq!(found.join(" "), *drafts, "column {index}");
        }
    }
}
