//! What a viewer costs that gives no credit, for streams or for bytes on them.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::time::Duration;

use allocation_counter::measure;
use common::join;
use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    BroadcastProducer, Budget, Config, GroupRead, OriginProducer, Session, Start, Subscription,
    Track, TrackProducer, TrackReader, Version,
};
use tokio::runtime::{Builder, Runtime};

const GROUPS: u64 = 10_000;

/// What a viewer withholds.
#[derive(Debug, Clone, Copy)]
enum Withheld {
    /// It allows no stream.
    Streams,
    /// It allows all streams, and no byte on them.
    Bytes,
}

/// A viewer that subscribes to all groups, and from then on takes none.
struct Stuck {
    _reader: TrackReader,
    _connection: MemoryConnection,
    _sessions: (Session, Session),
}

async fn stuck(version: Version, origin: &OriginProducer, withheld: Withheld) -> Stuck {
    let (client, server) = memory_pair(version);
    let connection = client.clone();
    let config = Config::default().with_versions([version]);
    let sessions = tokio::join!(
        Session::connect_with(client, config),
        testing::accept(server, origin)
    );
    let sessions = (sessions.0.unwrap(), sessions.1.unwrap());
    // SETUP has a stream of its own.
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let Withheld::Streams = withheld {
        connection.allow_uni(0);
    }
    let track = sessions.0.track("room", "data").unwrap();
    let wanted = Subscription::default().with_start(Start::OLDEST);
    let reader = track.subscribe(wanted);
    if let Withheld::Bytes = withheld {
        // The request has its stream by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        connection.allow_uni(usize::MAX);
        connection.allow_bytes(0);
    }
    Stuck {
        _reader: reader,
        _connection: connection,
        _sessions: sessions,
    }
}

/// Fails where nothing comes in virtual time.
async fn within<F: Future>(next: F) -> F::Output {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, next).await.unwrap()
}

async fn read(reader: &mut TrackReader) {
    let mut group = reader.next_group().await.unwrap().unwrap();
    while let GroupRead::Frame(_) = group.next().await {}
}

/// Writes groups, each of which the reader reads to its end.
async fn deliver(track: &TrackProducer, reader: &mut TrackReader) {
    for _ in 0..GROUPS {
        let mut group = track.append().unwrap();
        group.append(vec![7_u8; 64]).unwrap();
        group.finish();
        read(reader).await;
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_viewer_without_streams_holds_few_bytes() {
    for version in Version::ALL {
        let held = held_by(*version, Withheld::Streams);
        assert!((1..=64 << 10).contains(&held), "{version}: {held}");
    }
}

#[test]
fn a_viewer_whose_streams_take_no_byte_holds_few_bytes() {
    for version in Version::ALL {
        let held = held_by(*version, Withheld::Bytes);
        // 64 streams, each with the room that it writes from.
        assert!((1..=256 << 10).contains(&held), "{version}: {held}");
    }
}

/// How many bytes a viewer holds after many groups that it does not take.
fn held_by(version: Version, withheld: Withheld) -> i64 {
    let runtime = runtime();
    let origin = OriginProducer::new();
    let budget = Budget::new(64 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("data")).unwrap();
    let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
    let (stuck, _sessions) = runtime.block_on(async {
        let stuck = stuck(version, &origin, withheld).await;
        let sessions = join(version, Config::default(), &origin).await;
        let consumer = sessions.0.track("room", "data").unwrap();
        let mut healthy = consumer.subscribe(Subscription::default());
        tokio::time::sleep(Duration::from_secs(1)).await;
        deliver(&track, &mut healthy).await;
        // What is left of the others' reading goes first.
        drop(healthy);
        tokio::time::sleep(Duration::from_secs(60)).await;
        (stuck, sessions)
    });
    let held = measure(|| {
        runtime.block_on(async {
            drop(stuck);
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
    });
    assert!(budget.used() > GROUPS * 64, "the groups stay in the cache");
    let freed = -held.bytes_current;
    println!("{version}, {withheld:?}: {freed} B go with the viewer");
    freed
}

#[test]
fn groups_that_wait_for_stalled_streams_arrive_once_those_go_on() {
    let groups = 500;
    for version in Version::ALL.iter().copied() {
        runtime().block_on(async {
            let origin = OriginProducer::new();
            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("data")).unwrap();
            let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
            for _ in 0..groups {
                let mut group = track.append().unwrap();
                group.append(vec![7_u8; 640]).unwrap();
                group.finish();
            }
            track.finish();
            // Every stream takes three bytes at a time.
            let stuck = stuck(version, &origin, Withheld::Streams).await;
            stuck._connection.allow_uni(usize::MAX);
            stuck._connection.allow_bytes(3);
            let mut reader = stuck._reader;
            let mut count = 0;
            while let Some(mut group) = within(reader.next_group()).await.unwrap() {
                let GroupRead::Frame(frame) = group.next().await else {
                    panic!("{version}: no frame");
                };
                assert_eq!(frame.payload.len(), 640);
                count += 1;
            }
            let expected = if version.features().subscribe_range {
                groups
            } else {
                1
            };
            assert_eq!(count, expected, "{version}");
        });
    }
}
