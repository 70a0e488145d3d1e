//! What a draft carries of a message.

use std::time::Duration;

use moq_wire::{
    AnnounceEvent, AnnounceOk, AnnounceRequest, ClientSetup, Datagram, Fetch, Goaway, GroupHeader,
    GroupStart, HopId, Probe, ServerSetup, SessionInfo, Setup, Subscribe, SubscribeOk,
    SubscribeResponse, SubscribeUpdate, Track, TrackInfo, Version, varint,
};

/// Something that a draft may carry only in part.
pub(crate) trait Carried: Sized {
    /// As it reads once it was written.
    fn carried(self, version: Version) -> Self;
}

fn whole(age: Duration) -> Duration {
    Duration::from_millis(u64::try_from(age.as_millis()).expect("it was written"))
}

impl Carried for Setup {
    fn carried(self, _version: Version) -> Self {
        Self {
            path: self.path.filter(|path| !path.is_empty()),
            hop: self.hop.filter(|hop| !hop.is_anonymous()),
            ..self
        }
    }
}

impl Carried for AnnounceRequest {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        let hop = Some(self.exclude_hop).filter(|_| features.exclude_hop);
        Self {
            exclude_hop: hop.unwrap_or_default(),
            include_hidden: self.include_hidden && features.include_hidden,
            ..self
        }
    }
}

impl Carried for Subscribe {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        if !features.subscribe_range {
            return Self {
                max_age: Duration::ZERO,
                start: GroupStart::Latest,
                last: None,
                frame_start: 0,
                frame_last: None,
                ..self
            };
        }
        Self {
            max_age: whole(self.max_age),
            frame_start: if features.frame_bounds {
                self.frame_start
            } else {
                0
            },
            frame_last: self.frame_last.filter(|_| features.frame_bounds),
            ..self
        }
    }
}

impl Carried for SubscribeUpdate {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        Self {
            max_age: whole(self.max_age),
            frame_start: if features.frame_bounds {
                self.frame_start
            } else {
                0
            },
            frame_last: self.frame_last.filter(|_| features.frame_bounds),
            ..self
        }
    }
}

impl Carried for SubscribeResponse {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        match self {
            Self::Ok(ok) => Self::Ok(SubscribeOk {
                priority: if features.ok_priority { ok.priority } else { 0 },
                max_age: if features.subscribe_range {
                    whole(ok.max_age)
                } else {
                    Duration::ZERO
                },
                start: ok.start.filter(|_| features.subscribe_range),
                last: ok.last.filter(|_| features.subscribe_range),
            }),
            Self::End { end, streams } => Self::End {
                end,
                streams: streams.filter(|_| features.end_stream_count),
            },
            other => other,
        }
    }
}

impl Carried for TrackInfo {
    fn carried(self, _version: Version) -> Self {
        Self {
            max_age: whole(self.max_age),
            ..self
        }
    }
}

impl Carried for Fetch {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        Self {
            frame_start: if features.frame_bounds {
                self.frame_start
            } else {
                0
            },
            frame_last: self.frame_last.filter(|_| features.frame_bounds),
            ..self
        }
    }
}

impl Carried for Probe {
    fn carried(self, version: Version) -> Self {
        let has_rtt = version.features().probe.has_rtt();
        let one = Duration::from_millis(1);
        Self {
            bitrate: self.bitrate.map(|bitrate| bitrate.max(1)),
            rtt: self.rtt.filter(|_| has_rtt).map(|rtt| whole(rtt).max(one)),
        }
    }
}

impl Carried for SessionInfo {
    fn carried(self, _version: Version) -> Self {
        Self {
            bitrate: self.bitrate.map(|bitrate| bitrate.max(1)),
        }
    }
}

impl Carried for GroupHeader {
    fn carried(self, version: Version) -> Self {
        let has_bounds = version.features().frame_bounds;
        Self {
            frame_start: if has_bounds { self.frame_start } else { 0 },
            ..self
        }
    }
}

impl Carried for AnnounceEvent {
    fn carried(self, version: Version) -> Self {
        let features = version.features();
        let Self::Start { suffix, mut route } = self else {
            panic!("only a start can be the first announcement");
        };
        if !features.hops.has_count() {
            route.hops.clear();
        } else if !features.hops.has_ids() {
            route.hops.fill(HopId::ANONYMOUS);
        }
        if !features.typed_announce {
            (route.warm_cost, route.cold_cost) = (0, varint::MAX);
        }
        Self::Start { suffix, route }
    }
}

macro_rules! whole_in_every_draft {
    ($($message:ident),*) => { $(
        impl Carried for $message {
            fn carried(self, _version: Version) -> Self {
                self
            }
        }
    )* };
}

whole_in_every_draft!(
    AnnounceOk,
    Track,
    Goaway,
    Datagram,
    ClientSetup,
    ServerSetup
);
