mod damage;

use super::*;
use crate::codec::Media;
use crate::fmp4::{FragmentSample, InitTrack, Sample, write_fragment, write_init};
use crate::payload::Payload;
use crate::timeline::Scale;

const SCALE: u32 = 48_000;

fn opus_entry() -> Bytes {
    let mut entry = b"\0\0\0\x37Opus".to_vec();
    entry.extend([0; 28]);
    entry.extend(b"\0\0\0\x13dOps\0\x02\x01\x38\0\0\xbb\x80\0\0\0");
    entry.into()
}

/// An initialization segment with these track ids.
fn init(ids: &[u32]) -> Vec<u8> {
    let media = Media::Audio {
        sample_rate: SCALE,
        channels: 2,
    };
    let scale = Scale::new(SCALE).unwrap();
    let tracks: Vec<_> = ids
        .iter()
        .map(|id| InitTrack::new(*id, scale, media, opus_entry()))
        .collect();
    write_init(&tracks).unwrap().to_vec()
}

/// A fragment of three samples of 20 ms.
fn fragment(track: u32, start: u64) -> Vec<u8> {
    let samples = [*b"one", *b"two", *b"six"].map(|text| {
        let payload = Payload::from(Bytes::copy_from_slice(&text));
        FragmentSample::new(960, 0, true, payload)
    });
    write_fragment(1, track, start, &samples).unwrap().to_vec()
}

/// All events of an input that is cut into pieces of `size`, as text, and how it ended.
fn events(input: &[u8], size: usize) -> (Vec<String>, Option<DemuxError>) {
    let mut demuxer = Demuxer::default();
    let mut told = Vec::new();
    for chunk in input.chunks(size) {
        demuxer.push(Bytes::copy_from_slice(chunk));
        if let Err(error) = drain(&mut demuxer, &mut told) {
            return (told, Some(error));
        }
    }
    demuxer.finish();
    let end = drain(&mut demuxer, &mut told).err();
    (told, end)
}

fn drain(demuxer: &mut Demuxer, told: &mut Vec<String>) -> Result<(), DemuxError> {
    while let Some(event) = demuxer.next()? {
        told.push(match event {
            Event::Init(init) => format!("init {}", init.tracks.len()),
            Event::Sample(sample) => tell(&sample),
            Event::Broken { error, tracks } => format!("broken {tracks:?}: {error}"),
            other => format!("{other:?}"),
        });
    }
    Ok(())
}

fn tell(sample: &Sample) -> String {
    let Sample { track, dts, .. } = sample;
    let text = sample.payload.to_bytes();
    format!("{track}@{dts} {}", text.escape_ascii())
}

fn told(input: &[u8]) -> Vec<String> {
    let (told, end) = events(input, usize::MAX);
    assert!(end.is_none(), "{end:?}");
    told
}

#[test]
fn samples_come_with_times_and_bytes() {
    let input = [init(&[1]), fragment(1, 48_000)].concat();
    let expected = [
        "init 1",
        "1@48000 one",
        "1@48960 two",
        "1@49920 six",
        "FragmentEnd",
    ];
    assert_eq!(told(&input), expected);
}

#[test]
fn input_may_be_cut_anywhere() {
    let boxes = b"\0\0\0\x0cstyp\0\0\0\0\0\0\0\x08free".to_vec();
    let input = [
        init(&[1, 2]),
        fragment(1, 0),
        boxes,
        fragment(2, 0),
        fragment(9, 0),
        fragment(1, 0),
        init(&[1]),
        fragment(1, 5),
    ];
    let input = input.concat();
    let whole = told(&input);
    assert!(
        whole.contains(&"Note(UnknownTrack(9))".to_owned()),
        "{whole:?}"
    );
    for size in 1..200 {
        assert_eq!(events(&input, size).0, whole, "pieces of {size}");
    }
}

#[test]
fn tracks_of_one_fragment_are_merged_by_time() {
    let (first, second) = (moof_of(&fragment(1, 0)), moof_of(&fragment(2, 480)));
    let mut moof = [&first[..], &second[MOOF_HEAD..]].concat();
    let size = moof.len() as u32;
    moof[..4].copy_from_slice(&size.to_be_bytes());
    // The offsets count from the moof; the second track's data is behind the first's.
    let is_trun = |at: &usize| moof[*at..*at + 4] == *b"trun";
    let truns: Vec<usize> = (0..moof.len() - 4).filter(is_trun).collect();
    for (at, before) in truns.into_iter().zip([0, 9]) {
        moof[at + 12..at + 16].copy_from_slice(&(size + 8 + before).to_be_bytes());
    }
    let mdat = b"\0\0\0\x1amdatonetwosixonetwosix".to_vec();
    let told = told(&[init(&[1, 2]), moof, mdat].concat());
    let expected = [
        "1@0 one",
        "2@480 one",
        "1@960 two",
        "2@1440 two",
        "1@1920 six",
        "2@2400 six",
    ];
    assert_eq!(told[1..7], expected);
}

fn moof_of(fragment: &[u8]) -> Vec<u8> {
    let size = u32::from_be_bytes(fragment[..4].try_into().unwrap());
    fragment[..size as usize].to_vec()
}

/// The heads of `moof` and `mfhd`.
const MOOF_HEAD: usize = 24;

#[test]
fn repeated_init_is_ignored_and_another_breaks_the_time() {
    let input = [
        init(&[1]),
        fragment(1, 0),
        init(&[1]),
        fragment(1, 2_880),
        init(&[1, 2]),
    ]
    .concat();
    let told = told(&input);
    assert_eq!(told[4..6], ["FragmentEnd", "1@2880 one"]);
    assert_eq!(told[told.len() - 2..], ["Discontinuity(NewInit)", "init 2"]);
}

#[test]
fn restarted_encoder_breaks_the_time_once() {
    let run = [fragment(1, 960_000), fragment(2, 960_000)].concat();
    let restarted = [fragment(1, 0), fragment(2, 0)].concat();
    let told = told(&[init(&[1, 2]), run, restarted].concat());
    let breaks: Vec<_> = told
        .iter()
        .filter(|event| event.starts_with("Disc"))
        .collect();
    assert_eq!(breaks, ["Discontinuity(Back { track: 1 })"]);
}

#[test]
fn skipped_boxes_are_not_held() {
    let mut demuxer = Demuxer::default();
    demuxer.push(Bytes::from_static(b"\0\0\0\x01free\0\0\0\x10\0\0\0\0"));
    for _ in 0..100 {
        demuxer.push(Bytes::from(vec![0; 1 << 16]));
        assert!(demuxer.next().unwrap().is_none());
        assert_eq!(demuxer.rope.len(), 0);
    }
}
