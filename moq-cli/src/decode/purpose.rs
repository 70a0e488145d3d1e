//! What a stream is for, and so what either half of it says.

use moq_wire::{BiStream, ClientSetup, UniStream, Version};

use super::announcements::Announcements;
use super::expect::{Expect, Next};
use super::frames::Frames;
use super::recording::Kind;
use crate::args::Part;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Settles the draft, where the protocol's name leaves that open.
    Handshake,
    Bi(BiStream),
    Uni(UniStream),
}

impl Purpose {
    /// What the type at the start of a stream stands for, if the draft has it.
    pub(crate) fn from_code(code: u64, kind: Kind, version: Version) -> Option<Self> {
        match kind {
            Kind::Uni => UniStream::from_code(code, version).map(Self::Uni),
            Kind::Bi if version.features().handshake && code == ClientSetup::STREAM_TYPE => {
                Some(Self::Handshake)
            }
            Kind::Bi => BiStream::from_code(code, version).map(Self::Bi),
        }
    }

    /// The stream that some bytes are the answer on, if they are an answer.
    pub(crate) fn answered_by(part: Part) -> Option<Self> {
        let stream = match part {
            Part::Bi | Part::Uni | Part::Datagram => return None,
            Part::Handshake => return Some(Self::Handshake),
            Part::Announce => BiStream::Announce,
            Part::Subscribe => BiStream::Subscribe,
            Part::Fetch => BiStream::Fetch,
            Part::Track => BiStream::Track,
            Part::Probe => BiStream::Probe,
        };
        Some(Self::Bi(stream))
    }

    /// What the draft calls the stream.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handshake => "Session",
            Self::Uni(UniStream::Group) => "Group",
            Self::Uni(UniStream::Setup) => "Setup",
            Self::Bi(BiStream::Announce) => "Announce",
            Self::Bi(BiStream::Subscribe) => "Subscribe",
            Self::Bi(BiStream::Fetch) => "Fetch",
            Self::Bi(BiStream::Probe) => "Probe",
            Self::Bi(BiStream::Goaway) => "Goaway",
            Self::Bi(BiStream::Track) => "Track",
        }
    }

    /// What the opener says after the type.
    pub(crate) fn request(self) -> Next {
        Next::One(match self {
            Self::Handshake => Expect::ClientSetup,
            Self::Uni(UniStream::Group) => Expect::Group,
            Self::Uni(UniStream::Setup) => Expect::Setup,
            Self::Bi(BiStream::Announce) => Expect::AnnounceRequest,
            Self::Bi(BiStream::Subscribe) => Expect::Subscribe,
            Self::Bi(BiStream::Fetch) => Expect::Fetch,
            Self::Bi(BiStream::Probe) => Expect::Probe,
            Self::Bi(BiStream::Goaway) => Expect::Goaway,
            Self::Bi(BiStream::Track) => Expect::Track,
        })
    }

    /// What the other end answers, with frames from this one on.
    pub(crate) fn answer(self, frame_start: u64, version: Version) -> Next {
        match self {
            Self::Handshake => Next::One(Expect::ServerSetup),
            Self::Uni(_) | Self::Bi(BiStream::Goaway) => Next::Nothing,
            Self::Bi(BiStream::Announce) if version.features().announce_ok => {
                Next::One(Expect::AnnounceOk)
            }
            Self::Bi(BiStream::Announce) => Next::Announcements(Announcements::new(version)),
            Self::Bi(BiStream::Subscribe) => Next::One(Expect::Response),
            Self::Bi(BiStream::Fetch) => Next::Frames(Frames::new(frame_start, version)),
            Self::Bi(BiStream::Probe) => Next::One(Expect::Probe),
            Self::Bi(BiStream::Track) => Next::One(Expect::TrackInfo),
        }
    }
}
