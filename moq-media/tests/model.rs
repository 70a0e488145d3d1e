//! Import and export through the model: what readers of a broadcast get.

use std::time::Duration;

use bytes::Bytes;
use moq_media::catalog::{self, CatalogReader};
use moq_media::container::legacy;
use moq_media::fmp4::{Demuxer, Event};
use moq_media::{Export, ExportConfig, ExportError, Import, ImportConfig, ImportError};
use moq_model::{
    BroadcastConsumer, BroadcastProducer, GroupRead, Start, Subscription, Track, TrackProducer,
    TrackRead,
};
use tokio::time::Instant;

/// An import that was given `input`, and its broadcast.
fn imported(input: impl Into<Bytes>) -> (Import, BroadcastConsumer) {
    let broadcast = BroadcastProducer::new();
    let consumer = broadcast.consume();
    let mut import = Import::new(broadcast, ImportConfig::default()).expect("it is empty");
    import
        .push(input, Duration::ZERO)
        .expect("the input is good");
    (import, consumer)
}

fn from_the_start() -> ExportConfig {
    let mut config = ExportConfig::default();
    config.start = Start::OLDEST;
    // The input comes all at once, so that its groups are old when they are read.
    config.max_age = Duration::MAX;
    config.patience = Duration::MAX;
    config
}

async fn written(export: &mut Export) -> Result<Bytes, ExportError> {
    let mut file = Vec::new();
    while let Some(bytes) = export.next().await? {
        file.extend_from_slice(&bytes);
    }
    Ok(file.into())
}

/// Decode times and payloads.
fn samples(file: Bytes) -> Vec<(i64, Bytes)> {
    let mut demuxer = Demuxer::default();
    demuxer.push(file);
    let mut samples = Vec::new();
    while let Some(event) = demuxer.next().expect("the file is good") {
        if let Event::Sample(sample) = event {
            samples.push((sample.dts, sample.payload.to_bytes()));
        }
    }
    samples
}

#[tokio::test(start_paused = true)]
async fn what_goes_in_comes_out() {
    let (mut import, consumer) = imported(moq_media::doc::audio());
    import.publish(Duration::MAX).unwrap();
    let mut export = Export::open(&consumer, from_the_start()).await.unwrap();
    import.finish().unwrap();
    let file = written(&mut export).await.unwrap();
    let micros = |(dts, payload): (i64, Bytes)| (dts * 1_000_000 / 48_000, payload);
    let expected: Vec<_> = samples(moq_media::doc::audio())
        .into_iter()
        .map(micros)
        .collect();
    assert_eq!(expected.len(), 50);
    assert_eq!(samples(file), expected);
    assert!(export.next_notice().is_none());
}

#[tokio::test(start_paused = true)]
async fn tracks_have_the_priorities_and_scales_that_players_expect() {
    let (mut import, consumer) = imported(moq_media::doc::audio());
    import.publish(Duration::MAX).unwrap();
    for (name, priority, scale) in [("catalog.json", 100, 1_000), ("audio0", 80, 1_000_000)] {
        let info = consumer.track(name).unwrap().info().await.unwrap();
        assert_eq!(
            (info.priority, info.timescale.units()),
            (priority, scale),
            "{name}"
        );
        assert_eq!(info.max_age, Duration::from_secs(30));
    }
    let track = consumer.track("audio0").unwrap();
    let from_oldest = Subscription::default().with_start(Start::OLDEST);
    let mut reader = track.subscribe(from_oldest).ordered();
    for at in 0..50 {
        let Some(TrackRead::Frame { group, frame, .. }) = reader.next().await.unwrap() else {
            panic!("frame {at} is there");
        };
        assert_eq!(
            (group, frame.timestamp),
            (at / 25, at * 20_000),
            "half a second a group"
        );
    }
    import.finish().unwrap();
}

#[tokio::test(start_paused = true)]
async fn file_is_published_as_its_time_comes() {
    let (mut import, consumer) = imported(moq_media::doc::audio());
    import.publish(Duration::from_millis(90)).unwrap();
    assert_eq!(import.next_due(), Some(Duration::from_millis(100)));
    let track = consumer.track("audio0").unwrap();
    let mut groups = track.subscribe(Subscription::default());
    let mut group = groups.next_group().await.unwrap().unwrap();
    for _ in 0..5 {
        assert!(matches!(group.next().await, GroupRead::Frame(_)));
    }
    let next = tokio::time::timeout(Duration::from_secs(1), group.next()).await;
    assert!(next.is_err(), "the sixth frame is not due");
}

#[tokio::test(start_paused = true)]
async fn cut_input_ends_its_tracks_well_and_says_where() {
    let whole = moq_media::doc::audio();
    let (mut import, consumer) = imported(whole.slice(..whole.len() - 1));
    import.publish(Duration::MAX).unwrap();
    let mut export = Export::open(&consumer, from_the_start()).await.unwrap();
    let error = import.finish().unwrap_err();
    let expected = format!("input ends inside box mdat, at byte {}", whole.len() - 1);
    assert_eq!(error.to_string(), expected);
    let file = written(&mut export).await.unwrap();
    assert_eq!(samples(file).len(), 49);
}

