//! The CONNECT stream of a WebTransport session: HTTP/3 frames with capsules in them.

use bytes::{Buf, Bytes};
use moq_transport_common::quic::{MAX_REASON, SessionEnd};

use super::answer::DATA;
use super::code::{H3_FRAME_ERROR, H3_MESSAGE_ERROR};
use super::fault::Fault;
use super::frames::{Frames, Piece, Take};
use super::head::refuse_known;

/// Finds the capsule that ends a session. Whatever else comes is skipped as it comes.
#[derive(Debug, Default)]
pub(crate) struct Capsules {
    frames: Frames,
    capsules: Frames,
}

impl Capsules {
    /// Reads the next bytes, and gives the session's end if it is among them.
    ///
    /// # Errors
    /// A frame or a capsule that may not be there.
    pub(crate) fn push(&mut self, mut bytes: Bytes) -> Result<Option<SessionEnd>, Fault> {
        let take = |kind, _| match kind {
            DATA => Ok(Take::Pass),
            _ => refuse_known(kind).map(|()| Take::Skip),
        };
        while let Some(piece) = self.frames.next(&mut bytes, take)? {
            let Piece::Part(mut data) = piece else {
                continue;
            };
            let capsule = self.capsules.next(&mut data, take_capsule)?;
            if let Some(Piece::Whole(_, end)) = capsule {
                return read_end(end).map(Some);
            }
        }
        Ok(None)
    }

    /// How a session has ended whose stream has without a capsule: code 0.
    ///
    /// # Errors
    /// If the stream is cut off in a frame or a capsule.
    pub(crate) fn finish(&self) -> Result<SessionEnd, Fault> {
        if self.frames.is_partial() {
            let reason = "a frame that is cut off";
            return Err(Fault::of_connection(H3_FRAME_ERROR, reason));
        }
        match self.capsules.is_partial() {
            true => Err(malformed("a capsule that is cut off")),
            false => Ok(SessionEnd::default()),
        }
    }
}

/// What becomes of a capsule.
fn take_capsule(kind: u64, length: u64) -> Result<Take, Fault> {
    match kind {
        CLOSE_SESSION if length > CODE + MAX_REASON as u64 => {
            Err(malformed("a reason of more than 1024 bytes"))
        }
        CLOSE_SESSION => Ok(Take::Keep),
        _ => Ok(Take::Skip),
    }
}

fn read_end(mut payload: Bytes) -> Result<SessionEnd, Fault> {
    let Ok(code) = payload.try_get_u32() else {
        return Err(malformed("an end without a code"));
    };
    match String::from_utf8(payload.into()) {
        Ok(reason) => Ok(SessionEnd { code, reason }),
        Err(_) => Err(malformed("a reason that is no text")),
    }
}

fn malformed(reason: &'static str) -> Fault {
    Fault::of_stream(H3_MESSAGE_ERROR, reason)
}

/// The capsule that ends a session: a code and a reason.
const CLOSE_SESSION: u64 = 0x2843;

/// How many bytes the code has.
const CODE: u64 = 4;

#[cfg(test)]
mod tests {
    use super::super::code::H3_FRAME_UNEXPECTED;
    use super::super::tests::pieces;
    use super::super::varint;
    use super::*;

    fn end(stream: &[u8], seed: u64) -> Result<Option<SessionEnd>, Fault> {
        let mut capsules = Capsules::default();
        for piece in pieces(stream, seed) {
            if let Some(end) = capsules.push(piece.into())? {
                return Ok(Some(end));
            }
        }
        capsules.finish().map(|_| None)
    }

    /// A DATA frame with one capsule.
    fn capsule(kind: u64, length: u64, payload: &[u8]) -> Vec<u8> {
        let mut capsule = Vec::new();
        varint::put(&mut capsule, kind);
        varint::put(&mut capsule, length);
        capsule.extend_from_slice(payload);
        let mut frame = vec![0];
        varint::put(&mut frame, capsule.len() as u64);
        frame.extend_from_slice(&capsule);
        frame
    }

    #[test]
    fn a_session_ends_by_its_capsule_in_any_pieces() {
        let stream = [
            // GREASE, a capsule of no consequence over two frames, an empty frame.
            &[0x21, 2, 7, 7, 0, 3, 0x17, 2, 1, 0, 1, 2, 0, 0][..],
            &capsule(0x78ae, 0, &[]),
            &capsule(CLOSE_SESSION, 6, b"\0\0\x01\x02ok")[..6],
        ]
        .concat();
        let whole = capsule(CLOSE_SESSION, 6, b"\0\0\x01\x02ok");
        let stream = [&stream[..stream.len() - 6], &whole].concat();
        for seed in 0..100 {
            let end = end(&stream, seed).unwrap().unwrap();
            assert_eq!((end.code, end.reason.as_str()), (0x102, "ok"), "{seed}");
        }
    }

    #[test]
    fn the_longest_reason_passes_and_a_longer_one_does_not() {
        let long = [&[0; 4][..], &[b'x'; MAX_REASON]].concat();
        let read = end(&capsule(CLOSE_SESSION, 4 + 1024, &long), 7).unwrap();
        assert_eq!(read.unwrap().reason.len(), MAX_REASON);
        let fault = end(&capsule(CLOSE_SESSION, 4 + 1025, &[]), 7).unwrap_err();
        assert_eq!(fault.code, H3_MESSAGE_ERROR);
    }

    #[test]
    fn each_fault_has_its_code() {
        for (stream, code) in [
            (capsule(CLOSE_SESSION, 3, &[0; 3]), H3_MESSAGE_ERROR),
            (
                capsule(CLOSE_SESSION, 5, &[0, 0, 0, 0, 0xff]),
                H3_MESSAGE_ERROR,
            ),
            (capsule(0x17, 3, &[0]), H3_MESSAGE_ERROR),
            (vec![0, 1, 0x40], H3_MESSAGE_ERROR),
            (vec![0, 3, 0], H3_FRAME_ERROR),
            (vec![1, 0], H3_FRAME_UNEXPECTED),
            (vec![4, 0], H3_FRAME_UNEXPECTED),
            (vec![0x40, 0x41, 0], H3_FRAME_ERROR),
        ] {
            for seed in [0, 1, 5] {
                assert_eq!(end(&stream, seed).unwrap_err().code, code, "{stream:?}");
            }
        }
    }
}
