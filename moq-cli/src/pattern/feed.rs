//! Picture and sound as one fragmented MP4.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_media::Payload;
use moq_media::codec::opus::OpusConfig;
use moq_media::codec::{Config, Media};
use moq_media::fmp4::{FragmentSample, InitTrack, write_entry, write_fragment, write_init};
use moq_media::timeline::Scale;

use super::picture::{HEIGHT, WIDTH};
use super::sound::{self, Beeper};
use super::video::{self, Camera, Shot};

/// Makes the pattern: first the description of the tracks, then picture for picture and packet for
/// packet in the order of their times, for as long as it was asked for.
pub(crate) struct Pattern {
    camera: Camera,
    beeper: Beeper,
    /// Where it ends, in samples of the sound.
    end: Option<u64>,
    has_begun: bool,
    /// The first picture is there when the tracks are described.
    first: Option<Shot>,
    pictures: u64,
    packets: u64,
    fragments: u32,
}

impl Pattern {
    /// A pattern that ends after `duration`, if given. `clock` is the time of day when it begins.
    ///
    /// # Errors
    /// If an encoder can't be made.
    pub(crate) fn new(duration: Option<Duration>, clock: Duration) -> anyhow::Result<Self> {
        let samples = |duration: Duration| {
            let samples = duration.as_millis() * u128::from(sound::RATE) / 1_000;
            u64::try_from(samples).unwrap_or(u64::MAX)
        };
        Ok(Self {
            camera: Camera::new(clock)?,
            beeper: Beeper::new()?,
            end: duration.map(samples),
            has_begun: false,
            first: None,
            pictures: 0,
            packets: 0,
            fragments: 0,
        })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// If something can't be encoded.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        if !self.has_begun {
            self.has_begun = true;
            return self.begin().map(Some);
        }
        let shown = self.pictures * u64::from(PICTURE);
        let heard = self.packets * u64::from(sound::PACKET);
        if self.end.is_some_and(|end| shown.min(heard) >= end) {
            return Ok(None);
        }
        if shown <= heard {
            let shot = self.first.take().map_or_else(|| self.camera.shoot(), Ok)?;
            self.pictures += 1;
            self.fragment(VIDEO, shown, PICTURE, shot.is_key, shot.sample)
        } else {
            let packet = self.beeper.packet()?;
            self.packets += 1;
            self.fragment(AUDIO, heard, sound::PACKET, true, packet.into())
        }
        .map(Some)
    }

    fn begin(&mut self) -> anyhow::Result<Bytes> {
        let shot = self.camera.shoot()?;
        let record = shot.record.as_ref();
        let record = record.context("the encoder of H.264 gave no parameter sets")?;
        let (width, height) = (WIDTH as u32, HEIGHT as u32);
        let media = Media::Video { width, height };
        let video = Config::new(record.codec_string("avc1"), Some(record.write()), media);
        let mut opus = OpusConfig::new(1);
        opus.pre_skip = self.beeper.delay();
        let (sample_rate, channels) = (sound::RATE, 1);
        let media = Media::Audio {
            sample_rate,
            channels,
        };
        let audio = Config::new("opus".to_owned(), Some(opus.write_head()), media);
        self.first = Some(shot);
        let scale = Scale::new(sound::RATE).context("the sound has no rate")?;
        let tracks = [(VIDEO, &video), (AUDIO, &audio)].map(|(id, config)| {
            let entry = write_entry(config)?;
            Ok(InitTrack::new(id, scale, config.media, entry))
        });
        let tracks: anyhow::Result<Vec<InitTrack>> = tracks.into_iter().collect();
        write_init(&tracks?).context("cannot describe the pattern")
    }

    fn fragment(
        &mut self,
        track: u32,
        start: u64,
        duration: u32,
        is_key: bool,
        payload: Payload,
    ) -> anyhow::Result<Bytes> {
        self.fragments = self.fragments.wrapping_add(1);
        let sample = FragmentSample::new(duration, 0, is_key, payload);
        let fragment = write_fragment(self.fragments, track, start, &[sample]);
        fragment.context("cannot write the pattern")
    }
}

const VIDEO: u32 = 1;

const AUDIO: u32 = 2;

/// How long a picture is shown, in samples of the sound.
const PICTURE: u32 = sound::RATE / video::PER_SECOND;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use moq_media::fmp4::{Demuxer, Event, Limits};

    use super::*;

    /// Key frames and samples of each track, and the times of its first and last sample.
    type Found = BTreeMap<u32, (u64, u64, i64, i64)>;

    fn read(mut pattern: Pattern) -> (Vec<String>, Found) {
        let mut demuxer = Demuxer::new(Limits::default());
        let (mut codecs, mut found) = (Vec::new(), Found::new());
        while let Some(bytes) = pattern.next().unwrap() {
            demuxer.push(bytes);
            while let Some(event) = demuxer.next().unwrap() {
                match event {
                    Event::Init(init) => {
                        let tracks = init.tracks.iter();
                        codecs.extend(tracks.map(|track| track.entry.config.codec.clone()));
                    }
                    Event::Sample(sample) => {
                        let of_track = found.entry(sample.track);
                        let (keys, samples, _, last) = of_track.or_insert((0, 0, sample.pts, 0));
                        *keys += u64::from(sample.is_key);
                        *samples += 1;
                        *last = sample.pts;
                    }
                    Event::FragmentEnd => {}
                    other => panic!("a pattern has no {other:?}"),
                }
            }
        }
        (codecs, found)
    }

    #[test]
    fn pattern_is_a_file_of_both_tracks() {
        let duration = Some(Duration::from_secs(2));
        let (codecs, found) = read(Pattern::new(duration, Duration::ZERO).unwrap());
        assert_eq!(codecs, ["avc1.42400d", "opus"]);
        assert_eq!(found[&VIDEO], (2, 50, 0, 49 * i64::from(PICTURE)));
        assert_eq!(found[&AUDIO], (100, 100, 0, 99 * i64::from(sound::PACKET)));
    }
}
