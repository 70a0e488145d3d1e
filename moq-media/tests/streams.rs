//! Transport streams and H.264 with start codes, as ffmpeg writes them.

use bytes::Bytes;
use moq_media::fmp4::{DemuxError, Event, Sample};
use moq_media::{annexb, ts};

/// Ten pictures with B-frames and a group for five of them, and AAC in 44.1 kHz.
const H264_AAC: &[u8] = include_bytes!("corpus/ts/h264-aac");

/// H.265 and Opus.
const H265_OPUS: &[u8] = include_bytes!("corpus/ts/h265-opus");

/// The pictures of the first.
const H264: &[u8] = include_bytes!("corpus/annexb/b-frames");

#[test]
fn streams_of_a_program_are_described_and_timed() {
    let (codecs, samples, notes) = read_ts(&H264_AAC[1..]);
    assert_eq!(codecs, ["avc3.64000a", "mp4a.40.2"]);
    assert!(notes.is_empty(), "{notes:?}");
    let (video, audio) = tracks(&samples);
    let keys = video.iter().map(|sample| sample.is_key);
    let keys: Vec<_> = keys.enumerate().filter(|(_, is_key)| *is_key).collect();
    assert_eq!(keys, [(0, true), (5, true)]);
    let lasts = video.iter().all(|sample| sample.duration == 3_600);
    assert!(lasts, "25 pictures a second");
    assert!(
        video
            .windows(2)
            .all(|pair| pair[1].dts - pair[0].dts == 3_600)
    );
    let shown: Vec<_> = sorted(video.iter().map(|sample| sample.pts - video[0].pts));
    assert_eq!(shown, (0..10).map(|n| n * 3_600).collect::<Vec<_>>());
    let ends = audio.windows(2).map(|pair| {
        let end = pair[0].dts + i64::from(pair[0].duration);
        (end - pair[1].dts).abs()
    });
    assert!(ends.max() <= Some(1), "packets follow each other");
}

#[test]
fn h265_and_opus_are_read() {
    let (codecs, samples, notes) = read_ts(&H265_OPUS[1..]);
    assert!(codecs[0].starts_with("hev1.1.6.L"), "{codecs:?}");
    assert_eq!(codecs[1], "opus");
    assert!(notes.is_empty(), "{notes:?}");
    let (_, audio) = tracks(&samples);
    assert!(audio.iter().all(|sample| sample.duration == 1_800));
    let gaps = audio.windows(2).map(|pair| pair[1].dts - pair[0].dts);
    assert!(gaps.into_iter().all(|gap| gap == 1_800), "20 ms each");
}

#[test]
fn pictures_without_times_are_shown_in_the_same_order() {
    let (_, samples, _) = read_ts(&H264_AAC[1..]);
    let (timed, _) = tracks(&samples);
    let mut demuxer = annexb::Demuxer::default();
    demuxer.push(Bytes::from_static(&H264[1..]));
    demuxer.finish();
    let (codecs, counted, notes) = read(|| demuxer.next());
    assert_eq!(
        (codecs, notes),
        (vec!["avc3.64000a".to_owned()], Vec::new())
    );
    assert_eq!(counted.len(), timed.len());
    // 25 pictures a second, by the stream's own scale.
    let tick = counted[0].duration;
    for (counted, timed) in counted.iter().zip(&timed) {
        let reorder = (timed.pts - timed.dts) / 3_600;
        assert_eq!((counted.pts - counted.dts) / i64::from(tick), reorder);
        assert_eq!(counted.is_key, timed.is_key);
    }
}

#[test]
fn packet_without_a_time_follows_the_one_before() {
    let (_, whole, _) = read_ts(&H264_AAC[1..]);
    let mut input = H264_AAC[1..].to_vec();
    let starts = input.chunks_mut(188).filter(|packet| {
        let is_audio = packet[1] & 0x1f == 1 && packet[2] == 1;
        is_audio && packet[1] & 0x40 != 0
    });
    let mut untimed = 0;
    for packet in starts.skip(1) {
        let has_field = packet[3] & 0x20 != 0;
        let pes = if has_field {
            5 + usize::from(packet[4])
        } else {
            4
        };
        // The flags of the times; what was a time becomes stuffing.
        packet[pes + 7] &= 0x3f;
        untimed += 1;
    }
    assert!(untimed > 0);
    let (_, samples, notes) = read_ts(&input);
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(samples.len(), whole.len());
    for (ours, theirs) in tracks(&samples).1.iter().zip(&tracks(&whole).1) {
        assert!(
            (ours.dts - theirs.dts).abs() <= 2,
            "{ours:?} for {theirs:?}"
        );
    }
}

