//! AAC with ADTS headers.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{TICKS, Taken, Unit};
use crate::codec::aac::AudioConfig;
use crate::codec::{CodecError, Config, Media};
use crate::fmp4::SampleEntry;

/// Packets with headers → samples without.
#[derive(Debug, Default)]
pub(crate) struct AacStream {
    /// What a decoder has to be told; `None` until a header came.
    pub(crate) entry: Option<SampleEntry>,
    config: Bytes,
    rate: u32,
    /// The beginning of a packet whose rest comes.
    carry: BytesMut,
    /// When the packets since a time was told began, and how many there were.
    clock: Option<(i64, i64)>,
}

/// The head of a packet.
struct Header {
    config: [u8; 2],
    /// Bytes of the head, and of the packet with it.
    len: usize,
    whole: usize,
}

impl AacStream {
    /// Takes a piece that begins with bytes of the packet before, if that is not complete. The first
    /// packet that begins in it is heard at `pts`.
    pub(crate) fn take(&mut self, piece: &[u8], pts: i64) -> Taken {
        let mut taken = Taken::default();
        let mut before = self.carry.len();
        self.carry.extend_from_slice(piece);
        if before == 0 {
            self.clock = Some((pts, 0));
        }
        while self.carry.len() >= HEAD {
            match self.next(&mut taken) {
                Ok(Some(used)) => {
                    self.carry.advance(used);
                    if before > 0 && used >= before {
                        self.clock = Some((pts, 0));
                    }
                    before = before.saturating_sub(used);
                }
                Ok(None) => break,
                Err(error) => {
                    taken.error = Some(error);
                    self.search();
                    before = 0;
                    self.clock = Some((pts, 0));
                }
            }
        }
        taken
    }

    /// Bytes are missing.
    pub(crate) fn cut(&mut self) {
        self.carry.clear();
    }

    /// Reads the packet at the front, if it is whole; says how long it was.
    fn next(&mut self, taken: &mut Taken) -> Result<Option<usize>, CodecError> {
        let header = header(&self.carry)?;
        if self.carry.len() < header.whole {
            return Ok(None);
        }
        if self.config[..] != header.config {
            self.configure(header.config)?;
            taken.is_new = true;
        }
        let (start, index) = self.clock.unwrap_or_default();
        let (at, end) = (self.time(start, index), self.time(start, index + 1));
        self.clock = Some((start, index + 1));
        let payload = Bytes::copy_from_slice(&self.carry[header.len..header.whole]);
        taken.units.push(Unit {
            dts: at,
            pts: at,
            duration: u32::try_from(end.saturating_sub(at)).unwrap_or(0),
            is_key: true,
            payload: payload.into(),
        });
        Ok(Some(header.whole))
    }

    fn configure(&mut self, config: [u8; 2]) -> Result<(), CodecError> {
        let read = AudioConfig::read(&config)?;
        let description = Bytes::copy_from_slice(&config);
        let media = Media::Audio {
            sample_rate: read.sample_rate,
            channels: read.channels,
        };
        let codec = read.codec_string();
        let entry = SampleEntry::of_config(Config::new(codec, Some(description.clone()), media))?;
        self.entry = Some(entry);
        self.config = description;
        self.rate = read.sample_rate;
        Ok(())
    }

    /// When the packet `index` after `start` begins: rounded once, so that roundings don't add up.
    fn time(&self, start: i64, index: i64) -> i64 {
        let rate = i64::from(self.rate.max(1));
        let ticks = index.saturating_mul(SAMPLES * i64::from(TICKS));
        start.saturating_add((ticks + rate / 2).div_euclid(rate))
    }

    /// Passes over what is no packet.
    fn search(&mut self) {
        let mut rest = self.carry.iter().skip(1);
        let found = rest.position(|byte| *byte == 0xff);
        let found = found.map_or(self.carry.len(), |at| at + 1);
        self.carry.advance(found);
    }
}

