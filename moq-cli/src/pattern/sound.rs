//! The tone.

use std::f32::consts::TAU;

use anyhow::Context as _;
use bytes::Bytes;
use opus_pure::{Application, OpusEncoder};

/// Samples per second.
pub(super) const RATE: u32 = 48_000;

/// Samples of a packet: 20 ms.
pub(super) const PACKET: u32 = 960;

/// Encodes silence, and a tone in the first tenth of each second.
#[derive(Debug)]
pub(super) struct Beeper {
    encoder: OpusEncoder,
    packets: u64,
}

impl Beeper {
    pub(super) fn new() -> anyhow::Result<Self> {
        let rate = i32::try_from(RATE).unwrap_or(i32::MAX);
        let mut encoder = OpusEncoder::new(rate, 1, Application::Audio)
            .context("cannot make an encoder of Opus")?;
        encoder.bitrate_bps = BITS_PER_SECOND;
        Ok(Self {
            encoder,
            packets: 0,
        })
    }

    /// How late the decoded sound is, in samples.
    pub(super) fn delay(&self) -> u16 {
        u16::try_from(self.encoder.lookahead()).unwrap_or(u16::MAX)
    }

    /// The next packet. The sound is encoded ahead by the delay, so that it is in time once decoded.
    pub(super) fn packet(&mut self) -> anyhow::Result<Bytes> {
        let start = self.packets * u64::from(PACKET) + u64::from(self.delay());
        self.packets += 1;
        let samples: Vec<f32> = (start..start + u64::from(PACKET)).map(tone).collect();
        let mut packet = vec![0; opus_pure::MAX_PACKET_BYTES];
        let length = self
            .encoder
            .encode(&samples, PACKET as usize, &mut packet)
            .context("cannot encode the sound")?;
        packet.truncate(length);
        Ok(packet.into())
    }
}

/// The sound of a moment, counted in samples.
fn tone(at: u64) -> f32 {
    let place = at % u64::from(RATE);
    if place >= u64::from(RATE / 10) {
        return 0.0;
    }
    // The figure is below 4 800, which is exact.
    let seconds = place as f32 / RATE as f32;
    LOUDNESS * (TAU * HERTZ * seconds).sin()
}

const HERTZ: f32 = 1_000.0;

const LOUDNESS: f32 = 0.4;

const BITS_PER_SECOND: i32 = 48_000;

#[cfg(test)]
mod tests {
    use opus_pure::OpusDecoder;

    use super::*;

    #[test]
    fn tone_begins_with_each_second() {
        let mut beeper = Beeper::new().unwrap();
        let mut decoder = OpusDecoder::new(48_000, 1).unwrap();
        let mut sound = Vec::new();
        for _ in 0..110 {
            let packet = beeper.packet().unwrap();
            let mut samples = vec![0.0; PACKET as usize];
            decoder
                .decode(&packet, PACKET as usize, &mut samples)
                .unwrap();
            sound.extend(samples);
        }
        let loud = |range: std::ops::Range<usize>| sound[range].iter().any(|s| s.abs() > 0.2);
        for second in [1, 2] {
            let start = second * 48_000;
            // An encoder smears a little of it ahead, far below the tone.
            assert!(!loud(start - 20_000..start - 24), "before {second} s");
            assert!(loud(start..start + 48), "from {second} s on");
            assert!(!loud(start + 5_800..(start + 40_000).min(sound.len())));
        }
    }
}
