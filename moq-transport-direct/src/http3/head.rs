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
mod tests {
    use super::super::request::tests::section;
    use super::super::tests::pieces;
    use super::*;

    /// What a stream is for, and what is left behind its head.
    fn head(is_bidi: bool, stream: &[u8], seed: u64) -> Result<Option<(Purpose, Vec<u8>)>, Fault> {
        let mut head = Head::new(is_bidi);
        let (mut found, mut rest) = (None, Vec::new());
        for piece in pieces(stream, seed) {
            let mut bytes = Bytes::from(piece);
            if found.is_none() {
                found = head.push(&mut bytes)?;
            }
            rest.extend_from_slice(&bytes);
        }
        Ok(found.map(|purpose| (purpose, rest)))
    }

    #[test]
    fn streams_of_a_session_name_it_in_any_pieces() {
        for (is_bidi, stream) in [
            (true, &[0x40, 0x41, 8, 1, 2][..]),
            (true, &[0x80, 0, 0, 0x41, 0x40, 8, 1, 2]),
            (false, &[0x40, 0x54, 8, 1, 2]),
        ] {
            for seed in 0..20 {
                match head(is_bidi, stream, seed).unwrap().unwrap() {
                    (Purpose::Session(8), rest) => assert_eq!(rest, [1, 2]),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_request_may_have_frames_that_are_not_known_before_its_fields() {
        let fields = section(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "h"),
            (":path", "/"),
        ]);
        let length = u8::try_from(fields.len()).unwrap();
        let frames = [
            &[0x21, 2, 9, 9, 0x40, 0xfe, 1, 9, 0x21, 0, 1, length][..],
            &fields,
            &[0, 1],
        ];
        let stream = frames.concat();
        for seed in 0..100 {
            match head(true, &stream, seed).unwrap().unwrap() {
                (Purpose::Request(Asking::Other(404)), rest) => assert_eq!(rest, [0, 1]),
                other => panic!("{other:?}"),
            }
        }
        assert!(
            head(true, &stream[..stream.len() - 3], 1)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn streams_of_the_connection_are_told_by_their_types() {
        for kind in [0, 2, 3] {
            let found = head(false, &[kind, 7], 1).unwrap().unwrap();
            assert!(matches!(found.0, Purpose::Critical(_)), "{kind}");
            assert_eq!(found.1, [7]);
        }
        let found = head(false, &[0x21, 7], 1).unwrap().unwrap();
        assert!(matches!(found.0, Purpose::Unknown));
        assert!(head(false, &[0x40], 0).unwrap().is_none());
    }

    #[test]
    fn each_fault_has_its_code() {
        for (is_bidi, stream, code) in [
            (false, &[1][..], H3_STREAM_CREATION_ERROR),
            (false, &[0x40, 0x54, 1], H3_ID_ERROR),
            (true, &[0x40, 0x41, 2], H3_ID_ERROR),
            (true, &[0, 0], H3_FRAME_UNEXPECTED),
            (true, &[4, 0], H3_FRAME_UNEXPECTED),
            (true, &[3, 0], H3_FRAME_UNEXPECTED),
            (true, &[5, 0], H3_FRAME_UNEXPECTED),
            (true, &[7, 0], H3_FRAME_UNEXPECTED),
            (true, &[13, 0], H3_FRAME_UNEXPECTED),
            (true, &[2, 0], H3_FRAME_UNEXPECTED),
            (true, &[0x80, 0xf, 7, 0, 0], H3_FRAME_UNEXPECTED),
            (true, &[0x21, 0, 0x40, 0x41, 0], H3_FRAME_ERROR),
            (true, &[1, 0x80, 0, 0x40, 1], H3_EXCESSIVE_LOAD),
        ] {
            for seed in [0, 1, 5] {
                let fault = head(is_bidi, stream, seed).unwrap_err();
                assert_eq!(fault.code, code, "{stream:?}");
                assert!(fault.is_of_connection);
            }
        }
    }

    #[test]
    fn an_end_within_a_frame_costs_the_connection_and_one_between_frames_does_not() {
        for (is_bidi, stream, is_of_connection) in [
            (true, &[][..], false),
            (true, &[0x40], true),
            (true, &[1], true),
            (true, &[1, 0x40], true),
            (true, &[1, 3, 0, 0], true),
            (true, &[0x21, 2, 9], true),
            (true, &[0x21, 1, 9], false),
            (true, &[0x21, 1, 9, 0x40], true),
            (true, &[0x40, 0x41], true),
            (true, &[0x40, 0x41, 0x40], true),
            (false, &[0x40], false),
            (false, &[0x40, 0x54], false),
        ] {
            let mut head = Head::new(is_bidi);
            let mut bytes = Bytes::from_static(stream);
            assert!(head.push(&mut bytes).unwrap().is_none(), "{stream:?}");
            let fault = head.finish();
            assert_eq!(fault.is_of_connection, is_of_connection, "{stream:?}");
            let code = match is_of_connection {
                true => H3_FRAME_ERROR,
                false => H3_REQUEST_INCOMPLETE,
            };
            assert_eq!(fault.code, code, "{stream:?}");
            assert!(!head.cut_off().is_of_connection);
        }
    }

    #[test]
    fn a_request_that_does_not_begin_is_too_much() {
        let grease = [0x21, 0].repeat(MAX_HEAD / 2);
        assert!(head(true, &grease, 9).unwrap().is_none());
        let more = [&grease[..], &[0x21]].concat();
        assert_eq!(head(true, &more, 9).unwrap_err().code, H3_EXCESSIVE_LOAD);
        // The length of a frame is no reason to wait for it.
        let huge = [&[0x21, 0xff, 0, 0, 0, 0, 0, 0, 0][..], &[0; MAX_HEAD]].concat();
        assert_eq!(head(true, &huge, 9).unwrap_err().code, H3_EXCESSIVE_LOAD);
    }
}