#[test]
fn lost_packet_costs_one_sample_and_is_told_with_its_place() {
    let (_, whole, _) = read_ts(&H264_AAC[1..]);
    let packets = H264_AAC[1..].chunks(188);
    let goes_on = |packet: &[u8]| packet[1] & 0x5f == 0x01 && packet[2] == 0;
    let pictures = packets.clone().enumerate();
    let mut pictures = pictures.filter(|(_, packet)| goes_on(packet));
    let (lost, _) = pictures.next_back().expect("a picture of two packets");
    let rest = packets.enumerate().filter(|(at, _)| *at != lost);
    let rest: Vec<u8> = rest.flat_map(|(_, packet)| packet.to_vec()).collect();
    let (_, samples, notes) = read_ts(&rest);
    assert_eq!(samples.len() + 1, whole.len());
    let [note] = &notes[..] else {
        panic!("{notes:?}");
    };
    assert!(note.starts_with("track 256 at byte "), "{note}");
    assert!(
        note.contains("packets are missing: expected number "),
        "{note}"
    );
}

#[test]
fn other_program_is_told_and_loses_nothing() {
    let both = [&H264_AAC[1..], &H265_OPUS[1..]].concat();
    let (codecs, samples, _) = read_ts(&both);
    assert_eq!(codecs.len(), 4);
    let whole = |input| read_ts(input).1.len();
    assert_eq!(
        samples.len(),
        whole(&H264_AAC[1..]) + whole(&H265_OPUS[1..])
    );
}

#[test]
fn cut_stream_keeps_what_is_whole() {
    let (_, samples, notes) = read_ts(&H264_AAC[1..H264_AAC.len() - 100]);
    assert!(!samples.is_empty());
    assert!(
        notes
            .last()
            .unwrap()
            .ends_with("input ends inside a packet")
    );
}

#[test]
fn other_input_is_refused_with_advice() {
    let fail = |input: &[u8]| {
        let mut demuxer = ts::Demuxer::default();
        demuxer.push(Bytes::copy_from_slice(input));
        demuxer.finish();
        loop {
            match demuxer.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it is no transport stream"),
                Err(error) => return error.to_string(),
            }
        }
    };
    assert!(fail(&H264[1..]).contains("`-f mpegts`"));
    let null = [&[0x47, 0x1f, 0xff, 0x10][..], &[0xff; 184]].concat();
    assert!(fail(&null.repeat(9)).contains("no PAT and PMT was found"));
    let mut demuxer = annexb::Demuxer::default();
    demuxer.push(Bytes::from_static(&H264_AAC[1..]));
    let error = demuxer.next().unwrap_err().to_string();
    assert!(error.contains("byte 0; ffmpeg writes it with"), "{error}");
}

fn read_ts(input: &[u8]) -> (Vec<String>, Vec<Sample>, Vec<String>) {
    let mut demuxer = ts::Demuxer::default();
    demuxer.push(Bytes::copy_from_slice(input));
    demuxer.finish();
    read(|| demuxer.next())
}

/// The codecs that were told, the samples, and what was damaged.
fn read(
    mut next: impl FnMut() -> Result<Option<Event>, DemuxError>,
) -> (Vec<String>, Vec<Sample>, Vec<String>) {
    let (mut codecs, mut samples, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(event) = next().expect("it can be read") {
        match event {
            Event::Init(init) => {
                let found = init.tracks.iter();
                codecs.extend(found.map(|track| track.entry.config.codec.clone()));
            }
            Event::Sample(sample) => samples.push(sample),
            Event::Damaged(error) => notes.push(error.to_string()),
            _ => {}
        }
    }
    (codecs, samples, notes)
}

fn tracks(samples: &[Sample]) -> (Vec<Sample>, Vec<Sample>) {
    let samples = samples.iter().cloned();
    samples.partition(|sample| sample.track == 256)
}

fn sorted(times: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times
}
