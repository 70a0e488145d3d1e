//! The streams of a client that last as long as its connection.

use bytes::Bytes;

use super::answer::{DATA, HEADERS};
use super::code::{
    H3_CLOSED_CRITICAL_STREAM, H3_EXCESSIVE_LOAD, H3_FRAME_ERROR, H3_FRAME_UNEXPECTED, H3_ID_ERROR,
    H3_MISSING_SETTINGS,
};
use super::fault::Fault;
use super::frames::{Frames, Piece, Take};
use super::head::WT_BIDI;
use super::instructions::{DecoderInstructions, check_encoder};
use super::settings::{self, CONTROL, SETTINGS};
use super::varint;

/// A stream that may not end.
#[derive(Debug)]
pub(crate) enum Critical {
    /// What is said about the connection.
    Control(Control),
    /// What the client's encoder says.
    Encoder,
    /// What the client's decoder says.
    Decoder(DecoderInstructions),
}

/// A client's control stream.
#[derive(Debug, Default)]
pub(crate) struct Control {
    frames: Frames,
    has_settings: bool,
    /// The last push that the client allows.
    max_push: u64,
    /// The first push that a client which leaves does not take.
    goaway: Option<u64>,
}

impl Critical {
    /// The stream of this type, if that is one of them.
    pub(super) fn of_type(kind: u64) -> Option<Self> {
        match kind {
            CONTROL => Some(Self::Control(Control::default())),
            QPACK_ENCODER => Some(Self::Encoder),
            QPACK_DECODER => Some(Self::Decoder(DecoderInstructions::default())),
            _ => None,
        }
    }

    /// Whether two streams are of one type.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether the client has said what it can do.
    pub(crate) fn has_settings(&self) -> bool {
        matches!(self, Self::Control(control) if control.has_settings)
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// A fault of the connection.
    pub(crate) fn push(&mut self, mut bytes: Bytes) -> Result<(), Fault> {
        match self {
            Self::Control(control) => control.push(&mut bytes),
            Self::Encoder => check_encoder(&bytes),
            Self::Decoder(instructions) => instructions.check(&mut bytes),
        }
    }

    /// What it is when the stream ends.
    pub(crate) fn closed() -> Fault {
        let reason = "a stream has ended that lasts as long as the connection";
        Fault::of_connection(H3_CLOSED_CRITICAL_STREAM, reason)
    }
}

impl Control {
    fn push(&mut self, bytes: &mut Bytes) -> Result<(), Fault> {
        loop {
            let has_settings = self.has_settings;
            let take = |kind, length| take(kind, length, has_settings);
            match self.frames.next(bytes, take)? {
                None => return Ok(()),
                Some(Piece::Whole(SETTINGS, payload)) => {
                    settings::check(payload)?;
                    self.has_settings = true;
                }
                Some(Piece::Whole(kind, payload)) => self.take_id(kind, payload)?,
                Some(Piece::Part(_)) => {}
            }
        }
    }

