//! Where a robust endpoint does better than the recorded one.

use moq_wire::Features;

use crate::compare::Difference;
use crate::recording::Recording;

/// What a session does otherwise than the recorded end in one scenario, and why.
#[derive(Debug)]
pub(crate) struct Known {
    scenario: &'static str,
    /// The drafts that it is about.
    drafts: fn(&Features) -> bool,
    better: Better,
    /// What a robust endpoint has to do.
    pub(crate) reason: &'static str,
}

/// What is done better. Everything else has to be as it was recorded.
#[derive(Debug)]
enum Better {
    /// Exactly this is different, by its place.
    Otherwise(&'static [(&'static str, &'static str)]),
    /// The session is closed with a code, and everything up to there is as recorded.
    Closes(u32),
}

impl Known {
    /// What is known of a recording's scenario.
    pub(crate) fn of(recording: &Recording) -> Option<&'static Self> {
        KNOWN.iter().find(|known| {
            known.scenario == recording.scenario && (known.drafts)(recording.version.features())
        })
    }

    /// Whether the session may end before all was done that was recorded.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.better, Better::Closes(_))
    }

    /// Whether this is what was found, neither more nor less.
    pub(crate) fn explains(&self, found: &[Difference]) -> bool {
        match self.better {
            Better::Otherwise(differences) => {
                let found = found.iter().map(|d| (d.place.as_str(), d.what.as_str()));
                found.eq(differences.iter().copied())
            }
            Better::Closes(code) => {
                let what = format!("recorded open, ours closed with {code:#x}");
                matches!(found, [d] if d.place == "session" && d.what == what)
            }
        }
    }
}

const KNOWN: &[Known] = &[
    Known {
        scenario: "x-no-setup",
        drafts: |_| true,
        better: Better::Closes(0x11),
        reason: "6.1: no SETUP within a few seconds: close 0x11",
    },
    Known {
        scenario: "x-setup-reset",
        drafts: |features| features.setup_stream,
        better: Better::Otherwise(&[("session", "recorded closed with 0x1, ours closed with 0x3")]),
        reason: "6.1: Setup stream reset early: close 3",
    },
    Known {
        scenario: "x-track-fin",
        drafts: |features| features.track_stream,
        better: Better::Otherwise(&[
            (
                "Track",
                "recorded nothing, ours TrackInfo(TrackInfo { priority: 127, max_age: 5s, timescale: 1000 })",
            ),
            ("Track", "recorded RESET 0x1, ours FIN"),
        ]),
        reason: "6.2: FIN together with TRACK: answer anyway",
    },
    Known {
        scenario: "x-fetch-fin",
        drafts: |features| features.fetch,
        better: Better::Otherwise(&[
            (
                "Fetch",
                "recorded nothing, ours Frame(Some(0), b\"unseen\")",
            ),
            ("Fetch", "recorded RESET 0x1, ours FIN"),
        ]),
        reason: "6.2: FIN together with FETCH: answer anyway",
    },
    Known {
        scenario: "y-announce-stream-reset",
        drafts: |_| true,
        better: Better::Otherwise(&[
            ("Announce", "recorded open, ours RESET 0x1"),
            ("Announce", "not recorded, ours asks again, open"),
            ("session", "recorded closed with 0x1, ours open"),
        ]),
        reason: "6.3: RESET from the publisher: keep the session, retry with backoff",
    },
    Known {
        scenario: "x-subscribe-duplicate-id",
        drafts: |_| true,
        better: Better::Closes(0x3),
        reason: "6.4: SUBSCRIBE with a live id: RESET 3 or close 3",
    },
    Known {
        scenario: "y-sub-unknown-response",
        drafts: |_| true,
        better: Better::Otherwise(&[("Subscribe", "recorded FIN, ours RESET 0x12")]),
        reason: "6.4: unknown response type: fail the subscription (RESET 0x12)",
    },
    Known {
        scenario: "y-sub-group-past-end",
        drafts: |features| features.start_end && !features.end_is_exact,
        better: Better::Otherwise(&[
            ("Subscribe", "recorded FIN, ours open"),
            ("Subscribe", "recorded STOP 0x0, ours not stopped"),
            ("Group", "recorded STOP 0x1, ours not stopped"),
        ]),
        reason: "6.4: END reached, every group below it here (05): wait for the FIN, END may be inclusive",
    },
    Known {
        scenario: "x-probe-unavailable",
        drafts: |features| features.setup_stream,
        better: Better::Otherwise(&[
            ("Probe", "recorded open, ours RESET 0x1"),
            ("Probe", "recorded not stopped, ours STOP 0x0"),
        ]),
        reason: "6.5: Probe stream although you advertised 0: RESET 1",
    },
    Known {
        scenario: "x-probe-target",
        drafts: |features| !features.setup_stream,
        better: Better::Otherwise(&[
            ("Probe", "recorded RESET 0x12, ours open"),
            ("Probe", "recorded STOP 0x0, ours not stopped"),
        ]),
        reason: "6.5: PROBE from the requester: read and ignore",
    },
    Known {
        scenario: "x-probe-target",
        drafts: |features| features.setup_stream,
        better: Better::Otherwise(&[
            (
                "Probe",
                "recorded nothing, ours Probe(Probe { bitrate: Some(1000000), rtt: Some(40ms) })",
            ),
            ("Probe", "recorded RESET 0x12, ours open"),
            ("Probe", "recorded STOP 0x0, ours not stopped"),
        ]),
        reason: "6.5: PROBE from the requester: read and ignore",
    },
];
