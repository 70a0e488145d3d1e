//! Whether what is golden in a recording agrees with itself, with its notes, and with what holds for
//! all recordings.
//!
//! What the application did is read off the golden bytes, so a byte that is wrong there could be
//! taken for something that the application did. Much of it is said twice.

use std::collections::BTreeSet;

use bytes::Bytes;
use moq_wire::{AnnounceEvent, BiStream, HopId, Role, SubscribeId, UniStream};

use crate::Outcome;
use crate::message::{Message, Purpose};
use crate::plan::{Scene, Talk, path};
use crate::recording::{Recording, Side};

/// # Errors
/// The first disagreement.
pub(crate) fn check(recording: &Recording) -> Outcome {
    let sides = [Side::Client, Side::Server];
    let golden = sides
        .into_iter()
        .filter(|side| Some(*side) != recording.scripted);
    for own in golden {
        let agreement = Agreement {
            scene: Scene::new(recording, own),
        };
        agreement.setups()?;
        agreement.identity()?;
        agreement.routes()?;
        agreement.paths()?;
        agreement.names()?;
        agreement.requests()?;
        agreement.subscriptions()?;
    }
    Ok(())
}

struct Agreement<'a> {
    scene: Scene<'a>,
}

impl Agreement<'_> {
    /// What this end said, stream by stream.
    fn said(&self) -> impl Iterator<Item = (&Talk, &Message)> {
        let own = self.scene.own;
        self.scene.streams.iter().flat_map(move |talk| {
            let messages = match talk.opener == own {
                true => &talk.requests,
                false => &talk.answers,
            };
            messages.iter().map(move |(_, message)| (talk, message))
        })
    }

    /// Every end says who it is, and a client what it is going to do. A draft that is settled by a
    /// handshake is that of the recording.
    fn setups(&self) -> Outcome {
        let Scene { recording, own, .. } = self.scene;
        let role = match recording.role(own) {
            "publisher" if own == Side::Client => Some(Role::Publisher),
            "subscriber" if own == Side::Client => Some(Role::Subscriber),
            _ => None,
        };
        for (_, message) in self.said() {
            match message {
                Message::Setup(_, setup) if setup.hop.is_none() || setup.role != role => {
                    return Err(format!("a {} sends {setup:?}", recording.role(own)));
                }
                Message::ServerSetup(setup) if setup.version != recording.version.code_point() => {
                    return Err(format!("{} is not {:?}", recording.version, setup));
                }
                Message::ClientSetup(setup)
                    if !setup.versions.contains(&recording.version.code_point()) =>
                {
                    return Err(format!("{} is not in {:?}", recording.version, setup));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An end calls itself by one name.
    fn identity(&self) -> Outcome {
        let features = self.scene.recording.version.features();
        let own = self.scene.hop().0;
        for (_, message) in self.said() {
            let told = match message {
                Message::Setup(_, setup) => setup.hop,
                Message::AnnounceOk(ok) => Some(ok.hop),
                Message::AnnounceRequest(m) if features.exclude_hop => Some(m.exclude_hop),
                Message::Announce(AnnounceEvent::Start { route, .. })
                    if features.sender_in_chain && features.hops.has_ids() =>
                {
                    route.hops.last().copied()
                }
                _ => None,
            };
            if let Some(told) = told.filter(|told| told.0 != own) {
                return Err(format!("{:#x} calls itself {:#x}", own, told.0));
            }
        }
        Ok(())
    }

    /// No sender was ever found to give two different costs, and a route that is named after a hop
    /// leads through it.
    fn routes(&self) -> Outcome {
        let features = self.scene.recording.version.features();
        for (_, message) in self.said() {
            let Message::Announce(
                AnnounceEvent::Start { suffix, route } | AnnounceEvent::Update { suffix, route },
            ) = message
            else {
                continue;
            };
            if features.typed_announce && route.warm_cost != route.cold_cost {
                return Err(format!("two costs for one route: {route:?}"));
            }
            let via = suffix.as_str().strip_prefix("via");
            let via = via.and_then(|hop| hop.parse().ok());
            if features.hops.has_ids() && via.is_some_and(|hop| !route.hops.contains(&HopId(hop))) {
                return Err(format!(
                    "{suffix:?} does not lead through its hop: {route:?}"
                ));
            }
        }
        Ok(())
    }

    /// What an end asks for had been announced to it, as far as it was told anything.
    fn paths(&self) -> Outcome {
        let mut announced = Vec::new();
        for (_, talk) in self
            .scene
            .opened_by(self.scene.own, Purpose::Bi(BiStream::Announce))
        {
            let Some((_, Message::AnnounceRequest(request))) = talk.requests.first() else {
                continue;
            };
            announced.extend(
                talk.answers
                    .iter()
                    .filter_map(|(_, message)| match message {
                        Message::Announce(event) => {
                            path(&request.prefix)?.join(&path(event.suffix())?).ok()
                        }
                        _ => None,
                    }),
            );
        }
        for (talk, message) in self.said() {
            let asked = match message {
                _ if talk.opener != self.scene.own => continue,
                Message::Track(m) => &m.broadcast,
                Message::Subscribe(m) => &m.broadcast,
                Message::Fetch(m) => &m.broadcast,
                _ => continue,
            };
            let is_covered = path(asked)
                .is_some_and(|asked| announced.iter().any(|route| asked.has_prefix(route)));
            if !announced.is_empty() && !is_covered {
                return Err(format!("{asked:?} was not announced"));
            }
        }
        Ok(())
    }

    /// Where frames say what they are, all short ones do: `g0f1` is frame 1 of group 0. The long
    /// frame holds a pattern.
    fn names(&self) -> Outcome {
        let mut named = Vec::new();
        for (_, talk) in self
            .scene
            .opened_by(self.scene.own, Purpose::Uni(UniStream::Group))
        {
            let Some((_, Message::Group(header))) = talk.requests.first() else {
                continue;
            };
            named.extend(frames(
                &talk.requests,
                header.sequence.0,
                header.frame_start,
            ));
        }
        for (_, talk) in self
            .scene
            .opened_by(self.scene.own.other(), Purpose::Bi(BiStream::Fetch))
        {
            if let Some((_, Message::Fetch(fetch))) = talk.requests.first() {
                named.extend(frames(&talk.answers, fetch.group.0, fetch.frame_start));
            }
        }
        let is_named = |(name, payload): &&(String, Bytes)| name.as_bytes() == payload;
        let right = named.iter().filter(is_named).count();
        let mut others = named.iter().filter(|frame| !is_named(frame));
        let is_meant = right > 0 && right * 2 >= named.len();
        if is_meant && others.any(|(name, payload)| name.len() == payload.len()) {
            return Err("a frame goes by another's name".to_owned());
        }
        let long = named.iter().map(|(_, payload)| payload);
        for payload in long.filter(|payload| payload.len() == 20_000) {
            let pattern = (0..20_000_u32).map(|n| u8::try_from(n * 7 % 251).unwrap_or_default());
            if !pattern.eq(payload.iter().copied()) {
                return Err("the long frame does not hold its pattern".to_owned());
            }
        }
        Ok(())
    }

    /// Asking for a track's properties and asking for its groups name the same track.
    fn requests(&self) -> Outcome {
        if !self.scene.recording.version.features().track_stream {
            return Ok(());
        }
        let mut known = BTreeSet::new();
        for (talk, message) in self.said() {
            let (broadcast, track) = match message {
                _ if talk.opener != self.scene.own => continue,
                Message::Track(m) => {
                    known.insert((m.broadcast.as_str().to_owned(), m.track.clone()));
                    continue;
                }
                Message::Subscribe(m) => (&m.broadcast, &m.track),
                Message::Fetch(m) => (&m.broadcast, &m.track),
                _ => continue,
            };
            if !known.contains(&(broadcast.as_str().to_owned(), track.clone())) {
                return Err(format!(
                    "nobody asked for the properties of {broadcast:?} {track:?}"
                ));
            }
        }
        Ok(())
    }

    /// Groups go to subscriptions.
    fn subscriptions(&self) -> Outcome {
        let subscriptions = self
            .scene
            .opened_by(self.scene.own.other(), Purpose::Bi(BiStream::Subscribe));
        let ids: Vec<SubscribeId> = subscriptions
            .filter_map(|(_, talk)| match talk.requests.first() {
                Some((_, Message::Subscribe(m))) => Some(m.id),
                _ => None,
            })
            .collect();
        for (_, message) in self.said() {
            if let Message::Group(header) = message
                && !ids.contains(&header.subscribe_id)
            {
                return Err(format!("nobody subscribed to {header:?}"));
            }
        }
        Ok(())
    }
}

/// Frames with the names that they might go by.
fn frames(
    messages: &[(usize, Message)],
    group: u64,
    first: u64,
) -> impl Iterator<Item = (String, Bytes)> {
    let payloads = messages.iter().filter_map(|(_, message)| match message {
        Message::Frame(_, payload) => Some(payload.clone()),
        _ => None,
    });
    let frames = (first..).zip(payloads);
    frames.map(move |(frame, payload)| (format!("g{group}f{frame}"), payload))
}
