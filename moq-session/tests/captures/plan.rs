//! What the application at the recorded end did, as steps that can be done again.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use moq_model::Route;
use moq_session::transport::TransportStats;
use moq_session::{BroadcastPath, HopId, Role, Subscription, TrackInfo};
use moq_wire::{BiStream, ProbeLevel, Setup, UniStream};

use crate::message::{Message, Purpose, answers, requests};
use crate::recording::{End, Recording, Side, What};
use crate::{publishing, subscribing};

/// A track, by its broadcast and its name.
pub(crate) type Track = (BroadcastPath, String);

/// Something that an application does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Announces a path, or gives it another route.
    Announce(BroadcastPath, Route),
    Retract(BroadcastPath),
    /// Refuses what is asked for at a path or beneath it.
    Refuse(BroadcastPath, u16),
    Create(Track, TrackInfo),
    Frame(Track, u64, u64, Bytes),
    EndGroup(Track, u64, End),
    EndTrack(Track, End),
    Measure(TransportStats),
    /// Wants to know what the peer could send.
    Ask,
    /// Begins to read a track.
    Read(Track, Subscription),
    Update(Track, Subscription),
    Leave(Track),
    Close(u32, String),
}

impl Action {
    pub(crate) fn needs_session(&self) -> bool {
        matches!(self, Self::Ask | Self::Read(..) | Self::Close(..))
    }
}

/// Everything that one end did besides answering.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) hop: HopId,
    pub(crate) role: Option<Role>,
    pub(crate) setup_path: Option<String>,
    pub(crate) is_subscriber: bool,
    /// What was done before the session began.
    pub(crate) before: Vec<Action>,
    /// What was done later, by time and by the event that shows it.
    pub(crate) later: Vec<(Duration, usize, Action)>,
}

impl Plan {
    /// Does something where an event shows it: before the session if it answers at once.
    pub(crate) fn shown(&mut self, recording: &Recording, event: usize, action: Action) {
        match recording.events.get(event) {
            Some(shows) if !recording.is_answer(event) => {
                self.later.push((shows.at, event, action));
            }
            _ => self.before.push(action),
        }
    }
}

/// The streams of a recording, in words.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) recording: &'a Recording,
    /// The end whose place a session takes.
    pub(crate) own: Side,
    pub(crate) streams: Vec<Talk>,
}

