//! How many instructions a relay in memory takes to deliver groups to viewers.
//!
//! `cargo xtask bench micro` runs this, and compares it with what was counted before.

#![expect(
    missing_docs,
    reason = "the macros that declare benchmarks write no docs"
)]

use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group, main};
use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    BroadcastProducer, Config, GroupRead, OriginProducer, Publication, Session, Start,
    Subscription, Track, TrackProducer, TrackReader, Version,
};
use tokio::runtime::Runtime;

const VERSION: Version = Version::Lite06;
/// Groups that are delivered while instructions are counted.
const GROUPS: usize = 10;
const FRAMES: usize = 4;
/// Groups that a relay holds, where many are.
const HELD: usize = 10_000;

/// A relay with publishers, each of which has viewers, all in one thread.
struct Stage {
    runtime: Runtime,
    channels: Vec<Channel>,
    payload: Bytes,
    origin: OriginProducer,
    sessions: Vec<(Session, Session)>,
    stuck: Option<Stuck>,
}

/// A viewer that gets no group.
struct Stuck {
    _reader: TrackReader,
    _connection: MemoryConnection,
    _sessions: (Session, Session),
}

struct Channel {
    track: TrackProducer,
    readers: Vec<TrackReader>,
    _broadcast: BroadcastProducer,
    _publication: Publication,
}

/// The stage, past its first groups.
fn stage(publishers: usize, viewers: usize, frame: usize) -> Stage {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let origin = OriginProducer::new();
    let (mut channels, mut sessions) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for number in 0..publishers {
            let path = format!("room/{number}");
            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("data")).expect("a new track");
            let publisher = join(&origin).await;
            let publication = publisher.0.publish(&path, broadcast.consume());
            let mut readers = Vec::new();
            for _ in 0..viewers {
                let viewer = join(&origin).await;
                let track = viewer.0.track(&path, "data").expect("a path");
                readers.push(track.subscribe(Subscription::default()));
                sessions.push(viewer);
            }
            sessions.push(publisher);
            channels.push(Channel {
                track,
                readers,
                _broadcast: broadcast,
                _publication: publication.expect("a path"),
            });
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    });
    let mut stage = Stage {
        runtime,
        channels,
        payload: vec![7; frame].into(),
        origin,
        sessions,
        stuck: None,
    };
    deliver(&mut stage);
    stage
}

async fn join(origin: &OriginProducer) -> (Session, Session) {
    join_over(memory_pair(VERSION), origin).await
}

async fn join_over(
    (client, server): (MemoryConnection, MemoryConnection),
    origin: &OriginProducer,
) -> (Session, Session) {
    let config = Config::default().with_versions([VERSION]);
    let (client, server) = tokio::join!(
        Session::connect_with(client, config),
        testing::accept(server, origin)
    );
    (client.expect("a session"), server.expect("a session"))
}

fn deliver(stage: &mut Stage) {
    let (channels, payload) = (&mut stage.channels, &stage.payload);
    stage.runtime.block_on(async {
        for _ in 0..GROUPS {
            for channel in &mut *channels {
                let mut group = channel.track.append().expect("a group");
                for _ in 0..FRAMES {
                    group.append(payload.clone()).expect("a frame");
                }
                group.finish();
            }
            for reader in channels.iter_mut().flat_map(|channel| &mut channel.readers) {
                read(reader).await;
            }
        }
    });
}

async fn read(reader: &mut TrackReader) {
    let group = reader.next_group().await.expect("a track");
    let mut group = group.expect("a group");
    while let GroupRead::Frame(_) = group.next().await {}
}

#[library_benchmark]
#[bench::viewers_1(stage(1, 1, 64))]
#[bench::viewers_16(stage(1, 16, 64))]
#[bench::viewers_64(stage(1, 64, 64))]
#[bench::viewers_256(stage(1, 256, 64))]
#[bench::publishers_16(stage(16, 1, 64))]
#[bench::bytes_1200(stage(1, 16, 1_200))]
#[bench::bytes_4096(stage(1, 16, 4_096))]
#[bench::bytes_40000(stage(1, 16, 40_000))]
fn relayed(mut stage: Stage) -> Stage {
    deliver(&mut stage);
    stage
}

/// A relay that holds many groups, of which a viewer got none if one `is_stuck`: it allows no streams. 64
/// others get all that come.
fn beside(is_stuck: bool) -> Stage {
    let mut stage = stage(1, 1, 64);
    let origin = stage.origin.clone();
    stage.stuck = is_stuck.then(|| stage.runtime.block_on(stick(&origin)));
    for _ in 0..HELD / GROUPS {
        deliver(&mut stage);
    }
    let mut others = Vec::new();
    stage.runtime.block_on(async {
        for _ in 1..64 {
            let viewer = join(&origin).await;
            let track = viewer.0.track("room/0", "data").expect("a path");
            others.push(track.subscribe(Subscription::default()));
            stage.sessions.push(viewer);
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        for reader in &mut others {
            // The newest one that is held.
            read(reader).await;
        }
    });
    stage.channels[0].readers.extend(others);
    deliver(&mut stage);
    stage
}

/// A viewer that subscribes to all groups, and allows no stream from then on.
async fn stick(origin: &OriginProducer) -> Stuck {
    let pair = memory_pair(VERSION);
    let connection = pair.0.clone();
    let sessions = join_over(pair, origin).await;
    let track = sessions.0.track("room/0", "data").expect("a path");
    // SETUP had a stream of its own.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    connection.allow_uni(0);
    let all = Subscription::default().with_start(Start::OLDEST);
    let stuck = Stuck {
        _reader: track.subscribe(all),
        _connection: connection,
        _sessions: sessions,
    };
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    stuck
}

// One that is stuck makes hardly a difference, which `cargo xtask bench micro` checks.
#[library_benchmark]
#[bench::stuck_0(beside(false))]
#[bench::stuck_1(beside(true))]
fn relayed_beside(mut stage: Stage) -> Stage {
    deliver(&mut stage);
    stage
}

library_benchmark_group!(name = viewers, benchmarks = [relayed, relayed_beside]);

main!(library_benchmark_groups = viewers);
