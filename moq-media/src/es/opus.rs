//! Opus as a transport stream carries it.

use bytes::Bytes;

use super::{Taken, Unit};
use crate::codec::{CodecError, Config, Media};
use crate::fmp4::SampleEntry;

/// Packets with control headers → samples without.
#[derive(Debug)]
pub(crate) struct OpusStream {
    /// What a decoder has to be told.
    pub(crate) entry: Option<SampleEntry>,
}

impl OpusStream {
    /// A stream of one or two channels.
    pub(crate) fn new(channels: u32) -> Self {
        let media = Media::Audio {
            sample_rate: 48_000,
            channels,
        };
        let config = Config::new("opus".to_owned(), None, media);
        Self {
            entry: SampleEntry::of_config(config).ok(),
        }
    }

    /// Takes whole packets, the first of which is heard at `pts`.
    pub(crate) fn take(&self, mut piece: &[u8], pts: i64) -> Taken {
        let mut taken = Taken::default();
        let mut at = pts;
        while !piece.is_empty() {
            let Some((packet, rest)) = packet(piece) else {
                taken.error = Some(CodecError::Truncated {
                    record: "Opus packet",
                    field: "control header",
                });
                break;
            };
            let duration = ticks(packet).unwrap_or(0);
            if !packet.is_empty() {
                taken.units.push(Unit {
                    dts: at,
                    pts: at,
                    duration,
                    is_key: true,
                    payload: Bytes::copy_from_slice(packet).into(),
                });
            }
            at = at.saturating_add(duration.into());
            piece = rest;
        }
        taken
    }
}

/// The packet behind a control header, and what follows it.
fn packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, mut rest) = bytes.split_first_chunk::<2>()?;
    if head[0] != 0x7f || head[1] & 0xe0 != 0xe0 {
        return None;
    }
    let mut len = 0_usize;
    loop {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        len = len.checked_add(usize::from(*byte))?;
        if *byte != 0xff {
            break;
        }
    }
    for trim in [0x10, 0x08] {
        if head[1] & trim != 0 {
            rest = rest.get(2..)?;
        }
    }
    if head[1] & 0x04 != 0 {
        let (extension, behind) = rest.split_first()?;
        rest = behind.get(usize::from(*extension)..)?;
    }
    rest.split_at_checked(len)
}

/// How long a packet lasts, in ticks of a transport stream; `None` for an empty one.
fn ticks(packet: &[u8]) -> Option<u32> {
    let (toc, rest) = packet.split_first()?;
    // Of the 90 000 in a second, 225 make 2.5 ms.
    let frame = match toc >> 3 {
        config @ 0..=11 => [900, 1_800, 3_600, 5_400][usize::from(config & 3)],
        config @ 12..=15 => [900, 1_800][usize::from(config & 1)],
        config => [225, 450, 900, 1_800][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    Some(frame * frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_a_piece_follow_each_other() {
        let stream = OpusStream::new(2);
        let piece = [
            // Two frames of 20 ms, with both trims and an extension.
            &[0x7f, 0xfc, 3, 0, 1, 0, 2, 1, 9, 0xfd, 1, 2][..],
            &[0x7f, 0xe0, 2, 0xe4, 7],
        ];
        let taken = stream.take(&piece.concat(), 90);
        let units = taken.units.iter();
        let found: Vec<_> = units.map(|unit| (unit.pts, unit.duration)).collect();
        assert_eq!(found, [(90, 3_600), (3_690, 225)]);
        assert_eq!(taken.units[0].payload.to_bytes(), &[0xfd, 1, 2][..]);
        assert!(taken.error.is_none());
    }

    #[test]
    fn cut_packet_is_an_error() {
        let stream = OpusStream::new(1);
        for piece in [&[0x7f, 0xe0][..], &[0x7f, 0xe0, 9, 1], &[0, 0, 1], &[0x7f]] {
            let taken = stream.take(piece, 0);
            assert!(taken.error.is_some() && taken.units.is_empty(), "{piece:?}");
        }
    }
}
