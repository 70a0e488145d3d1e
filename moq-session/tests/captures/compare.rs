//! What the session did, against what was recorded.
//!
//! Strict are: the messages on each stream and their order, the kind of end and its code, the code
//! with which a stream is stopped, and that of the session's close. Not compared are time, how
//! bytes were batched, send orders, the order within an initial set of announcements, that of SETUP
//! parameters, and repeated reports of an unchanged estimate.
//!
//! To let go of a stream and to stop it with 0 are the same, because they look the same to a peer.
//! Nor is the beginning, end or stop of a stream at the very moment at which an end closes the
//! session: the close overtakes it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use moq_wire::{AnnounceEvent, Version};

use crate::message::{Message, Purpose, answers, requests};
use crate::recording::{End, Half, Recording, Side, Stream};
use crate::tape::{Line, Tape};

/// Something that the session did otherwise than the recorded end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The kind of stream, or what else it is about.
    pub(crate) place: String,
    pub(crate) what: String,
    /// Which stream of the recording.
    stream: Option<usize>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(stream) = self.stream {
            write!(f, " (stream {stream})")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a stream was opened for: its type, and what its first message is about.
pub(crate) fn key(request: &[u8], is_bi: bool, version: Version) -> (String, Option<String>) {
    let purpose = Purpose::of(request, is_bi, version);
    let about = match requests(request, purpose, version).into_iter().next() {
        Some((_, Message::Group(header))) => {
            Some(format!("{} {}", header.subscribe_id.0, header.sequence.0))
        }
        Some((_, Message::AnnounceRequest(m))) => Some(m.prefix.as_str().to_owned()),
        Some((_, Message::Subscribe(m))) => Some(format!("{:?} {:?}", m.broadcast, m.track)),
        Some((_, Message::Track(m))) => Some(format!("{:?} {:?}", m.broadcast, m.track)),
        Some((_, Message::Fetch(m))) => {
            Some(format!("{:?} {:?} {}", m.broadcast, m.track, m.group.0))
        }
        _ => None,
    };
    (purpose.to_string(), about)
}

/// Everything that is different; `lines` names the session's streams for those of the recording.
/// From the time of `cut` on, nothing that was recorded is missed.
pub(crate) fn differences(
    recording: &Recording,
    tape: &Tape,
    lines: &[Option<usize>],
    cut: Option<Duration>,
) -> Vec<Difference> {
    tape.look(|streams, sent, closed| {
        let close = recording
            .close
            .filter(|(by, _)| Some(*by) != recording.scripted);
        let mut found = Comparison {
            recording,
            cut,
            found: Vec::new(),
        };
        for (at, (stream, line)) in recording.streams.iter().zip(lines).enumerate() {
            found.stream(at, stream, line.and_then(|line| streams.get(line)));
        }
        for (line, stream) in streams.iter().enumerate() {
            if stream.is_ours && !lines.contains(&Some(line)) {
                found.unexpected(stream);
            }
        }
        found.datagrams(sent);
        let recorded = close.map(|(_, code)| code);
        found.check("session", None, recorded == closed, || {
            format!("recorded {}, ours {}", Closed(recorded), Closed(closed))
        });
        found.found.dedup_by(|a, b| a == b);
        found.found
    })
}

struct Comparison<'a> {
    recording: &'a Recording,
    cut: Option<Duration>,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn check(
        &mut self,
        place: &str,
        stream: Option<usize>,
        is_same: bool,
        what: impl FnOnce() -> String,
    ) {
        if !is_same {
            self.found.push(Difference {
                place: place.to_owned(),
                what: what(),
                stream,
            });
        }
    }

    fn stream(&mut self, at: usize, stream: &Stream, line: Option<&Line>) {
        let Some(script) = self.recording.scripted else {
            return;
        };
        let version = self.recording.version;
        let own = script.other();
        let request = stream
            .half(stream.opener)
            .map_or(&[][..], |half| &half.bytes);
        let purpose = Purpose::of(request, stream.is_bi, version);
        let place = purpose.to_string();
        let Some(line) = line else {
            // What the script could not do any more is nobody's difference.
            let opened = self.recording.opened(at);
            let is_late = self.is_cut(opened) || self.recording.is_overtaken(opened, own);
            let is_expected = stream.opener == own && !is_late;
            self.check(&place, Some(at), !is_expected, || {
                let said = said(&requests(request, purpose, version));
                format!("recorded {said}, ours is missing")
            });
            return;
        };
        let (end, stop) = self.recording.settled(at, own);
        if let (Some(recorded), Some(ours)) = (stream.half(own), &line.sent) {
            let read = match stream.opener == own {
                true => requests,
                false => answers,
            };
            let recorded = read(&recorded.bytes, purpose, version);
            let due = recorded
                .iter()
                .take_while(|(offset, _)| !self.is_cut(self.recording.written(at, own, *offset)));
            let due = due.count();
            let ours_said = comparable(read(&ours.bytes, purpose, version));
            self.messages(&place, at, due, &[comparable(recorded), ours_said]);
            let is_excused = self.is_cut(self.recording.ended(at, own)) && ours.end == End::Open;
            let is_same = end == ours.end || is_excused;
            self.check(&place, Some(at), is_same, || {
                format!("recorded {}, ours {}", Ended(end), Ended(ours.end))
            });
        }
        if let Some(ours) = &line.played {
            let is_excused = self.is_cut(self.recording.stopped(at, own)) && ours.stop.is_none();
            let is_same = stop == ours.stop || is_excused;
            self.check(&place, Some(at), is_same, || {
                format!("recorded {}, ours {}", Stopped(stop), Stopped(ours.stop))
            });
        }
    }

    /// Whether an event came too late for a session that was closed.
    fn is_cut(&self, event: usize) -> bool {
        let event = self.recording.events.get(event);
        event.is_some_and(|event| self.cut.is_some_and(|cut| event.at >= cut))
    }

    /// Compares messages, of which `due` must have come.
    fn messages(
        &mut self,
        place: &str,
        at: usize,
        due: usize,
        [recorded, ours]: &[Vec<Message>; 2],
    ) {
        let same = recorded.iter().zip(ours).take_while(|(a, b)| a == b);
        let same = same.count();
        let rest = |messages: &[Message]| list(messages.get(same..).unwrap_or_default());
        let is_same = same == ours.len() && same >= due.min(recorded.len());
        self.check(place, Some(at), is_same, || {
            format!("recorded {}, ours {}", rest(recorded), rest(ours))
        });
    }

    /// A stream that was not recorded.
    fn unexpected(&mut self, line: &Line) {
        let version = self.recording.version;
        if let Some(Half { bytes, end, .. }) = &line.sent {
            let purpose = Purpose::of(bytes, line.is_bi, version);
            let own = self.recording.scripted.map(Side::other);
            let is_again = self.recording.streams.iter().any(|stream| {
                let recorded = own.and_then(|own| stream.half(own));
                stream.is_bi == line.is_bi && recorded.is_some_and(|half| half.bytes == *bytes)
            });
            let said = match is_again {
                true => "asks again".to_owned(),
                false => said(&requests(bytes, purpose, version)),
            };
            self.check(&purpose.to_string(), None, false, || {
                format!("not recorded, ours {said}, {}", Ended(*end))
            });
        }
    }

    fn datagrams(&mut self, ours: &[Bytes]) {
        let script = self.recording.scripted;
        let recorded = self.recording.datagrams.iter();
        let recorded = recorded.filter(|(from, _)| Some(*from) != script);
        let recorded: Vec<_> = recorded.map(|(_, datagram)| datagram.clone()).collect();
        self.check("datagrams", None, recorded == ours, || {
            format!("recorded {recorded:x?}, ours {ours:x?}")
        });
    }
}

