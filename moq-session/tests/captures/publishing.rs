//! What a publishing application did: what it announced, and the tracks that it wrote.

use std::collections::BTreeMap;

use moq_model::Route;
use moq_session::{BroadcastPath, Timescale, TrackInfo};
use moq_wire::{BiStream, SubscribeResponse, UniStream, code::from_application, code::stream};

use crate::message::{Message, Purpose};
use crate::plan::{Action, Plan, Scene, Talk, Track, path};
use crate::recording::{End, Side};
use crate::track::Written;
use crate::words;

/// Everything that was published.
pub(crate) struct Publishing<'a> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) plan: &'a mut Plan,
    pub(crate) announced: Vec<BroadcastPath>,
    tracks: BTreeMap<Track, Written>,
}

pub(crate) fn plan(scene: &Scene<'_>, plan: &mut Plan) {
    let mut publishing = Publishing {
        scene,
        plan,
        announced: Vec::new(),
        tracks: BTreeMap::new(),
    };
    for (stream, talk) in scene.streams.iter().enumerate() {
        let Some((_, request)) = talk.requests.first() else {
            continue;
        };
        match request {
            Message::Subscribe(_) | Message::Track(_) | Message::Fetch(_)
                if talk.opener != scene.own =>
            {
                publishing.request(stream, talk, request);
            }
            Message::AnnounceRequest(request) if talk.opener != scene.own => {
                publishing.announcements(stream, talk, request);
            }
            _ => {}
        }
    }
    publishing.groups();
    publishing.write();
}

