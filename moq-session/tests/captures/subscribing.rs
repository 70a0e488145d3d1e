//! What a subscribing application did: what it read, how, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use moq_session::{Start, Subscription, Version};
use moq_wire::{BiStream, GroupSequence, GroupStart};

use crate::message::{Message, Purpose};
use crate::plan::{Action, Plan, Scene, Track, path};

/// A track that was read.
struct Reading {
    at: Duration,
    event: usize,
    subscription: Option<Subscription>,
    updates: Vec<(usize, Subscription)>,
}

/// A track is read from when it was first asked for. What is asked for again later, a session has
/// to ask by itself.
pub(crate) fn plan(scene: &Scene<'_>, plan: &mut Plan) {
    let recording = scene.recording;
    let mut readings: BTreeMap<Track, Reading> = BTreeMap::new();
    for (stream, talk) in scene.streams.iter().enumerate() {
        if talk.opener != scene.own {
            continue;
        }
        let Some(track) = asked_for(talk.purpose, talk.requests.first()) else {
            continue;
        };
        let event = recording.opened(stream);
        let Some(opened) = recording.events.get(event) else {
            continue;
        };
        let reading = readings.entry(track).or_insert_with(|| Reading {
            at: opened.at,
            event,
            subscription: None,
            updates: Vec::new(),
        });
        if reading.subscription.is_none() {
            for (offset, message) in &talk.requests {
                let written = recording.written(stream, scene.own, *offset);
                reading.hear(message, written, recording.version);
            }
        }
    }
    for (track, reading) in readings {
        let Reading { at, event, .. } = reading;
        let subscription = reading.subscription.unwrap_or_default();
        let read = Action::Read(track.clone(), subscription);
        plan.later.push((at, event, read));
        for (event, subscription) in reading.updates {
            let update = Action::Update(track.clone(), subscription);
            plan.shown(recording, event, update);
        }
        if let Some(patience) = recording.notes.iter().find_map(|note| patience(note)) {
            let leave = Action::Leave(track);
            plan.later.push((at + patience, event, leave));
        }
    }
}

fn asked_for(purpose: Purpose, first: Option<&(usize, Message)>) -> Option<Track> {
    match (purpose, &first?.1) {
        (Purpose::Bi(BiStream::Track), Message::Track(track)) => {
            Some((path(&track.broadcast)?, track.track.clone()))
        }
        (Purpose::Bi(BiStream::Subscribe), Message::Subscribe(subscribe)) => {
            Some((path(&subscribe.broadcast)?, subscribe.track.clone()))
        }
        _ => None,
    }
}

impl Reading {
    fn hear(&mut self, message: &Message, event: usize, version: Version) {
        match message {
            Message::Subscribe(m) => {
                self.subscription = Some(wish(m.priority, m.max_age, m.start, m.last, version));
            }
            Message::SubscribeUpdate(m) => {
                let wish = wish(m.priority, m.max_age, m.start, m.last, version);
                self.updates.push((event, wish));
            }
            _ => {}
        }
    }
}

/// What a reader has to want for a session to ask for this.
fn wish(
    priority: u8,
    max_age: Duration,
    start: GroupStart,
    last: Option<GroupSequence>,
    version: Version,
) -> Subscription {
    let is_newest = version.features().start_is_floor && max_age.is_zero();
    let start = match start {
        GroupStart::Floor(floor) if floor.0 > 0 || !is_newest => Start::Floor(floor.0),
        _ => Start::Newest,
    };
    let wish = Subscription::default()
        .with_start(start)
        .with_priority(priority)
        .with_max_age(max_age);
    match last {
        Some(last) => wish.with_end(last.0.saturating_add(1)),
        None => wish,
    }
}

/// How long the application read, if it had not come to an end by then.
fn patience(note: &str) -> Option<Duration> {
    let seconds = note.strip_prefix("still open after ")?.strip_suffix(" s")?;
    seconds.parse().ok().map(Duration::from_secs)
}
