//! Fragmented MP4 without an encoder.

use bytes::Bytes;
use moq_media::codec::{Config, Media};
use moq_media::fmp4::{
    Demuxer, Event, FragmentSample, InitTrack, Sample, write_entry, write_fragment, write_init,
};
use moq_media::timeline::Scale;

/// Frames per second of the video.
const RATE: u32 = 25;

/// Two seconds of H.264, which decodes to nothing, and of Opus; a key frame each second, and
/// fragments of a second.
pub(crate) fn file() -> Vec<u8> {
    pieces().concat()
}

/// What [`file`] consists of: the initialization segment, then video and audio of a second in turns.
pub(crate) fn pieces() -> Vec<Vec<u8>> {
    let video = Config::new(
        "avc1.42c01e".to_owned(),
        Some(Bytes::from_static(AVCC)),
        Media::Video {
            width: 320,
            height: 240,
        },
    );
    let audio = Media::Audio {
        sample_rate: 48_000,
        channels: 2,
    };
    let audio = Config::new("opus".to_owned(), None, audio);
    let tracks = [(1, 12_800, &video), (2, 48_000, &audio)].map(|(id, scale, config)| {
        let entry = write_entry(config).unwrap();
        InitTrack::new(id, Scale::new(scale).unwrap(), config.media, entry)
    });
    let mut pieces = vec![write_init(&tracks).unwrap().to_vec()];
    for second in 0..2 {
        let pictures: Vec<_> = (0..RATE).map(picture).collect();
        let packets: Vec<_> = (0..50).map(|at| packet(second * 50 + at)).collect();
        for (id, scale, samples) in [(1, 12_800, pictures), (2, 48_000, packets)] {
            let start = u64::from(second) * scale;
            let fragment = write_fragment(second * 2 + id, id, start, &samples);
            pieces.push(fragment.unwrap().to_vec());
        }
    }
    pieces
}

fn picture(at: u32) -> FragmentSample {
    let is_key = at == 0;
    let unit = [0, 0, 0, 3, if is_key { 0x65 } else { 0x41 }, 9, at as u8];
    let payload = Bytes::copy_from_slice(&unit);
    FragmentSample::new(12_800 / RATE, 0, is_key, payload.into())
}

fn packet(at: u32) -> FragmentSample {
    let payload = Bytes::from(vec![0xfc, 0xff, at as u8]);
    FragmentSample::new(960, 0, true, payload.into())
}

/// The samples of a file, with when they are shown in microseconds, by track.
pub(crate) fn samples(file: &[u8]) -> [Vec<(i64, bool, Bytes)>; 2] {
    let mut demuxer = Demuxer::default();
    demuxer.push(Bytes::copy_from_slice(file));
    demuxer.finish();
    let (mut scales, mut tracks) = (Vec::new(), [Vec::new(), Vec::new()]);
    while let Some(event) = demuxer.next().unwrap() {
        match event {
            Event::Init(init) => scales = init.tracks.iter().map(|track| track.scale).collect(),
            Event::Sample(sample) => {
                let Sample {
                    track, pts, is_key, ..
                } = sample;
                let at = track as usize - 1;
                let shown = scales[at].micros(pts);
                tracks[at].push((shown, is_key, sample.payload.to_bytes()));
            }
            _ => {}
        }
    }
    tracks
}

/// Baseline, 320×240, no reordering.
const AVCC: &[u8] = &[
    1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 8, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x07, 0xe4, 1, 0, 4,
    0x68, 0xce, 0x3c, 0x80,
];
