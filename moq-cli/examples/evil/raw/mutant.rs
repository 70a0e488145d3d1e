//! Packets made wrong.

use anyhow::Context as _;
use rustls::Side;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{Keys, Version};

/// Random numbers that are the same each time.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    /// A number below this one.
    fn below(&mut self, end: usize) -> usize {
        (self.next() as usize) % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

/// The packet with a few bytes changed, most of them in its header, or cut off, or longer.
pub(super) fn flipped(mut packet: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    for _ in 0..=dice.below(4) {
        let within = match dice.below(3) {
            0 => packet.len(),
            _ => packet.len().min(HEADER),
        };
        let (at, byte) = (dice.below(within), dice.byte());
        if let Some(changed) = packet.get_mut(at) {
            *changed = byte;
        }
    }
    match dice.below(8) {
        0 => packet.truncate(dice.below(packet.len())),
        1 => packet.extend(dice.bytes(40)),
        _ => {}
    }
    packet
}

/// A packet of which only the frames are wrong: its keys are those of its connection id.
pub(super) fn crafted(dice: &mut Dice) -> anyhow::Result<Vec<u8>> {
    let id = dice.bytes(8);
    let suite = TLS13_AES_128_GCM_SHA256
        .tls13()
        .and_then(|suite| suite.quic_suite());
    let suite = suite.context("the suite is not for QUIC")?;
    let keys = Keys::initial(Version::V1, suite.suite, suite.quic, &id, Side::Client);
    let mut payload = frames(dice);
    payload.resize(payload.len().max(SIZE), 0);
    let length = payload.len() + NUMBER + keys.local.packet.tag_len();
    let mut header = vec![0xc0 | (NUMBER as u8 - 1), 0, 0, 0, 1, id.len() as u8];
    header.extend_from_slice(&id);
    // No id of its own, no token, a length in two bytes, the number of the packet.
    header.extend_from_slice(&[0, 0, 0x40 | (length >> 8) as u8, length as u8]);
    let at = header.len();
    header.extend_from_slice(&[0; NUMBER]);
    let tag = keys.local.packet.encrypt_in_place(0, &header, &mut payload);
    payload.extend_from_slice(tag.context("encrypting a packet")?.as_ref());
    let mut packet = [header, payload].concat();
    let (before, sample) = packet.split_at_mut(at + SAMPLE);
    let (first, number) = before.split_at_mut(at);
    let header = &keys.local.header;
    let sample = &sample[..header.sample_len()];
    let number = &mut number[..NUMBER];
    header
        .encrypt_in_place(sample, &mut first[0], number)
        .context("encrypting a header")?;
    Ok(packet)
}

/// Frames that make no sense, many of them of the handshake.
fn frames(dice: &mut Dice) -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..=dice.below(6) {
        match dice.below(4) {
            // CRYPTO with any offset and length, and bytes of any number.
            0 | 1 => {
                let (offset, size) = (dice.byte(), dice.byte() & 0x3f);
                frames.extend_from_slice(&[6, offset, size]);
                let size = usize::from(size) + dice.below(2);
                frames.extend(dice.bytes(size));
            }
            // ACK of what was not sent.
            2 => frames.extend_from_slice(&[2, dice.byte() & 0x3f, 0, dice.byte(), dice.byte()]),
            _ => {
                let size = dice.below(60);
                frames.extend(dice.bytes(size));
            }
        }
    }
    frames
}

/// Where most of what is read before decryption lies.
const HEADER: usize = 30;
/// The bytes of a packet's number.
const NUMBER: usize = 2;
/// Where the sample for the header's protection begins, counted from the packet's number.
const SAMPLE: usize = 4;
/// The size of the frames of a first packet, at least.
const SIZE: usize = 1_180;
