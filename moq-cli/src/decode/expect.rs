//! What comes next on one direction of a stream.

use bytes::BytesMut;
use moq_wire::{
    AnnounceOk, AnnounceRequest, ClientSetup, Decode, DecodeError, Fetch, Goaway, GroupHeader,
    Probe, ServerSetup, SessionInfo, Subscribe, SubscribeResponse, SubscribeUpdate, Track,
    TrackInfo, Version, limits, split_decoded,
};

use super::announcements::Announcements;
use super::frames::Frames;
use super::message::{Message, Say};
use super::recording::Kind;
use super::say::WholeSetup;

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
pub(crate) type Taken = Result<Option<(Message, Option<Next>)>, DecodeError>;

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
            Self::Announcements(announcements) => !announcements.may_end(),
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
            Self::Response => said(SubscribeResponse::split(buf, version)?, version),
            Self::Setup => said(
                split_decoded::<WholeSetup>(buf, limits::MAX_MESSAGE, version)?,
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
