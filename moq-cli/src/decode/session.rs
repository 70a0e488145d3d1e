//! A session, told in the order in which it happened.

use std::collections::BTreeMap;

use moq_wire::Version;

use super::half::{Ended, Found, Half, datagram};
use super::purpose::Purpose;
use super::recording::{Code, End, Event, Kind, Recording, Stream, What};
use super::tracks::Tracks;

/// Something to tell.
#[derive(Debug)]
pub(crate) struct Entry {
    /// When, in milliseconds.
    pub(crate) t_ms: Option<f64>,
    /// Who did it.
    pub(crate) from: End,
    pub(crate) place: Place,
    pub(crate) told: Told,
}

/// Where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Stream(u64, Kind),
    Datagram,
    Session,
}

/// What there is to tell.
#[derive(Debug)]
pub(crate) enum Told {
    Found(Found),
    Fin,
    Reset(Code),
    Stop(Code),
    Close(Code, String),
}

/// Tells a recorded session.
#[derive(Debug)]
pub(crate) struct Session {
    version: Version,
    streams: BTreeMap<u64, Halves>,
    tracks: Tracks,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Halves {
    stream: Stream,
    request: Half,
    answer: Half,
}

impl Session {
    /// Everything there is to tell of a recording.
    pub(crate) fn entries(recording: &Recording, version: Version) -> Vec<Entry> {
        let streams = recording.streams.iter();
        let mut session = Self {
            version,
            streams: streams
                .map(|(&id, stream)| (id, Halves::new(*stream, version)))
                .collect(),
            tracks: Tracks::default(),
            entries: Vec::new(),
        };
        for event in &recording.events {
            session.apply(event);
        }
        session.end();
        session.entries
    }

    fn apply(&mut self, event: &Event) {
        let Event { t_ms, from, what } = event;
        let (t_ms, from) = (*t_ms, *from);
        match what {
            What::Data(id, bytes) => {
                let Some(halves) = self.streams.get_mut(id) else {
                    return;
                };
                halves.half(from).feed(bytes);
                let place = Place::Stream(*id, halves.stream.kind);
                for (from, found) in halves.found(from) {
                    self.tell(t_ms, from, place, Told::Found(found));
                }
            }
            What::Fin(id) => self.ended(t_ms, from, *id, Ended::Finished, Told::Fin),
            What::Reset(id, code) => {
                self.ended(t_ms, from, *id, Ended::GivenUp, Told::Reset(*code));
            }
            What::Stop(id, code) => {
                let kind = self.streams.get(id).map(|halves| halves.stream.kind);
                let place = Place::Stream(*id, kind.unwrap_or(Kind::Bi));
                self.tell(t_ms, from, place, Told::Stop(*code));
            }
            What::Datagram(bytes) => {
                let found = datagram(bytes, self.version);
                self.tell(t_ms, from, Place::Datagram, Told::Found(found));
            }
            What::Close(code, reason) => {
                let close = Told::Close(*code, reason.clone());
                self.tell(t_ms, from, Place::Session, close);
            }
        }
    }

    fn ended(&mut self, t_ms: Option<f64>, from: End, id: u64, ended: Ended, how: Told) {
        let Some(halves) = self.streams.get_mut(&id) else {
            return;
        };
        let place = Place::Stream(id, halves.stream.kind);
        let left = halves.half(from).end(ended);
        // What a stream lacks shows at its end, what it has was there before.
        let (before, after) = match ended {
            Ended::Finished => (None, left),
            Ended::GivenUp | Ended::Open => (left, None),
        };
        for told in before
            .map(Told::Found)
            .into_iter()
            .chain([how])
            .chain(after.map(Told::Found))
        {
            self.tell(t_ms, from, place, told);
        }
    }

    /// Tells what is left of halves that did not end.
    fn end(&mut self) {
        let left = self.streams.iter_mut().flat_map(|(&id, halves)| {
            let place = Place::Stream(id, halves.stream.kind);
            let opener = halves.stream.opener;
            [opener, opener.peer()].map(|from| {
                let found = halves.half(from).end(Ended::Open);
                found.map(|found| (from, place, found))
            })
        });
        let left: Vec<_> = left.flatten().collect();
        for (from, place, found) in left {
            self.tell(None, from, place, Told::Found(found));
        }
    }

    fn tell(&mut self, t_ms: Option<f64>, from: End, place: Place, mut told: Told) {
        if let Told::Found(found) = &mut told {
            self.tracks.apply(from, found);
        }
        self.entries.push(Entry {
            t_ms,
            from,
            place,
            told,
        });
    }
}

impl Halves {
    fn new(stream: Stream, version: Version) -> Self {
        let mut answer = Half::answer(version);
        if let Some(purpose) = stream.answers.and_then(Purpose::answered_by) {
            answer.settle(purpose.answer(0, version));
        }
        Self {
            request: Half::request(&stream, version),
            answer,
            stream,
        }
    }

    fn half(&mut self, from: End) -> &mut Half {
        if from == self.stream.opener {
            &mut self.request
        } else {
            &mut self.answer
        }
    }

    /// What became complete by bytes from one end. A request may make sense of an answer that was
    /// there before it.
    fn found(&mut self, from: End) -> Vec<(End, Found)> {
        let mut found = Vec::new();
        let half = self.half(from);
        found.extend(std::iter::from_fn(|| half.next()).map(|item| (from, item)));
        if self.answer.is_held()
            && let Some(next) = self.request.answered_with()
        {
            self.answer.settle(next);
            let answer = std::iter::from_fn(|| self.answer.next());
            found.extend(answer.map(|item| (from.peer(), item)));
        }
        found
    }
}