#[tokio::test(start_paused = true)]
async fn export_waits_for_a_catalog_that_names_something() {
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new(catalog::TRACK)).unwrap();
    let say = |json: &str| {
        let mut group = track.append().unwrap();
        group.append(json.to_owned()).unwrap();
        group.finish();
    };
    say("{}");
    let audio = broadcast.create(Track::new("a")).unwrap();
    let consumer = broadcast.consume();
    let export = tokio::spawn(async move { Export::open(&consumer, from_the_start()).await });
    tokio::task::yield_now().await;
    say(
        r#"{"audio":{"renditions":{"a":{"codec":"opus","sampleRate":48000,"numberOfChannels":2},
        "b":{"codec":"opus","sampleRate":48000}}}}"#,
    );
    let mut export = export.await.unwrap().unwrap();
    let notice = export.next_notice().unwrap().to_string();
    assert!(
        notice.contains("audio.renditions.b.numberOfChannels"),
        "{notice}"
    );
    audio.finish();
    assert_eq!(export.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn changed_configuration_ends_the_export_with_its_name() {
    let (mut import, consumer) = imported(moq_media::doc::audio());
    import.publish(Duration::MAX).unwrap();
    let catalog = consumer.track(catalog::TRACK).unwrap();
    let mut groups = catalog.subscribe(Subscription::default());
    let mut group = groups.next_group().await.unwrap().unwrap();
    let GroupRead::Frame(frame) = group.next().await else {
        panic!("the catalog has a document");
    };
    let reading = CatalogReader::default().snapshot(&frame.payload).unwrap();

    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new(catalog::TRACK)).unwrap();
    let _audio = broadcast.create(Track::new("audio0")).unwrap();
    let mut changed = reading.catalog.clone();
    for catalog in [&reading.catalog, &changed.clone()] {
        let mut group = track.append().unwrap();
        group.append(catalog.to_json()).unwrap();
        group.finish();
    }
    let mut export = Export::open(&broadcast.consume(), from_the_start())
        .await
        .unwrap();
    changed.audio.get_mut("audio0").unwrap().channels = 1;
    let mut group = track.append().unwrap();
    group.append(changed.to_json()).unwrap();
    group.finish();
    let error = export.next().await.unwrap_err().to_string();
    assert!(
        error.starts_with("rendition audio0 changed its configuration"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn broadcast_without_a_catalog_says_so() {
    let broadcast = BroadcastProducer::new();
    let error = Export::open(&broadcast.consume(), ExportConfig::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "broadcast has no track catalog.json");
}

#[test]
fn second_import_into_one_broadcast_is_refused() {
    let broadcast = BroadcastProducer::new();
    let _first = Import::new(broadcast.clone(), ImportConfig::default()).unwrap();
    let second = Import::new(broadcast, ImportConfig::default());
    assert!(matches!(second, Err(ImportError::Publish(_))));
}

/// A broadcast with a catalog and a track of Opus that has group 0, and an export of it.
async fn opened(config: ExportConfig) -> (BroadcastProducer, TrackProducer, Export) {
    let broadcast = BroadcastProducer::new();
    let catalog = broadcast
        .create(Track::new(catalog::TRACK))
        .expect("it is empty");
    let audio = broadcast
        .create(Track::new("a"))
        .expect("it is the only one");
    let json = r#"{"audio":{"renditions":{"a":{"codec":"opus","sampleRate":48000,"numberOfChannels":2}}}}"#;
    let mut group = catalog.append().expect("the track lives");
    group.append(json).expect("the group lives");
    group.finish();
    let export = Export::open(&broadcast.consume(), config)
        .await
        .expect("the catalog names a rendition");
    say(&audio, 0, 0, b"frame");
    (broadcast, audio, export)
}

/// A group of one frame, with its time in milliseconds.
fn say(track: &TrackProducer, sequence: u64, time: u64, payload: &'static [u8]) {
    let frame =
        legacy::encode(time * 1_000, &Bytes::from_static(payload).into()).expect("it is early");
    let mut group = track.create(sequence).expect("the sequence is new");
    group.append_at(time, frame).expect("the group has room");
    group.finish();
}

#[tokio::test(start_paused = true)]
async fn gap_is_waited_for_as_long_as_the_patience_and_reported_with_its_cause() {
    for patience in [Duration::ZERO, Duration::from_secs(7)] {
        let mut config = from_the_start();
        config.patience = patience;
        let (_broadcast, audio, mut export) = opened(config).await;
        say(&audio, 3, 60, b"frame");
        let before = Instant::now();
        let notice = loop {
            export.next().await.unwrap().expect("the track goes on");
            if let Some(notice) = export.next_notice() {
                break notice.to_string();
            }
        };
        assert_eq!(before.elapsed(), patience);
        assert_eq!(notice, "a: groups 1 to 2 are missing: it never came");
    }
}

#[tokio::test(start_paused = true)]
async fn export_that_waits_for_a_group_does_not_hold_up_its_input() {
    static LARGE: [u8; 17 << 20] = [0; 17 << 20];
    let (_broadcast, audio, mut export) = opened(from_the_start()).await;
    let read = tokio::spawn(async move { written(&mut export).await });
    say(&audio, 2, 40, b"frame");
    say(&audio, 3, 60, &LARGE);
    tokio::task::yield_now().await;
    let before = Instant::now();
    audio.ready().await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(!read.is_finished(), "group 1 may still come");
}
