//! The moving picture.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_media::Payload;
use moq_media::codec::h264::{self, Avcc};
use moq_media::codec::nal;
use rusty_h264_encoder::{Encoder, EncoderConfig};

use super::picture::{HEIGHT, Painter, WIDTH};

/// Pictures per second, and from one key frame to the next.
pub(super) const PER_SECOND: u32 = 25;

/// Encodes the pictures.
pub(super) struct Camera {
    encoder: Encoder,
    painter: Painter,
    /// The time of day when the pattern begins.
    clock: Duration,
    pictures: u64,
}

/// An encoded picture.
#[derive(Debug)]
pub(super) struct Shot {
    pub(super) is_key: bool,
    /// With lengths, as in MP4.
    pub(super) sample: Payload,
    /// What a decoder has to be told, of a key frame.
    pub(super) record: Option<Avcc>,
}

impl Camera {
    pub(super) fn new(clock: Duration) -> anyhow::Result<Self> {
        let mut config = EncoderConfig::baseline(WIDTH, HEIGHT);
        config.level_idc = LEVEL;
        config.gop_size = PER_SECOND;
        config.min_keyint = PER_SECOND;
        config.framerate = 25.0;
        config.aq_strength = 0.0;
        let encoder = Encoder::new(config).context("cannot make an encoder of H.264")?;
        Ok(Self {
            encoder,
            painter: Painter::new(),
            clock,
            pictures: 0,
        })
    }

    /// The next picture.
    pub(super) fn shoot(&mut self) -> anyhow::Result<Shot> {
        let (number, per_second) = (self.pictures, u64::from(PER_SECOND));
        self.pictures += 1;
        let millis = number % per_second * 1_000 / per_second;
        let at = Duration::from_secs(number / per_second) + Duration::from_millis(millis);
        let picture = self.painter.paint(at, self.clock + at, number);
        if number % per_second == 0 {
            self.encoder.request_keyframe();
        }
        let stream = self.encoder.try_encode(&picture);
        let units = nal::with_start_codes(&stream.context("cannot encode the picture")?.into());
        let record = Avcc::of_parameter_sets(&units);
        let mut sample = Vec::new();
        let mut is_key = false;
        let is_set = |unit: &Bytes| matches!(h264::unit_type(unit), SPS | PPS);
        for unit in units.iter().filter(|unit| !is_set(unit)) {
            is_key |= h264::unit_type(unit) == IDR;
            let length = u32::try_from(unit.len()).context("a picture is too large")?;
            sample.extend_from_slice(&length.to_be_bytes());
            sample.extend_from_slice(unit);
        }
        let sample = Bytes::from(sample).into();
        Ok(Shot {
            is_key,
            sample,
            record,
        })
    }
}

const IDR: u8 = 5;

const SPS: u8 = 7;

const PPS: u8 = 8;

/// Level 1.3, the least that has the size at this rate.
const LEVEL: u8 = 13;