impl Publishing<'_> {
    pub(crate) fn peer(&self) -> Side {
        self.scene.own.other()
    }

    /// The code with which a request was refused before anything else was said.
    fn refused(&self, stream: usize, talk: &Talk) -> Option<u32> {
        let half = self.scene.recording.streams[stream].half(self.scene.own)?;
        match half.end {
            End::Reset(code) if talk.answers.is_empty() => Some(code),
            _ => None,
        }
    }

    /// Whether the peer had ended its half by the time of an event.
    fn has_left(&self, stream: usize, event: usize) -> bool {
        self.scene.recording.ended(stream, self.peer()) < event
    }

    fn request(&mut self, stream: usize, talk: &Talk, request: &Message) {
        let (broadcast, name) = match request {
            Message::Subscribe(m) => (&m.broadcast, &m.track),
            Message::Track(m) => (&m.broadcast, &m.track),
            Message::Fetch(m) => (&m.broadcast, &m.track),
            _ => return,
        };
        let Some(path) = path(broadcast) else { return };
        let is_fetch = matches!(request, Message::Fetch(_));
        let refusal = self.refused(stream, talk);
        match refusal {
            Some(stream::UNROUTABLE) => return,
            // What is missing of a fetch is a group, unless something else says that it is the track.
            Some(stream::NOT_FOUND) if !is_fetch => {
                self.announced.push(path.clone());
                let route = Action::Announce(path, Route::local());
                return self.plan.before.insert(0, route);
            }
            Some(code) => {
                if let Some(code) = from_application(code) {
                    if !self.announced.iter().any(|route| path.has_prefix(route)) {
                        self.announced.push(path.clone());
                        let route = Action::Announce(path.clone(), Route::local());
                        self.plan.before.push(route);
                    }
                    return self.plan.before.push(Action::Refuse(path, code));
                }
            }
            None => {}
        }
        let written = self.tracks.entry((path, name.clone())).or_default();
        match request {
            Message::Subscribe(m) => {
                written.starts_at_newest |= m.start == moq_wire::GroupStart::Latest
                    || m.max_age.is_zero()
                    || !self.scene.recording.version.features().subscribe_range;
                written.is_unwanted |= m.last.is_some_and(|last| match m.start {
                    moq_wire::GroupStart::Floor(floor) => last < floor,
                    moq_wire::GroupStart::Latest => false,
                });
                self.subscription(stream, talk, (broadcast, name));
            }
            Message::Fetch(m) => self.fetched(stream, talk, m, refusal),
            _ => {
                let info = talk.answers.iter().find_map(|(_, message)| match message {
                    Message::TrackInfo(info) => track_info(info),
                    _ => None,
                });
                written.info = info.or(written.info);
            }
        }
    }

    /// How a track came to its end, as far as a subscription shows.
    fn subscription(&mut self, stream: usize, talk: &Talk, key: (&moq_wire::Path, &String)) {
        let Scene { recording, own, .. } = *self.scene;
        let features = recording.version.features();
        let ended = recording.ended(stream, own);
        let has_left = self.has_left(stream, ended);
        let told_end = talk
            .answers
            .iter()
            .find_map(|(offset, message)| match message {
                Message::Response(SubscribeResponse::End { .. }) => {
                    Some(recording.written(stream, own, *offset))
                }
                _ => None,
            });
        let half = recording.streams[stream].half(own);
        let end = match half.map(|half| half.end) {
            _ if told_end.is_some() => told_end.map(|event| (event, End::Fin)),
            Some(End::Fin) if !features.start_end && !has_left => Some((ended, End::Fin)),
            // The session's own answer to what the peer did, or the application's.
            Some(End::Reset(code))
                if !talk.answers.is_empty()
                    && code != stream::CANCELLED
                    && !recording.is_answer(ended) =>
            {
                Some((ended, End::Reset(code)))
            }
            _ => None,
        };
        let track = path(key.0).map(|path| (path, key.1.clone()));
        if let Some(written) = track.and_then(|track| self.tracks.get_mut(&track)) {
            written.end = written.end.or(end);
            written.is_unwanted |= has_left;
        }
    }

    fn fetched(
        &mut self,
        stream: usize,
        talk: &Talk,
        request: &moq_wire::Fetch,
        refusal: Option<u32>,
    ) {
        let Scene { recording, own, .. } = *self.scene;
        let track = path(&request.broadcast).map(|path| (path, request.track.clone()));
        let Some(written) = track.and_then(|track| self.tracks.get_mut(&track)) else {
            return;
        };
        if refusal == Some(stream::NOT_FOUND) {
            return;
        }
        // Something must have been there for a refusal to make a difference.
        let unseen = request.frame_start.saturating_add(refusal.is_some().into());
        let group = written.group(request.group.0, unseen);
        for (offset, message) in &talk.answers {
            if let Message::Frame(timestamp, payload) = message {
                let event = recording.written(stream, own, *offset);
                group.frame(*timestamp, payload.clone(), event);
            }
        }
        let is_whole = recording.streams[stream]
            .half(own)
            .is_some_and(|half| half.end == End::Fin);
        if is_whole || refusal.is_some() {
            group.end(recording.ended(stream, own), End::Fin);
        }
    }

    /// The groups of the recorded end's own streams and datagrams.
    fn groups(&mut self) {
        let Scene { recording, own, .. } = *self.scene;
        for (stream, talk) in self.scene.opened_by(own, Purpose::Uni(UniStream::Group)) {
            let Some((offset, Message::Group(header))) = talk.requests.first() else {
                continue;
            };
            let Some(track) = self.subscribed(header.subscribe_id) else {
                continue;
            };
            let begun = recording.written(stream, own, *offset);
            let group = track.group(header.sequence.0, header.frame_start);
            group.begun = Some(begun);
            for (offset, message) in &talk.requests {
                if let Message::Frame(timestamp, payload) = message {
                    let event = recording.written(stream, own, *offset);
                    group.frame(*timestamp, payload.clone(), event);
                }
            }
            let end = recording.streams[stream].half(own).map(|half| half.end);
            match end {
                // An unfinished group is reset by the session when the peer leaves.
                Some(End::Open | End::Reset(stream::CANCELLED)) | None => {}
                Some(end) => group.end(recording.ended(stream, own), end),
            }
        }
    }

    fn subscribed(&mut self, id: moq_wire::SubscribeId) -> Option<&mut Written> {
        let mut subscriptions = self
            .scene
            .opened_by(self.scene.own.other(), Purpose::Bi(BiStream::Subscribe));
        let track = subscriptions.find_map(|(_, talk)| match talk.requests.first() {
            Some((_, Message::Subscribe(m))) if m.id == id => {
                Some((path(&m.broadcast)?, m.track.clone()))
            }
            _ => None,
        })?;
        self.tracks.get_mut(&track)
    }

    /// Says it all in steps: first what is announced, then the tracks.
    fn write(self) {
        let recording = self.scene.recording;
        let hints = match self.tracks.len() {
            1 => words::groups(&recording.description),
            _ => words::Groups::default(),
        };
        for ((path, name), mut written) in self.tracks {
            if !self.announced.contains(&path) {
                let route = Action::Announce(path.clone(), Route::local());
                self.plan.before.insert(0, route);
            }
            written.fill(&hints, recording);
            written.perform(&(path, name), recording, self.plan);
        }
    }
}

fn track_info(info: &moq_wire::TrackInfo) -> Option<TrackInfo> {
    Some(TrackInfo {
        priority: info.priority,
        max_age: info.max_age,
        timescale: Timescale::new(info.timescale)?,
    })
}
