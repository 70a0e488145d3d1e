//! Frames and capsules: a type, a length and a payload, one after the other.

use bytes::{Buf, Bytes, BytesMut};

use super::varint::Varint;

/// Cuts a stream into frames. Each byte is looked at once, however small the pieces are.
#[derive(Debug)]
pub(super) struct Frames {
    part: Part,
    /// What is kept of the payload at hand.
    kept: BytesMut,
}

/// Where in a frame the next byte belongs.
#[derive(Debug)]
enum Part {
    Kind(Varint),
    Length { kind: u64, length: Varint },
    Payload { kind: u64, left: u64, take: Take },
}

/// What is to become of a frame's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// It is thrown away as it comes.
    Skip,
    /// It is given when it is whole. Whoever asks for that has looked at the length.
    Keep,
    /// It is given as it comes.
    Pass,
}

/// What comes of a stream's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The payload of a frame of this type.
    Whole(u64, Bytes),
    /// The next bytes of a payload.
    Part(Bytes),
}

impl Default for Frames {
    fn default() -> Self {
        Self::in_part(Part::Kind(Varint::default()))
    }
}

impl Frames {
    /// Goes on behind the type of the first frame.
    pub(super) fn behind(kind: u64) -> Self {
        Self::in_part(Part::Length {
            kind,
            length: Varint::default(),
        })
    }

    fn in_part(part: Part) -> Self {
        Self {
            part,
            kept: BytesMut::new(),
        }
    }

    /// Takes bytes until there is a piece, or there are none. `take` is asked once for each frame,
    /// with its type and length.
    ///
    /// # Errors
    /// What `take` fails with.
    pub(super) fn next<E>(
        &mut self,
        bytes: &mut Bytes,
        mut take: impl FnMut(u64, u64) -> Result<Take, E>,
    ) -> Result<Option<Piece>, E> {
        loop {
            match &mut self.part {
                Part::Kind(varint) => match varint.take(bytes) {
                    Some(kind) => *self = Self::behind(kind),
                    None => return Ok(None),
                },
                Part::Length { kind, length } => match length.take(bytes) {
                    Some(left) => {
                        let (kind, take) = (*kind, take(*kind, left)?);
                        self.part = Part::Payload { kind, left, take };
                    }
                    None => return Ok(None),
                },
                Part::Payload { .. } => {
                    if let Some(piece) = self.take_payload(bytes) {
                        return Ok(Some(piece));
                    }
                    if bytes.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Takes bytes of a payload, and goes on to the next frame behind its last.
    fn take_payload(&mut self, bytes: &mut Bytes) -> Option<Piece> {
        let Part::Payload { kind, left, take } = &mut self.part else {
            return None;
        };
        let (kind, take) = (*kind, *take);
        let has = bytes
            .len()
            .min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= has as u64;
        let is_last = *left == 0;
        if is_last {
            self.part = Part::Kind(Varint::default());
        }
        match take {
            Take::Skip => {
                bytes.advance(has);
                None
            }
            Take::Pass => (has > 0).then(|| Piece::Part(bytes.split_to(has))),
            Take::Keep if is_last && self.kept.is_empty() => {
                Some(Piece::Whole(kind, bytes.split_to(has)))
            }
            Take::Keep => {
                self.kept.extend_from_slice(&bytes.split_to(has));
                is_last.then(|| Piece::Whole(kind, std::mem::take(&mut self.kept).freeze()))
            }
        }
    }

    /// How many bytes are kept.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Whether a frame has begun and is not whole.
    pub(super) fn is_partial(&self) -> bool {
        match &self.part {
            Part::Kind(varint) => varint.is_partial(),
            Part::Length { .. } | Part::Payload { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::tests::pieces;
    use super::*;

    /// Reads a stream in pieces: the frames that are kept, the bytes that are passed on, and how
    /// many frames were begun.
    fn read(stream: &[Vec<u8>]) -> (Vec<(u64, Bytes)>, Vec<u8>, usize) {
        let (mut frames, mut begun) = (Frames::default(), 0);
        let (mut whole, mut passed) = (Vec::new(), Vec::new());
        for piece in stream {
            let mut bytes = Bytes::copy_from_slice(piece);
            let mut take = |kind, _| {
                begun += 1;
                Ok::<_, Infallible>(match kind {
                    0 => Take::Pass,
                    0x21 => Take::Skip,
                    _ => Take::Keep,
                })
            };
            while let Ok(Some(piece)) = frames.next(&mut bytes, &mut take) {
                match piece {
                    Piece::Whole(kind, payload) => whole.push((kind, payload)),
                    Piece::Part(bytes) => passed.extend_from_slice(&bytes),
                }
            }
            assert!(bytes.is_empty());
        }
        assert!(!frames.is_partial());
        assert_eq!(frames.kept(), 0);
        (whole, passed, begun)
    }

    #[test]
    fn it_makes_no_difference_how_a_stream_is_cut() {
        let stream = [
            &[0x21, 3, 9, 9, 9, 1, 2, 7, 8, 0, 4, 1, 2, 3, 4][..],
            &[4, 0, 0x40, 0x41, 0x40, 0x02, 5, 6, 0, 0, 0x21, 0],
            &[0, 1, 5],
        ]
        .concat();
        let kept: Vec<(u64, Bytes)> = vec![
            (1, Bytes::from_static(&[7, 8])),
            (4, Bytes::new()),
            (0x41, Bytes::from_static(&[5, 6])),
        ];
        let expected = (kept, vec![1, 2, 3, 4, 5], 8);
        for seed in 0..200 {
            assert_eq!(read(&pieces(&stream, seed)), expected, "{seed}");
        }
    }

    /// 62 kB of the smallest frames, a byte at a time: as many frames are begun as there are, so
    /// none is read again for the bytes that follow it.
    #[test]
    fn each_frame_is_read_once() {
        let stream: Vec<_> = [0x21, 0].repeat(31_000).iter().map(|b| vec![*b]).collect();
        let (whole, passed, begun) = read(&stream);
        assert_eq!((whole.len(), passed.len(), begun), (0, 0, 31_000));
    }

    #[test]
    fn a_frame_that_is_not_whole_is_told_apart() {
        for (bytes, kept) in [
            (&[0x40][..], 0),
            (&[1], 0),
            (&[1, 0x40], 0),
            (&[1, 2, 7], 1),
            (&[0x21, 1], 0),
        ] {
            let mut frames = Frames::default();
            let take =
                |kind, _| Ok::<_, Infallible>(if kind == 1 { Take::Keep } else { Take::Skip });
            let piece = frames.next(&mut Bytes::copy_from_slice(bytes), take);
            assert!(piece.unwrap().is_none());
            assert!(frames.is_partial(), "{bytes:?}");
            assert_eq!(frames.kept(), kept, "{bytes:?}");
        }
    }
}
