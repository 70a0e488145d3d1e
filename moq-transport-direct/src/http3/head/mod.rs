//! The beginning of a stream: what it is for.

use bytes::Bytes;

use super::answer::{DATA, HEADERS};
use super::code::{
    H3_EXCESSIVE_LOAD, H3_FRAME_ERROR, H3_FRAME_UNEXPECTED, H3_ID_ERROR, H3_REQUEST_INCOMPLETE,
    H3_STREAM_CREATION_ERROR,
};
use super::control::{CANCEL_PUSH, Critical, GOAWAY, MAX_PUSH_ID, PUSH_PROMISE};
use super::fault::Fault;
use super::fields::MAX_FIELDS;
use super::frames::{Frames, Piece, Take};
use super::request::{self, Asking};
use super::settings::SETTINGS;
use super::varint::Varint;

/// Reads the beginning of a stream.
#[derive(Debug)]
pub(crate) struct Head {
    is_bidi: bool,
    part: Part,
    /// How many bytes were read.
    read: usize,
}

/// What of the beginning comes next.
#[derive(Debug)]
enum Part {
    /// The stream's type, or that of the first frame.
    Type(Varint),
    /// The session that the stream belongs to.
    Session(Varint),
    /// The frames of a request up to its HEADERS.
    Request(Frames),
}

/// What a stream is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// It belongs to the session whose CONNECT stream has this number.
    Session(u64),
    /// It lasts as long as the connection.
    Critical(Critical),
    /// It is a request.
    Request(Asking),
    /// This end does not know, and does not want it.
    Unknown,
}

impl Head {
    /// The head of a stream that has two directions, or one.
    pub(crate) fn new(is_bidi: bool) -> Self {
        Self {
            is_bidi,
            part: Part::Type(Varint::default()),
            read: 0,
        }
    }

    /// Reads the next bytes, and leaves those behind the head.
    ///
    /// # Errors
    /// A fault of the connection or of the stream.
    pub(crate) fn push(&mut self, bytes: &mut Bytes) -> Result<Option<Purpose>, Fault> {
        let had = bytes.len();
        let purpose = self.find(bytes)?;
        self.read += had - bytes.len();
        if purpose.is_none() && self.read > MAX_HEAD {
            let reason = "a request that does not begin";
            return Err(Fault::of_connection(H3_EXCESSIVE_LOAD, reason));
        }
        Ok(purpose)
    }

    fn find(&mut self, bytes: &mut Bytes) -> Result<Option<Purpose>, Fault> {
        loop {
            match &mut self.part {
                Part::Type(varint) => {
                    let Some(kind) = varint.take(bytes) else {
                        return Ok(None);
                    };
                    self.part = match (self.is_bidi, kind) {
                        (true, WT_BIDI) | (false, WT_UNI) => Part::Session(Varint::default()),
                        (true, _) => Part::Request(Frames::behind(kind)),
                        (false, _) => return uni(kind).map(Some),
                    };
                }
                Part::Session(varint) => return varint.take(bytes).map(member).transpose(),
                Part::Request(frames) => {
                    let Some(piece) = frames.next(bytes, take)? else {
                        return Ok(None);
                    };
                    if let Piece::Whole(_, payload) = piece {
                        return request::read(&payload).map(Purpose::Request).map(Some);
                    }
                }
            }
        }
    }

    /// How many bytes it keeps.
    pub(crate) fn kept(&self) -> usize {
        match &self.part {
            Part::Request(frames) => frames.kept(),
            Part::Type(_) | Part::Session(_) => 0,
        }
    }

    /// Whether a byte was read.
    pub(crate) fn has_begun(&self) -> bool {
        self.read > 0
    }

    /// What it is if the stream is reset, or takes too long, before its purpose is known.
    pub(crate) fn cut_off(&self) -> Fault {
        let reason = "a stream that ends before it has begun";
        Fault::of_stream(H3_REQUEST_INCOMPLETE, reason)
    }

    /// What it is if the stream comes to its end before its purpose is known. A unidirectional one
    /// may, wherever that is.
    ///
    /// Draft: RFC 9114, Frame Layout.
    pub(crate) fn finish(&self) -> Fault {
        let is_partial = match &self.part {
            Part::Type(varint) => varint.is_partial(),
            Part::Session(_) => true,
            Part::Request(frames) => frames.is_partial(),
        };
        match self.is_bidi && is_partial {
            true => Fault::of_connection(H3_FRAME_ERROR, "a frame that is cut off"),
            false => self.cut_off(),
        }
    }
}

/// What a unidirectional stream of this type is for.
fn uni(kind: u64) -> Result<Purpose, Fault> {
    if kind == PUSH {
        let reason = "a push of a client";
        return Err(Fault::of_connection(H3_STREAM_CREATION_ERROR, reason));
    }
    Ok(Critical::of_type(kind).map_or(Purpose::Unknown, Purpose::Critical))
}

/// Sessions are named by bidirectional streams of clients, whose numbers are multiples of 4.
fn member(session: u64) -> Result<Purpose, Fault> {
    if session.is_multiple_of(4) {
        return Ok(Purpose::Session(session));
    }
    let reason = "a session that no stream can have made";
    Err(Fault::of_connection(H3_ID_ERROR, reason))
}

/// What becomes of a frame before a request's HEADERS, and of those.
fn take(kind: u64, length: u64) -> Result<Take, Fault> {
    match kind {
        HEADERS if length <= MAX_FIELDS as u64 => Ok(Take::Keep),
        HEADERS => {
            let reason = "a field section that is too long";
            Err(Fault::of_connection(H3_EXCESSIVE_LOAD, reason))
        }
        DATA => {
            let reason = "a request that begins with its content";
            Err(Fault::of_connection(H3_FRAME_UNEXPECTED, reason))
        }
        _ => refuse_known(kind).map(|()| Take::Skip),
    }
}

/// Fails for the frames that may not be on a request stream, among those that are not its own.
pub(super) fn refuse_known(kind: u64) -> Result<(), Fault> {
    match kind {
        WT_BIDI => {
            let reason = "a mark of a session's stream where none begins";
            Err(Fault::of_connection(H3_FRAME_ERROR, reason))
        }
        HEADERS | SETTINGS | CANCEL_PUSH | PUSH_PROMISE | GOAWAY | MAX_PUSH_ID
        | PRIORITY_UPDATE | PRIORITY_UPDATE_PUSH | 0x2 | 0x6 | 0x8 | 0x9 => {
            let reason = "a frame that does not belong on a request stream";
            Err(Fault::of_connection(H3_FRAME_UNEXPECTED, reason))
        }
        _ => Ok(()),
    }
}

/// What a bidirectional stream of a session begins with.
pub(super) const WT_BIDI: u64 = 0x41;

/// What a unidirectional stream of a session begins with.
const WT_UNI: u64 = 0x54;

/// A stream that a server pushes.
const PUSH: u64 = 0x1;

/// The frames of RFC 9218, which belong on a control stream.
const PRIORITY_UPDATE: u64 = 0xf_0700;
const PRIORITY_UPDATE_PUSH: u64 = 0xf_0701;

/// The most bytes that a stream may say before it is known what it is for; a request fits.
const MAX_HEAD: usize = 64 << 10;

#[cfg(test)]
mod tests;
