//! What a viewer costs that gives no stream credit.

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

/// A viewer that subscribes to all groups, and from then on allows no stream.
struct Stuck {
    _reader: TrackReader,
    _connection: MemoryConnection,
    _sessions: (Session, Session),
}

async fn stuck(version: Version, origin: &OriginProducer) -> Stuck {
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
    connection.allow_uni(0);
    let track = sessions.0.track("room", "data").unwrap();
    let wanted = Subscription::default().with_start(Start::OLDEST);
    Stuck {
        _reader: track.subscribe(wanted),
        _connection: connection,
        _sessions: sessions,
    }
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
fn a_viewer_without_credit_holds_few_bytes() {
    Version::ALL.iter().copied().for_each(holds_few_bytes);
}

fn holds_few_bytes(version: Version) {
    let runtime = runtime();
    let origin = OriginProducer::new();
    let budget = Budget::new(64 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("data")).unwrap();
    let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
    let (stuck, _sessions) = runtime.block_on(async {
        let stuck = stuck(version, &origin).await;
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
    println!("{version}: {freed} B go with the viewer");
    assert!((1..=64 << 10).contains(&freed), "{version}: {freed}");
}
