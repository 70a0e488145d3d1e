//! Codec strings and descriptions → sample entries.

use bytes::Bytes;

use super::boxes::Kind;
use super::entry::SampleEntry;
use super::mux::MuxError;
use super::write_init::Writer;
use crate::codec::aac::AudioConfig;
use crate::codec::av1::Av1Config;
use crate::codec::opus::OpusConfig;
use crate::codec::vp9::VpConfig;
use crate::codec::{CodecError, Config, Family, Media, flac};

/// Writes the box of `stsd` that describes a stream. The codec string names the box.
///
/// H.264 and H.265 need their configuration record as description. AAC without one counts as AAC-LC,
/// Opus without one as stereo or mono.
///
/// # Errors
/// [`CodecError`] when the codec is not known, or its record is missing or malformed.
pub fn write_entry(config: &Config) -> Result<Bytes, CodecError> {
    let unknown = || CodecError::String {
        expected: "one of H.264, H.265, AV1, VP8, VP9, AAC, Opus, FLAC, MP3",
        found: config.codec.clone(),
    };
    let family = Family::of(&config.codec).ok_or_else(unknown)?;
    let (kind, record_kind, record) = parts(family, config)?;
    let mut writer = Writer(Vec::new());
    let written = writer.nest(&kind, |entry| {
        match config.media {
            Media::Video { width, height } => entry.0.extend(video_head(width, height)),
            Media::Audio {
                sample_rate,
                channels,
            } => entry.0.extend(audio_head(sample_rate, channels)),
        }
        write_record(entry, &record_kind, &record)
    });
    written.map_err(|_| CodecError::Truncated {
        record: "sample entry",
        field: "size",
    })?;
    Ok(writer.0.into())
}

impl SampleEntry {
    /// The entry of a stream that came without one.
    ///
    /// # Errors
    /// As [`write_entry`].
    pub(crate) fn of_config(config: Config) -> Result<Self, CodecError> {
        let bytes = write_entry(&config)?;
        let kind = bytes.get(4..8).and_then(|kind| kind.try_into().ok());
        Ok(Self {
            kind: Kind(kind.unwrap_or_default()),
            bytes,
            config,
            nal_length_size: 4,
            is_made: true,
        })
    }
}

fn write_record(entry: &mut Writer, kind: &[u8; 4], record: &[u8]) -> Result<(), MuxError> {
    entry.nest(kind, |body| {
        body.0.extend_from_slice(record);
        Ok(())
    })
}

type Parts = ([u8; 4], [u8; 4], Bytes);

fn parts(family: Family, config: &Config) -> Result<Parts, CodecError> {
    let description = config.description.as_ref();
    let record = |record| {
        let field = "description";
        let missing = CodecError::Truncated { record, field };
        description.cloned().ok_or(missing)
    };
    let codec = config.codec.as_str();
    Ok(match family {
        Family::H264 if codec.starts_with("avc3") => (*b"avc3", *b"avcC", record("avcC")?),
        Family::H264 => (*b"avc1", *b"avcC", record("avcC")?),
        Family::H265 if codec.starts_with("hev1") => (*b"hev1", *b"hvcC", record("hvcC")?),
        Family::H265 => (*b"hvc1", *b"hvcC", record("hvcC")?),
        Family::Av1 => {
            let of_string = || Av1Config::of_codec_string(codec).map(|config| config.write());
            let record = description.map_or_else(of_string, |record| Ok(record.clone()))?;
            (*b"av01", *b"av1C", record)
        }
        Family::Vp8 | Family::Vp9 => {
            let name = if family == Family::Vp8 {
                *b"vp08"
            } else {
                *b"vp09"
            };
            (name, *b"vpcC", VpConfig::of_codec_string(codec)?.write())
        }
        Family::Aac => {
            let (sample_rate, channels) = shape(config.media);
            let made = || AudioConfig::low_complexity(sample_rate, channels);
            let specific = description.cloned().unwrap_or_else(made);
            (*b"mp4a", *b"esds", esds(MPEG4_AUDIO, &specific))
        }
        Family::Mp3 => (*b"mp4a", *b"esds", esds(MPEG1_AUDIO, &[])),
        Family::Opus => {
            let channels = u8::try_from(shape(config.media).1).unwrap_or(2);
            let made = || Ok(OpusConfig::new(channels));
            let opus = description.map_or_else(made, OpusConfig::read_head)?;
            (*b"Opus", *b"dOps", opus.write_dops())
        }
        Family::Flac => (*b"fLaC", *b"dfLa", flac::dfla(&record("FLAC header")?)?),
    })
}

fn shape(media: Media) -> (u32, u32) {
    match media {
        Media::Audio {
            sample_rate,
            channels,
        } => (sample_rate, channels),
        Media::Video { .. } => (48_000, 2),
    }
}

