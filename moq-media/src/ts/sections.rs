//! PAT and PMT.

use mpeg2ts_reader::mpegts_crc;
use mpeg2ts_reader::psi::pat::{PatSection, ProgramDescriptor};

/// Puts the sections of a table together from packets.
#[derive(Debug, Default)]
pub(super) struct Section {
    bytes: Vec<u8>,
    is_open: bool,
}

impl Section {
    /// Takes a packet's payload; yields the table's body once it is whole, without its head and
    /// checksum.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn take(
        &mut self,
        payload: &[u8],
        is_start: bool,
        table: u8,
    ) -> Result<Option<Vec<u8>>, &'static str> {
        if is_start {
            let (pointer, rest) = payload.split_first().ok_or("a pointer")?;
            let start = rest.get(usize::from(*pointer)..);
            self.bytes.clear();
            self.bytes
                .extend_from_slice(start.ok_or("a pointer into the packet")?);
            self.is_open = true;
        } else if self.is_open {
            self.bytes.extend_from_slice(payload);
        }
        let Some(head) = self.bytes.first_chunk::<3>().filter(|_| self.is_open) else {
            return Ok(None);
        };
        let whole = (usize::from(head[1] & 0xf) << 8 | usize::from(head[2])) + 3;
        if self.bytes.len() < whole {
            return Ok(None);
        }
        self.is_open = false;
        let section = &self.bytes[..whole];
        if section[0] != table || section[1] & 0x80 == 0 {
            // Other tables may come in the same packets.
            return Ok(None);
        }
        if whole < HEAD + CHECKSUM {
            return Err("a section with a head and a checksum");
        }
        if mpegts_crc::sum32(section) != 0 {
            return Err("a checksum that fits");
        }
        let is_current = section[5] & 1 == 1;
        Ok(is_current.then(|| section[HEAD..whole - CHECKSUM].to_vec()))
    }

    /// Packets are missing.
    pub(super) fn cut(&mut self) {
        self.is_open = false;
    }
}

/// Where the first program's PMT is.
pub(super) fn first_program(pat: &[u8]) -> Option<u16> {
    let mut programs = PatSection::new(pat).programs();
    programs.find_map(|program| match program {
        ProgramDescriptor::Program { pid, .. } => Some(pid.into()),
        ProgramDescriptor::Network { .. } => None,
    })
}

/// A stream that a PMT names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) pid: u16,
    pub(super) kind: u8,
    /// Tags and contents.
    pub(super) descriptors: Vec<(u8, Vec<u8>)>,
}

/// The streams of a PMT's body.
///
/// # Errors
/// What was expected.
pub(super) fn streams(pmt: &[u8]) -> Result<Vec<Named>, &'static str> {
    const CUT: &str = "lengths within the table";
    let length = |bytes: &[u8]| usize::from(bytes[0] & 0xf) << 8 | usize::from(bytes[1]);
    let head = pmt.first_chunk::<4>().ok_or(CUT)?;
    let mut rest = pmt.get(4 + length(&head[2..])..).ok_or(CUT)?;
    let mut streams = Vec::new();
    while !rest.is_empty() {
        let (head, behind) = rest.split_first_chunk::<5>().ok_or(CUT)?;
        let (info, behind) = behind.split_at_checked(length(&head[3..])).ok_or(CUT)?;
        rest = behind;
        streams.push(Named {
            pid: u16::from(head[1] & 0x1f) << 8 | u16::from(head[2]),
            kind: head[0],
            descriptors: descriptors(info).ok_or(CUT)?,
        });
    }
    Ok(streams)
}

fn descriptors(mut info: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let mut found = Vec::new();
    while let Some(([tag, len], behind)) = info.split_first_chunk::<2>() {
        let (body, behind) = behind.split_at_checked(usize::from(*len))?;
        found.push((*tag, body.to_vec()));
        info = behind;
    }
    info.is_empty().then_some(found)
}

const HEAD: usize = 8;

const CHECKSUM: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// The PAT of ffmpeg: one program, its PMT in 0x1000.
    const PAT: &[u8] = &[
        0, 0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00, 0x2a, 0xb1,
        0x04, 0xb2, 0xff, 0xff,
    ];

    #[test]
    fn table_over_packets_is_read() {
        let mut section = Section::default();
        assert_eq!(section.take(&PAT[..9], true, 0), Ok(None));
        let body = section.take(&PAT[9..], false, 0).unwrap().unwrap();
        assert_eq!(first_program(&body), Some(0x1000));
        assert_eq!(section.take(&PAT[9..], false, 0), Ok(None), "it is whole");
    }

    #[test]
    fn damaged_table_is_an_error() {
        let mut damaged = PAT.to_vec();
        damaged[12] ^= 1;
        let taken = Section::default().take(&damaged, true, 0);
        assert_eq!(taken, Err("a checksum that fits"));
        assert!(Section::default().take(&[], true, 0).is_err());
        assert!(Section::default().take(&[9, 0], true, 0).is_err());
        assert!(streams(&[0xe1, 0, 0xf0, 9]).is_err());
        assert!(streams(&[0xe1, 0, 0xf0, 0, 0x1b, 0xe1, 0, 0xf0, 2, 5]).is_err());
    }

    #[test]
    fn streams_come_with_their_descriptors() {
        let pmt = [
            &[0xe1, 0, 0xf0, 0][..],
            &[0x1b, 0xe1, 0, 0xf0, 0],
            &[6, 0xe1, 1, 0xf0, 6, 5, 4],
            b"Opus",
        ];
        let found = streams(&pmt.concat()).unwrap();
        assert_eq!((found[0].pid, found[0].kind), (0x100, 0x1b));
        assert_eq!(found[1].descriptors, [(5, b"Opus".to_vec())]);
    }
}