    /// Takes in a frame that is an id: none of a push, because this end promises none.
    fn take_id(&mut self, kind: u64, payload: Bytes) -> Result<(), Fault> {
        let Some(id) = varint::only(payload) else {
            let reason = "a frame that should be one number";
            return Err(Fault::of_connection(H3_FRAME_ERROR, reason));
        };
        let is_right = match kind {
            MAX_PUSH_ID => id >= std::mem::replace(&mut self.max_push, id),
            GOAWAY => id <= self.goaway.replace(id).unwrap_or(u64::MAX),
            _ => false,
        };
        match is_right {
            true => Ok(()),
            false => {
                let reason = "an id that stands for nothing, or goes the wrong way";
                Err(Fault::of_connection(H3_ID_ERROR, reason))
            }
        }
    }
}

/// What becomes of a frame of a control stream.
fn take(kind: u64, length: u64, has_settings: bool) -> Result<Take, Fault> {
    match kind {
        SETTINGS if has_settings => {
            Err(Fault::of_connection(H3_FRAME_UNEXPECTED, "SETTINGS again"))
        }
        SETTINGS if length > MAX_SETTINGS => {
            let reason = "SETTINGS that are too long";
            Err(Fault::of_connection(H3_EXCESSIVE_LOAD, reason))
        }
        SETTINGS => Ok(Take::Keep),
        _ if !has_settings => {
            let reason = "a control stream that does not begin with SETTINGS";
            Err(Fault::of_connection(H3_MISSING_SETTINGS, reason))
        }
        DATA | HEADERS | PUSH_PROMISE | 0x2 | 0x6 | 0x8 | 0x9 => {
            let reason = "a frame that does not belong on a control stream";
            Err(Fault::of_connection(H3_FRAME_UNEXPECTED, reason))
        }
        WT_BIDI => {
            let reason = "a mark of a session's stream on a control stream";
            Err(Fault::of_connection(H3_FRAME_ERROR, reason))
        }
        CANCEL_PUSH | GOAWAY | MAX_PUSH_ID if length > 8 => {
            let reason = "a frame that should be one number";
            Err(Fault::of_connection(H3_FRAME_ERROR, reason))
        }
        CANCEL_PUSH | GOAWAY | MAX_PUSH_ID => Ok(Take::Keep),
        _ => Ok(Take::Skip),
    }
}

/// The type of the stream of a client's encoder.
const QPACK_ENCODER: u64 = 0x2;

/// The type of the stream of a client's decoder.
const QPACK_DECODER: u64 = 0x3;

/// Gives up a push.
pub(super) const CANCEL_PUSH: u64 = 0x3;

/// Promises a push, which only servers do.
pub(super) const PUSH_PROMISE: u64 = 0x5;

/// Says that an end leaves.
pub(super) const GOAWAY: u64 = 0x7;

/// Allows pushes.
pub(super) const MAX_PUSH_ID: u64 = 0xd;

/// The most bytes of SETTINGS.
const MAX_SETTINGS: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::super::tests::pieces;
    use super::*;

    fn control(stream: &[u8], seed: u64) -> Result<bool, Fault> {
        let mut control = Critical::of_type(CONTROL).unwrap();
        for piece in pieces(stream, seed) {
            control.push(piece.into())?;
        }
        Ok(control.has_settings())
    }

    #[test]
    fn what_a_client_may_say_passes_in_any_pieces() {
        let stream = [
            // SETTINGS, GREASE, what this end does not know, MAX_PUSH_ID twice, GOAWAY twice.
            &[4, 2, 8, 1, 0x21, 2, 7, 7, 0x4a, 0x0a, 1, 7][..],
            &[13, 1, 0, 13, 2, 0x40, 0x50, 7, 1, 8, 7, 1, 8],
        ]
        .concat();
        for seed in 0..100 {
            assert_eq!(control(&stream, seed), Ok(true), "{seed}");
        }
        assert_eq!(control(&stream[..3], 0), Ok(false));
    }

    #[test]
    fn each_fault_has_its_code() {
        for (stream, code) in [
            (&[0x21, 0][..], H3_MISSING_SETTINGS),
            (&[0, 0], H3_MISSING_SETTINGS),
            (&[7, 1, 0], H3_MISSING_SETTINGS),
            (&[4, 0, 4, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 0, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 1, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 2, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 5, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 6, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 8, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 9, 0], H3_FRAME_UNEXPECTED),
            (&[4, 0, 0x40, 0x41, 0], H3_FRAME_ERROR),
            (&[4, 0, 3, 1, 0], H3_ID_ERROR),
            (&[4, 0, 7, 1, 4, 7, 1, 8], H3_ID_ERROR),
            (&[4, 0, 13, 1, 4, 13, 1, 3], H3_ID_ERROR),
            (&[4, 0, 7, 0], H3_FRAME_ERROR),
            (&[4, 0, 7, 2, 0, 0], H3_FRAME_ERROR),
            (&[4, 0, 13, 1, 0x40], H3_FRAME_ERROR),
            (&[4, 0, 3, 0x40, 9], H3_FRAME_ERROR),
            (&[4, 0x80, 0, 0x20, 0], H3_EXCESSIVE_LOAD),
        ] {
            for seed in [0, 1, 5] {
                let fault = control(stream, seed).unwrap_err();
                assert_eq!(fault.code, code, "{stream:?}");
                assert!(fault.is_of_connection);
            }
        }
        assert_eq!(Critical::closed().code, H3_CLOSED_CRITICAL_STREAM);
    }
}