fn header(bytes: &[u8]) -> Result<Header, CodecError> {
    let wrong = |field, expected, found: u32| CodecError::Field {
        record: "ADTS header",
        field,
        expected,
        found: found.into(),
    };
    let cut = CodecError::Truncated {
        record: "ADTS header",
        field: "head",
    };
    let head = bytes.first_chunk::<HEAD>().ok_or(cut)?;
    if head[0] != 0xff || head[1] & 0xf6 != 0xf0 {
        let found = u32::from(head[0]) << 8 | u32::from(head[1]);
        return Err(wrong("syncword", "0xfff0 to 0xfff9", found));
    }
    let profile = head[2] >> 6;
    let index = head[2] >> 2 & 0xf;
    let layout = head[2] << 2 & 4 | head[3] >> 6;
    let len = if head[1] & 1 == 0 { HEAD + 2 } else { HEAD };
    let whole =
        usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
    if whole < len {
        let found = u32::try_from(whole).unwrap_or(0);
        return Err(wrong("aac_frame_length", "at least the header", found));
    }
    let blocks = head[6] & 3;
    if blocks != 0 {
        let expected = "1, a block in each packet";
        return Err(wrong(
            "number_of_raw_data_blocks",
            expected,
            u32::from(blocks) + 1,
        ));
    }
    let word = u16::from(profile + 1) << 11 | u16::from(index) << 7 | u16::from(layout) << 3;
    Ok(Header {
        config: word.to_be_bytes(),
        len,
        whole,
    })
}

/// Bytes of a header without a checksum.
const HEAD: usize = 7;

/// Samples of a packet.
const SAMPLES: i64 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    /// AAC-LC, 44.1 kHz, stereo, with so many bytes.
    fn packet(len: u8) -> Vec<u8> {
        let whole = len + 7;
        let mut packet = vec![0xff, 0xf1, 0x50, 0x80, whole >> 3, whole << 5 | 0x1f, 0xfc];
        packet.extend(std::iter::repeat_n(len, len.into()));
        packet
    }

    fn times(taken: &Taken) -> Vec<(i64, u32, usize)> {
        let units = taken.units.iter();
        let times = units.map(|unit| (unit.dts, unit.duration, unit.payload.len()));
        times.collect()
    }

    #[test]
    fn packets_of_a_piece_follow_each_other() {
        let mut stream = AacStream::default();
        let taken = stream.take(&[packet(9), packet(5)].concat(), 1_000);
        assert!(taken.is_new && taken.error.is_none());
        assert_eq!(times(&taken), [(1_000, 2_090, 9), (3_090, 2_090, 5)]);
        let config = &stream.entry.as_ref().unwrap().config;
        assert_eq!(config.codec, "mp4a.40.2");
        assert_eq!(config.description.as_deref(), Some(&[0x12, 0x10][..]));
    }

    #[test]
    fn packet_over_two_pieces_keeps_its_own_time() {
        let mut stream = AacStream::default();
        let (first, second) = (packet(9), packet(5));
        assert_eq!(stream.take(&first[..8], 1_000).units.len(), 0);
        let taken = stream.take(&[&first[8..], &second].concat(), 9_000);
        assert_eq!(times(&taken), [(1_000, 2_090, 9), (9_000, 2_090, 5)]);
    }

    #[test]
    fn what_is_no_packet_is_passed_over() {
        let mut stream = AacStream::default();
        let taken = stream.take(&[vec![1, 2, 3], packet(5)].concat(), 7);
        assert_eq!(times(&taken), [(7, 2_090, 5)]);
        let error = taken.error.unwrap().to_string();
        assert!(
            error.starts_with("ADTS header, syncword: expected 0xfff0"),
            "{error}"
        );
        stream.take(&packet(9)[..8], 8);
        stream.cut();
        assert_eq!(times(&stream.take(&packet(5), 9)), [(9, 2_090, 5)]);
    }
}
