//! PAT and PMT.

use mpeg2ts_reader::mpegts_crc;

use super::packet::Packetizer;

/// The tables of one program.
#[derive(Debug)]
pub(super) struct Tables {
    pat: (Packetizer, Vec<u8>),
    pmt: (Packetizer, Vec<u8>),
}

impl Tables {
    /// Tables of a program with these streams, as a PMT describes them.
    pub(super) fn new(clock_pid: u16, streams: &[u8]) -> Self {
        let [high, low] = PMT_PID.to_be_bytes();
        let pat = section(0, &[0, 1, high | 0xe0, low]);
        let [high, low] = clock_pid.to_be_bytes();
        let head = [high | 0xe0, low, 0xf0, 0];
        let pmt = section(2, &[&head[..], streams].concat());
        Self {
            pat: (Packetizer::new(0), pat),
            pmt: (Packetizer::new(PMT_PID), pmt),
        }
    }

    pub(super) fn write(&mut self, to: &mut Vec<u8>) {
        for (packets, section) in [&mut self.pat, &mut self.pmt] {
            let mut rest = &section[..];
            while !rest.is_empty() {
                // Behind a table, packets are filled up.
                let mut payload = rest[..rest.len().min(ROOM)].to_vec();
                let used = payload.len();
                payload.resize(ROOM, 0xff);
                packets.packet(rest.len() == section.len(), &[], &payload, to);
                rest = &rest[used..];
            }
        }
    }
}

/// A section of program 1, with a pointer in front of it.
fn section(table: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 9).unwrap_or(0);
    let [high, low] = length.to_be_bytes();
    let mut section = vec![table, high | 0xb0, low, 0, 1, 0xc1, 0, 0];
    section.extend_from_slice(body);
    let checksum = mpegts_crc::sum32(&section);
    section.extend_from_slice(&checksum.to_be_bytes());
    section.insert(0, 0);
    section
}

const PMT_PID: u16 = 0x1000;

/// Bytes of a packet behind its head.
const ROOM: usize = 184;