/// A stream in words.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) purpose: Purpose,
    pub(crate) opener: Side,
    pub(crate) requests: Vec<(usize, Message)>,
    pub(crate) answers: Vec<(usize, Message)>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(recording: &'a Recording, own: Side) -> Self {
        let version = recording.version;
        let streams = recording.streams.iter().map(|stream| {
            let bytes = |side| stream.half(side).map_or(&[][..], |half| &half.bytes);
            let request = bytes(stream.opener);
            let purpose = Purpose::of(request, stream.is_bi, version);
            Talk {
                purpose,
                opener: stream.opener,
                requests: requests(request, purpose, version),
                answers: answers(bytes(stream.opener.other()), purpose, version),
            }
        });
        Self {
            recording,
            own,
            streams: streams.collect(),
        }
    }

    /// The streams that one end opened for a purpose, by their place.
    pub(crate) fn opened_by(
        &self,
        side: Side,
        purpose: Purpose,
    ) -> impl Iterator<Item = (usize, &Talk)> {
        let streams = self.streams.iter().enumerate();
        streams.filter(move |(_, talk)| talk.opener == side && talk.purpose == purpose)
    }

    /// The paths that this end announced, where an answer says more than that there is something
    /// at the prefix that was asked for.
    pub(crate) fn announced_by_name(&self) -> Vec<BroadcastPath> {
        let asked = self.opened_by(self.own.other(), Purpose::Bi(BiStream::Announce));
        let named = asked.flat_map(|(_, talk)| {
            let prefix = match talk.requests.first() {
                Some((_, Message::AnnounceRequest(request))) => path(&request.prefix),
                _ => None,
            };
            let answers = talk.answers.iter();
            answers.filter_map(move |(_, message)| match message {
                Message::Announce(event) if !event.suffix().as_str().is_empty() => {
                    prefix.clone()?.join(&path(event.suffix())?).ok()
                }
                _ => None,
            })
        });
        named.collect()
    }

    fn setup(&self) -> Option<&Setup> {
        let setups = self.opened_by(self.own, Purpose::Uni(UniStream::Setup));
        setups
            .flat_map(|(_, talk)| &talk.requests)
            .find_map(|(_, message)| match message {
                Message::Setup(_, setup) => Some(&**setup),
                _ => None,
            })
    }

    /// The identity that the recorded end used throughout, or else the one that recordings give to
    /// an end in its role.
    pub(crate) fn hop(&self) -> HopId {
        let mut told: BTreeMap<u64, usize> = BTreeMap::new();
        let mut tell = |hop: moq_wire::HopId| *told.entry(hop.0).or_default() += 1;
        self.setup().and_then(|setup| setup.hop).map(&mut tell);
        for talk in &self.streams {
            let own = match talk.opener == self.own {
                true => &talk.requests,
                false => &talk.answers,
            };
            for (_, message) in own {
                match message {
                    Message::AnnounceOk(ok) => tell(ok.hop),
                    Message::AnnounceRequest(request)
                        if self.recording.version.features().exclude_hop =>
                    {
                        tell(request.exclude_hop);
                    }
                    _ => {}
                }
            }
        }
        let is_publisher = match self.recording.role(self.own) {
            "both" => self.own == Side::Server,
            role => role == "publisher",
        };
        match told.pop_first() {
            Some((hop, times)) if told.is_empty() && times > 1 => HopId(hop),
            _ if is_publisher => HopId(0x1111),
            _ => HopId(0x2222),
        }
    }

    /// Works out what the application did.
    pub(crate) fn plan(&self) -> Plan {
        let role = self.recording.role(self.own);
        let mut plan = Plan {
            hop: self.hop(),
            role: match role {
                "publisher" => Some(Role::Publisher),
                "subscriber" => Some(Role::Subscriber),
                _ => None,
            },
            setup_path: self.setup().and_then(|setup| setup.path.clone()),
            is_subscriber: role != "publisher",
            ..Plan::default()
        };
        self.measures(&mut plan);
        publishing::plan(self, &mut plan);
        subscribing::plan(self, &mut plan);
        for (stream, _) in self.opened_by(self.own, Purpose::Bi(BiStream::Probe)) {
            let event = self.recording.opened(stream);
            if let Some(opened) = self.recording.events.get(event) {
                plan.later.push((opened.at, event, Action::Ask));
            }
        }
        for (at, event) in self.recording.events.iter().enumerate() {
            match &event.what {
                // Other codes are the session's own, for what its peer did.
                What::Close(code @ (0 | 64..), reason) if event.from == self.own => {
                    let close = Action::Close(*code, reason.clone());
                    plan.later.push((event.at, at, close));
                }
                _ => {}
            }
        }
        plan.later.sort_by_key(|(time, event, _)| (*time, *event));
        plan
    }

    /// What the transport measured is what was reported. If it was announced and never asked for,
    /// any measurement will do.
    fn measures(&self, plan: &mut Plan) {
        let is_announced = self
            .setup()
            .is_some_and(|setup| setup.probe != ProbeLevel::None);
        let mut is_measured = false;
        for (stream, talk) in self.opened_by(self.own.other(), Purpose::Bi(BiStream::Probe)) {
            for (offset, message) in &talk.answers {
                let Message::Probe(probe) = message else {
                    continue;
                };
                let mut stats = TransportStats::default();
                stats.send_rate = probe.bitrate;
                stats.rtt = probe.rtt;
                let event = self.recording.written(stream, self.own, *offset);
                plan.shown(self.recording, event, Action::Measure(stats));
                is_measured = true;
            }
        }
        if is_announced && !is_measured {
            let mut stats = TransportStats::default();
            stats.send_rate = Some(1_000_000);
            stats.rtt = Some(Duration::from_millis(40));
            plan.before.push(Action::Measure(stats));
        }
    }
}

/// A path of the wire, if an application can have it.
pub(crate) fn path(path: &moq_wire::Path) -> Option<BroadcastPath> {
    BroadcastPath::new(path.as_str()).ok()
}