/// Messages without what carries no meaning.
fn comparable(messages: Vec<(usize, Message)>) -> Vec<Message> {
    let mut messages: Vec<_> = messages.into_iter().map(|(_, message)| message).collect();
    messages.dedup_by(|a, b| matches!(a, Message::Probe(_)) && a == b);
    let is_start = |m: &Message| matches!(m, Message::Announce(AnnounceEvent::Start { .. }));
    let first = messages.iter().position(is_start).unwrap_or_default();
    let set = &mut messages[first..];
    let count = set.iter().take_while(|message| is_start(message)).count();
    set[..count].sort_by_key(|message| match message {
        Message::Announce(event) => event.suffix().as_str().to_owned(),
        _ => String::new(),
    });
    messages
}

fn said(messages: &[(usize, Message)]) -> String {
    let messages: Vec<_> = messages.iter().map(|(_, m)| m.clone()).collect();
    list(&messages)
}

fn list(messages: &[Message]) -> String {
    let texts = messages.iter().map(|message| {
        let text = match message {
            Message::Setup(parameters, _) => format!("SETUP {parameters:x?}"),
            message => format!("{message:?}"),
        };
        match text.char_indices().nth(200) {
            Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
            None => text,
        }
    });
    let texts: Vec<_> = texts.collect();
    match texts.is_empty() {
        true => "nothing".to_owned(),
        false => texts.join(", "),
    }
}

struct Ended(End);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            End::Open => f.write_str("open"),
            End::Fin => f.write_str("FIN"),
            End::Reset(code) => write!(f, "RESET {code:#x}"),
        }
    }
}

struct Stopped(Option<u32>);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("not stopped"),
            Some(code) => write!(f, "STOP {code:#x}"),
        }
    }
}

struct Closed(Option<u32>);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("open"),
            Some(code) => write!(f, "closed with {code:#x}"),
        }
    }
}
