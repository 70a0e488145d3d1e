//! What comes next on one direction of a stream.

use std::collections::BTreeMap;

use bytes::BytesMut;
use moq_wire::{
    AnnounceDecoder, AnnounceEvent, AnnounceOk, AnnounceRequest, ClientSetup, Decode, DecodeError,
    Fetch, FrameDecoder, FrameHeader, Goaway, GroupHeader, Path, Probe, ServerSetup, SessionInfo,
    Subscribe, SubscribeResponse, SubscribeUpdate, Track, TrackInfo, Version, limits,
    split_decoded,
};

use super::message::{Message, Say, Value};
use super::recording::Kind;
use super::say::{self, WholeSetup};

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// WebTransport's header.
    Header(Kind),
    /// The stream's type.
    Type(Kind),
    /// An answer, once it is known to what.
    Held,
    /// A message of one kind.
    One(Expect),
    Announcements(Announcements),
    Frames(Frames),
    /// The end.
    Nothing,
    /// Bytes that cannot be read any more, for this reason.
    Unreadable(&'static str),
}

/// A message of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    ClientSetup,
    ServerSetup,
    SessionInfo,
    Setup,
    AnnounceRequest,
    AnnounceOk,
    Subscribe,
    SubscribeUpdate,
    Response,
    Fetch,
    Track,
    TrackInfo,
    Goaway,
    Probe,
    Group,
}

/// Messages that were taken, and what comes after them; `None` until more bytes are there.
type Taken = Result<Option<(Message, Option<Next>)>, DecodeError>;

impl Next {
    /// What is being read, for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Header(_) => "the WebTransport header",
            Self::Type(_) => "the stream type",
            Self::One(expect) => expect.name(),
            Self::Announcements(_) => "an announcement",
            Self::Frames(_) => "FRAME",
            Self::Held | Self::Nothing | Self::Unreadable(_) => "the end of the stream",
        }
    }

    /// Whether a stream that ends here lacks something.
    pub(crate) fn is_owed(&self) -> bool {
        match self {
            Self::Header(_) | Self::Type(_) => true,
            Self::One(expect) => expect.is_owed(),
            Self::Announcements(announcements) => !announcements.decoder.may_end(),
            _ => false,
        }
    }

    /// Takes the next message off the front of `buf`.
    pub(crate) fn take(&mut self, buf: &mut BytesMut, version: Version) -> Taken {
        match self {
            Self::One(expect) => expect.take(buf, version),
            Self::Announcements(announcements) => announcements.take(buf, version),
            Self::Frames(frames) => frames.take(buf),
            _ => Ok(None),
        }
    }
}

impl Expect {
    fn name(self) -> &'static str {
        match self {
            Self::ClientSetup => "CLIENT_SETUP",
            Self::ServerSetup => "SERVER_SETUP",
            Self::SessionInfo => "SESSION_INFO",
            Self::Setup => "SETUP",
            Self::AnnounceRequest => "ANNOUNCE_REQUEST",
            Self::AnnounceOk => "ANNOUNCE_OK",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubscribeUpdate => "SUBSCRIBE_UPDATE",
            Self::Response => "the answer to SUBSCRIBE",
            Self::Fetch => "FETCH",
            Self::Track => "TRACK",
            Self::TrackInfo => "TRACK_INFO",
            Self::Goaway => "GOAWAY",
            Self::Probe => "PROBE",
            Self::Group => "GROUP",
        }
    }

    /// Whether an opener has to send it. An answer may always be none.
    fn is_owed(self) -> bool {
        matches!(
            self,
            Self::ClientSetup
                | Self::Setup
                | Self::AnnounceRequest
                | Self::Subscribe
                | Self::Fetch
                | Self::Track
                | Self::Goaway
                | Self::Group
        )
    }

    fn take(self, buf: &mut BytesMut, version: Version) -> Taken {
        let message = match self {
            Self::Group => return group(buf, version),
            Self::ClientSetup => said(ClientSetup::split(buf)?, version),
            Self::ServerSetup => said(ServerSetup::split(buf)?, version),
            Self::Response => SubscribeResponse::split_counted(buf, version)?
                .map(|(response, streams)| say::response(&response, streams, version)),
            Self::Setup => said(
                split_decoded::<WholeSetup>(buf, limits::MAX_SETUP, version)?,
                version,
            ),
            Self::SessionInfo => one::<SessionInfo>(buf, version)?,
            Self::AnnounceRequest => one::<AnnounceRequest>(buf, version)?,
            Self::AnnounceOk => one::<AnnounceOk>(buf, version)?,
            Self::Subscribe => one::<Subscribe>(buf, version)?,
            Self::SubscribeUpdate => one::<SubscribeUpdate>(buf, version)?,
            Self::Fetch => one::<Fetch>(buf, version)?,
            Self::Track => one::<Track>(buf, version)?,
            Self::TrackInfo => one::<TrackInfo>(buf, version)?,
            Self::Goaway => one::<Goaway>(buf, version)?,
            Self::Probe => one::<Probe>(buf, version)?,
        };
        Ok(message.map(|message| (message, self.after(version))))
    }

    /// What follows the message; `None` for more of the same.
    fn after(self, version: Version) -> Option<Next> {
        match self {
            Self::ClientSetup | Self::ServerSetup => Some(Next::One(Self::SessionInfo)),
            Self::AnnounceOk => Some(Next::Announcements(Announcements::new(version))),
            Self::Subscribe if version.features().subscribe_range => {
                Some(Next::One(Self::SubscribeUpdate))
            }
            Self::SessionInfo | Self::SubscribeUpdate | Self::Response | Self::Probe => None,
            _ => Some(Next::Nothing),
        }
    }
}

