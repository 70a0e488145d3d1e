//! Export of a broadcast that is lost and found again.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::time::Duration;

use bytes::Bytes;
use moq_media::catalog;
use moq_media::container::legacy;
use moq_media::fmp4::{Demuxer, Event};
use moq_media::{Export, ExportConfig, ExportError};
use moq_model::{Abort, BroadcastProducer, GroupProducer, Start, Track, TrackProducer};

/// A broadcast of one track of Opus.
struct Life {
    broadcast: BroadcastProducer,
    _catalog: TrackProducer,
    audio: TrackProducer,
}

impl Life {
    fn new() -> Self {
        let broadcast = BroadcastProducer::new();
        let catalog = broadcast.create(Track::new(catalog::TRACK)).unwrap();
        name(&catalog);
        let audio = broadcast.create(Track::new("a")).unwrap();
        Self {
            broadcast,
            _catalog: catalog,
            audio,
        }
    }

    /// Begins a group with frames at these times in milliseconds.
    fn group(&self, sequence: u64, times: &[u64]) -> GroupProducer {
        let mut group = self.audio.create(sequence).unwrap();
        for time in times {
            let payload = Bytes::from(time.to_be_bytes().to_vec());
            let frame = legacy::encode(time * 1_000, &payload.into()).unwrap();
            group.append_at(*time, frame).unwrap();
        }
        group
    }
}

/// Publishes a catalog that names `a`.
fn name(catalog: &TrackProducer) {
    let json = r#"{"audio":{"renditions":{"a":{"codec":"opus","sampleRate":48000,"numberOfChannels":2}}}}"#;
    let mut group = catalog.append().unwrap();
    group.append(json).unwrap();
    group.finish();
}

async fn opened(life: &Life) -> Export {
    let mut config = ExportConfig::default();
    config.start = Start::OLDEST;
    // Only sound is there, and is not waited for.
    config.video = moq_media::Choice::None;
    (config.max_age, config.patience) = (Duration::MAX, Duration::ZERO);
    Export::open(&life.broadcast.consume(), config)
        .await
        .unwrap()
}

/// Writes until the export ends, well or not.
async fn write(export: &mut Export, file: &mut Vec<u8>) -> Result<(), ExportError> {
    while let Some(bytes) = export.next().await? {
        file.extend_from_slice(&bytes);
    }
    Ok(())
}

/// An export that has written two groups from `time` on, in milliseconds, of which the second was cut off
/// by the end of a session.
async fn lost(time: u64) -> (Export, Vec<u8>) {
    let life = Life::new();
    life.group(0, &[time, time + 20]).finish();
    let open = life.group(1, &[time + 40]);
    let mut export = opened(&life).await;
    let mut file = Vec::new();
    for _ in 0..4 {
        file.extend(export.next().await.unwrap().unwrap());
    }
    open.abort(Abort::SessionClosed);
    life.audio.abort(Abort::SessionClosed);
    let ended = write(&mut export, &mut file).await;
    assert!(matches!(ended, Err(ExportError::Track { .. })), "{ended:?}");
    while export.next_notice().is_some() {}
    (export, file)
}

/// When the samples of a file are decoded in milliseconds, and when they were published.
fn times(file: Vec<u8>) -> Vec<(i64, u64)> {
    let mut demuxer = Demuxer::default();
    demuxer.push(file.into());
    let mut times = Vec::new();
    while let Some(event) = demuxer.next().unwrap() {
        if let Event::Sample(sample) = event {
            let payload: [u8; 8] = sample.payload.to_bytes()[..].try_into().unwrap();
            times.push((sample.dts / 1_000, u64::from_be_bytes(payload)));
        }
    }
    times
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_at_the_frame_that_was_next() {
    let (mut export, mut file) = lost(0).await;
    let life = Life::new();
    life.group(0, &[0, 20]).finish();
    life.group(1, &[40, 60]).finish();
    export
        .resume(&life.broadcast.consume(), true)
        .await
        .unwrap();
    life.audio.finish();
    write(&mut export, &mut file).await.unwrap();
    assert_eq!(times(file), [(0, 0), (20, 20), (40, 40), (60, 60)]);
    assert!(export.next_notice().is_none());
    let stats = export.stats().next().unwrap();
    assert_eq!((stats.samples, stats.groups, stats.skipped), (4, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn groups_that_are_gone_meanwhile_are_told() {
    let (mut export, mut file) = lost(0).await;
    let life = Life::new();
    life.group(3, &[120]).finish();
    export
        .resume(&life.broadcast.consume(), true)
        .await
        .unwrap();
    life.audio.finish();
    write(&mut export, &mut file).await.unwrap();
    let expected = [(0, 0), (20, 20), (40, 40), (120, 120)];
    assert_eq!(times(file), expected);
    let told = export.next_notice().unwrap().to_string();
    assert_eq!(told, "a: groups 1 to 2 are missing: it never came");
    assert_eq!(export.stats().next().unwrap().skipped, 2);
}

#[tokio::test(start_paused = true)]
async fn another_publisher_begins_anew_and_time_goes_on() {
    let (mut export, mut file) = lost(60_000).await;
    let life = Life::new();
    life.group(0, &[0, 20]).finish();
    export
        .resume(&life.broadcast.consume(), false)
        .await
        .unwrap();
    life.audio.finish();
    write(&mut export, &mut file).await.unwrap();
    let published: Vec<_> = times(file.clone()).into_iter().map(|time| time.1).collect();
    assert_eq!(published, [60_000, 60_020, 60_040, 0, 20]);
    let decoded: Vec<_> = times(file).into_iter().map(|time| time.0).collect();
    assert_eq!(decoded[..3], [0, 20, 40]);
    assert!((41..100).contains(&decoded[3]), "{decoded:?}");
    assert_eq!(decoded[4] - decoded[3], 20);
}

#[tokio::test(start_paused = true)]
async fn another_publisher_may_have_no_tracks_at_first() {
    let (mut export, mut file) = lost(0).await;
    let broadcast = BroadcastProducer::new();
    let catalog = broadcast.create(Track::new(catalog::TRACK)).unwrap();
    let consumer = broadcast.consume();
    // What was waited for in vain is still lost, and found by the next call.
    let waiting = export.resume(&consumer, false);
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    assert!(waited.is_err());
    let later = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let audio = broadcast.create(Track::new("a")).unwrap();
        name(&catalog);
        audio
    };
    let (resumed, audio) = tokio::join!(export.resume(&consumer, false), later);
    resumed.unwrap();
    let life = Life {
        broadcast,
        _catalog: catalog,
        audio,
    };
    life.group(0, &[80]).finish();
    life.audio.finish();
    write(&mut export, &mut file).await.unwrap();
    assert_eq!(times(file).last().map(|time| time.1), Some(80));
}
