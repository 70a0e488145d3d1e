//! Packets of a stream → PES packets.

use bytes::{Bytes, BytesMut};
use mpeg2ts_reader::pes::{PesContents, PesHeader, PesLength, PtsDts};

use crate::es::StreamProblem;

/// Puts the PES packets of a stream together.
#[derive(Debug, Default)]
pub(super) struct Pes {
    bytes: BytesMut,
    /// Where in the input the packet begins; `None` outside of one.
    start: Option<u64>,
    /// The number of the last packet.
    counter: Option<u8>,
}

/// A whole PES packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PesPacket {
    pub(super) offset: u64,
    /// When it is shown and decoded, in 33 bits; `None` if it goes on with the one before.
    pub(super) times: Option<(u64, u64)>,
    pub(super) payload: Bytes,
}

/// What a packet's number says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    Next,
    /// It comes for the second time.
    Again,
    /// Others are missing before it.
    Gap {
        expected: u8,
    },
}

impl Pes {
    /// Looks at the number of a packet with a payload.
    pub(super) fn order(&mut self, counter: u8, may_jump: bool) -> Order {
        let last = self.counter.replace(counter);
        let Some(last) = last.filter(|_| !may_jump) else {
            return Order::Next;
        };
        let expected = (last + 1) & 0xf;
        if counter == expected {
            Order::Next
        } else if counter == last {
            Order::Again
        } else {
            Order::Gap { expected }
        }
    }

    /// A PES packet begins at `offset`.
    pub(super) fn begin(&mut self, offset: u64) {
        self.bytes.clear();
        self.start = Some(offset);
    }

    /// Adds to the open packet.
    ///
    /// # Errors
    /// When it is too large to be held. Then it is lost.
    pub(super) fn extend(&mut self, payload: &[u8]) -> Result<(), StreamProblem> {
        if self.start.is_none() {
            return Ok(());
        }
        if self.bytes.len() + payload.len() > LIMIT {
            self.cut();
            return Err(StreamProblem::Limit { limit: LIMIT });
        }
        self.bytes.extend_from_slice(payload);
        Ok(())
    }

    /// Whether the open packet says how long it is, and is whole.
    pub(super) fn is_whole(&self) -> bool {
        let header = self.start.and_then(|_| self.bytes.get(..6));
        let header = header.and_then(PesHeader::from_bytes);
        match header.map(|header| header.pes_packet_length()) {
            Some(PesLength::Bounded(length)) => self.bytes.len() >= usize::from(length.get()) + 6,
            Some(PesLength::Unbounded) | None => false,
        }
    }

    /// Packets are missing: the open one is lost.
    pub(super) fn cut(&mut self) {
        self.bytes.clear();
        self.start = None;
    }

    /// The open packet is complete.
    pub(super) fn end(&mut self) -> Option<Result<PesPacket, (u64, StreamProblem)>> {
        let offset = self.start.take()?;
        let bytes = self.bytes.split().freeze();
        Some(read(&bytes, offset).map_err(|expected| (offset, StreamProblem::Pes(expected))))
    }
}

fn read(bytes: &Bytes, offset: u64) -> Result<PesPacket, &'static str> {
    let header = PesHeader::from_bytes(bytes).ok_or("bytes 0, 0, 1 and a head")?;
    let whole = match header.pes_packet_length() {
        PesLength::Bounded(length) => usize::from(length.get()) + 6,
        PesLength::Unbounded => bytes.len(),
    };
    let cut = bytes.get(..whole).and_then(PesHeader::from_bytes);
    let header = cut.ok_or("as many bytes as its head says")?;
    let PesContents::Parsed(Some(contents)) = header.contents() else {
        return Err("a header with times");
    };
    let times = match contents.pts_dts() {
        Ok(PtsDts::Both {
            pts: Ok(pts),
            dts: Ok(dts),
        }) => Some((pts.value(), dts.value())),
        Ok(PtsDts::PtsOnly(Ok(pts))) => Some((pts.value(), pts.value())),
        Ok(PtsDts::PtsOnly(Err(_)) | PtsDts::Both { .. }) => return Err("times with their marks"),
        Ok(PtsDts::None | PtsDts::Invalid) | Err(_) => None,
    };
    Ok(PesPacket {
        offset,
        times,
        payload: bytes.slice_ref(contents.payload()),
    })
}

/// More than an encoder puts into a picture.
const LIMIT: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Shown at 9 000 and decoded at 5 400.
    const HEAD: &[u8] = &[
        0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10, 0x31, 0, 1, 0x46, 0x51, 0x11, 0, 1, 0x2a, 0x31,
    ];

    #[test]
    fn packet_is_read_at_its_end() {
        let mut pes = Pes::default();
        pes.extend(b"before any").unwrap();
        assert!(pes.end().is_none());
        pes.begin(188);
        pes.extend(HEAD).unwrap();
        pes.extend(b"picture").unwrap();
        assert!(!pes.is_whole());
        let packet = pes.end().unwrap().unwrap();
        assert_eq!((packet.offset, packet.times), (188, Some((9_000, 5_400))));
        assert_eq!(packet.payload, "picture");
    }

    #[test]
    fn packet_that_says_its_length_is_whole_at_once() {
        let mut pes = Pes::default();
        pes.begin(0);
        pes.extend(&[0, 0, 1, 0xc0, 0, 5, 0x80, 0, 0]).unwrap();
        assert!(!pes.is_whole());
        pes.extend(b"ab+").unwrap();
        assert!(pes.is_whole());
        let packet = pes.end().unwrap().unwrap();
        assert_eq!((packet.times, &packet.payload[..]), (None, &b"ab"[..]));
        pes.begin(7);
        pes.extend(&[0, 0, 1, 0xc0, 0, 5, 0x80, 0, 0]).unwrap();
        let error = pes.end().unwrap().unwrap_err();
        assert_eq!(error.0, 7);
    }

    #[test]
    fn numbers_tell_of_gaps() {
        let mut pes = Pes::default();
        let orders = [3, 4, 4, 6].map(|counter| pes.order(counter, false));
        let gap = Order::Gap { expected: 5 };
        assert_eq!(orders, [Order::Next, Order::Next, Order::Again, gap]);
        assert_eq!(pes.order(1, true), Order::Next);
    }
}