fn one<M: Decode + Say>(
    buf: &mut BytesMut,
    version: Version,
) -> Result<Option<Message>, DecodeError> {
    let message = split_decoded::<M>(buf, limits::MAX_MESSAGE, version)?;
    Ok(said(message, version))
}

fn said<M: Say>(message: Option<M>, version: Version) -> Option<Message> {
    message.map(|message| message.say(version))
}

fn group(buf: &mut BytesMut, version: Version) -> Taken {
    let header = split_decoded::<GroupHeader>(buf, limits::MAX_MESSAGE, version)?;
    Ok(header.map(|header| {
        let frames = Next::Frames(Frames::new(header.frame_start, version));
        (header.say(version), Some(frames))
    }))
}

/// The answer to an announce request.
#[derive(Debug)]
pub(crate) struct Announcements {
    decoder: AnnounceDecoder,
    /// How many were taken of the list that some drafts begin with.
    listed: u64,
    /// The ids that the sender assigned without saying so, where the draft has ids.
    ids: BTreeMap<Path, u64>,
    next_id: u64,
}

impl Announcements {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            decoder: AnnounceDecoder::new(version),
            listed: 0,
            ids: BTreeMap::new(),
            next_id: 0,
        }
    }

    fn take(&mut self, buf: &mut BytesMut, version: Version) -> Taken {
        let Some(event) = self.decoder.decode_one(buf)? else {
            return Ok(None);
        };
        let message = match event {
            Some(event) if version.features().typed_announce => self.by_id(&event, version),
            Some(event) if self.is_listed() => {
                Message::new("ANNOUNCE_INIT").with("suffix", event.suffix().as_str())
            }
            Some(event) => by_path(&event, version),
            None => nothing(version),
        };
        Ok(Some((message, None)))
    }

    /// Whether the event that was just taken belongs to the list.
    fn is_listed(&mut self) -> bool {
        let is_listed = self
            .decoder
            .listed()
            .is_some_and(|count| self.listed < count);
        self.listed += u64::from(is_listed);
        is_listed
    }

    fn by_id(&mut self, event: &AnnounceEvent, version: Version) -> Message {
        let suffix = event.suffix();
        let (name, id, route) = match event {
            AnnounceEvent::Start { suffix, route } => {
                let id = self.next_id;
                self.next_id += 1;
                self.ids.insert(suffix.clone(), id);
                ("ANNOUNCE_START", Some(id), Some(route))
            }
            AnnounceEvent::Update { suffix, route } => (
                "ANNOUNCE_UPDATE",
                self.ids.get(suffix).copied(),
                Some(route),
            ),
            AnnounceEvent::End { suffix } => ("ANNOUNCE_END", self.ids.remove(suffix), None),
        };
        let message = Message::new(name)
            .with("id", id)
            .with("suffix", suffix.as_str());
        match route {
            Some(route) => say::route(message, route, version),
            None => message,
        }
    }
}

/// An announcement that names its path, as drafts without ids spell it.
fn by_path(event: &AnnounceEvent, version: Version) -> Message {
    let message = |status| {
        Message::new("ANNOUNCE")
            .bare("status", Value::Word(status))
            .with("suffix", event.suffix().as_str())
    };
    match event {
        AnnounceEvent::Start { route, .. } => say::route(message("active"), route, version),
        AnnounceEvent::Update { route, .. } => say::route(message("restart"), route, version),
        AnnounceEvent::End { .. } => message("ended"),
    }
}

/// A message that changes nothing.
fn nothing(version: Version) -> Message {
    let features = version.features();
    if features.typed_announce {
        Message::new("ANNOUNCE_UNKNOWN").bare("meaning", Value::Word("skipped"))
    } else if features.announce_init {
        Message::new("ANNOUNCE").bare("meaning", Value::Word("changes nothing"))
    } else {
        let meaning = "ends what was not announced";
        Message::new("ANNOUNCE").bare("meaning", Value::Word(meaning))
    }
}

/// A run of frames.
#[derive(Debug)]
pub(crate) struct Frames {
    decoder: FrameDecoder,
    /// The number of the next frame.
    number: u64,
    /// Of the next frame, if only its payload is missing.
    header: Option<FrameHeader>,
}

impl Frames {
    pub(crate) fn new(number: u64, version: Version) -> Self {
        Self {
            decoder: FrameDecoder::new(version),
            number,
            header: None,
        }
    }

    fn take(&mut self, buf: &mut BytesMut) -> Taken {
        if self.header.is_none() {
            self.header = self.decoder.header(buf)?;
        }
        let whole = |header: &mut FrameHeader| header.len <= buf.len() as u64;
        let Some(header) = self.header.take_if(whole) else {
            return Ok(None);
        };
        // It is no longer than the buffer.
        let len = usize::try_from(header.len).unwrap_or(buf.len());
        let payload = buf.split_to(len).freeze();
        let message = Message::new("FRAME")
            .labelled("frame", "", self.number)
            .when(header.timestamp.is_some(), |message| {
                message.labelled("timestamp", "at", header.timestamp)
            })
            .bare("size", Value::Size(header.len))
            .bare("payload", Value::Payload(payload));
        self.number = self.number.saturating_add(1);
        Ok(Some((message, None)))
    }
}