fn video_head(width: u32, height: u32) -> [u8; 78] {
    let mut head = [0; 78];
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX).to_be_bytes();
    head[7] = 1;
    head[24..26].copy_from_slice(&side(width));
    head[26..28].copy_from_slice(&side(height));
    // 72 dots per inch both ways, one frame per sample, 24 bits, no colour table.
    head[28..36].copy_from_slice(&[0, 0x48, 0, 0, 0, 0x48, 0, 0]);
    head[41] = 1;
    head[75] = 24;
    head[76..78].copy_from_slice(&[0xff, 0xff]);
    head
}

fn audio_head(sample_rate: u32, channels: u32) -> [u8; 28] {
    let mut head = [0; 28];
    let channels = u16::try_from(channels).unwrap_or(2);
    head[7] = 1;
    head[16..18].copy_from_slice(&channels.to_be_bytes());
    head[19] = 16;
    // Higher rates do not fit, and stand in the codec's own record.
    let rate = u16::try_from(sample_rate).unwrap_or(0);
    head[24..26].copy_from_slice(&rate.to_be_bytes());
    head
}

/// The body of an `esds`: an elementary stream with its decoder configuration.
fn esds(object_type: u8, specific: &[u8]) -> Bytes {
    let mut decoder = vec![object_type, AUDIO_STREAM];
    decoder.extend([0; 11]);
    if !specific.is_empty() {
        descriptor(&mut decoder, 5, specific);
    }
    let mut stream = vec![0, 0, 0];
    descriptor(&mut stream, 4, &decoder);
    descriptor(&mut stream, 6, &[2]);
    let mut body = vec![0; 4];
    descriptor(&mut body, 3, &stream);
    body.into()
}

/// A tag, a length of four bytes, a body.
fn descriptor(to: &mut Vec<u8>, tag: u8, body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(0);
    let seven = |shift: u32| u8::try_from(length >> shift & 0x7f).unwrap_or(0);
    to.extend([
        tag,
        seven(21) | 0x80,
        seven(14) | 0x80,
        seven(7) | 0x80,
        seven(0),
    ]);
    to.extend_from_slice(body);
}

const MPEG4_AUDIO: u8 = 0x40;

const MPEG1_AUDIO: u8 = 0x6b;

/// Stream type 5, audio, with its reserved bit.
const AUDIO_STREAM: u8 = 0x15;

#[cfg(test)]
mod tests {
    use super::super::{InitTrack, write_init};
    use super::*;
    use crate::codec::h264::Avcc;
    use crate::fmp4::Init;
    use crate::timeline::Scale;

    /// What comes back of a configuration that is written and read.
    fn back(config: &Config) -> Config {
        let entry = write_entry(config).unwrap();
        let scale = Scale::new(48_000).unwrap();
        let segment = write_init(&[InitTrack::new(1, scale, config.media, entry.clone())]).unwrap();
        let init = Init::read(&segment).unwrap();
        assert_eq!(init.skipped, []);
        assert_eq!(init.tracks[0].entry.bytes, entry);
        init.tracks[0].entry.config.clone()
    }

    fn audio(codec: &str, description: Option<&'static [u8]>) -> Config {
        let media = Media::Audio {
            sample_rate: 48_000,
            channels: 2,
        };
        Config::new(codec.to_owned(), description.map(Bytes::from_static), media)
    }

    fn video(codec: &str, description: Option<Bytes>) -> Config {
        let media = Media::Video {
            width: 640,
            height: 360,
        };
        Config::new(codec.to_owned(), description, media)
    }

    #[test]
    fn configurations_come_back() {
        let avcc = Avcc::of_parameter_sets(&[
            Bytes::from_static(&[0x67, 0x42, 0xc0, 0x1e]),
            Bytes::from_static(&[0x68, 1]),
        ]);
        let avcc = avcc.unwrap().write();
        for config in [
            audio("mp4a.40.2", Some(&[0x11, 0x90])),
            audio("opus", None),
            audio("mp3", None),
            video("avc1.42c01e", Some(avcc.clone())),
            video("avc3.42c01e", Some(avcc)),
            video("av01.0.04M.08", None),
            video("vp09.00.31.08", None),
            video("vp8", None),
        ] {
            assert_eq!(back(&config), config);
        }
    }

    #[test]
    fn aac_without_a_record_is_low_complexity() {
        let config = back(&audio("mp4a.40.2", None));
        assert_eq!(config.description.as_deref(), Some(&[0x11, 0x90][..]));
    }

    #[test]
    fn missing_record_and_unknown_codec_are_errors() {
        let error = write_entry(&video("avc1.42c01e", None)).unwrap_err();
        assert_eq!(error.to_string(), "avcC ends inside its description");
        let error = write_entry(&video("theora", None)).unwrap_err();
        assert!(error.to_string().contains("\"theora\""), "{error}");
    }
}
