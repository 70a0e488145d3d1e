//! What it costs to deliver a group to each of many viewers.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::time::Duration;

use common::join;
use moq_session::{
    BroadcastProducer, Config, GroupEnd, GroupRead, OriginProducer, Start, Subscription, Track,
    TrackProducer, TrackReader, Version,
};

const VIEWERS: u64 = 64;
const GROUPS: u64 = 50;

#[test]
fn a_group_costs_each_viewer_few_allocations() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let origin = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data")).unwrap();
    let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());
    let (mut readers, mut sessions) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for _ in 0..VIEWERS {
            let pair = join(Version::Lite06, Config::default(), &origin).await;
            let wanted = Subscription::default().with_start(Start::Newest);
            readers.push(pair.0.track("room", "data").unwrap().subscribe(wanted));
            sessions.push(pair);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        deliver(&track, &mut readers, GROUPS).await;
    });
    let spent = allocation_counter::measure(|| {
        runtime.block_on(deliver(&track, &mut readers, GROUPS));
    });
    let each = spent.count_total / (VIEWERS * GROUPS);
    println!("{each} allocations for each viewer and group, both ends and the transport together");
    assert!(each <= 16, "{each}");
}

/// Writes groups of four frames, each of which all viewers read to its end.
async fn deliver(track: &TrackProducer, readers: &mut [TrackReader], groups: u64) {
    for _ in 0..groups {
        let mut group = track.append().unwrap();
        for _ in 0..4 {
            group.append(vec![7_u8; 64]).unwrap();
        }
        group.finish();
        for reader in &mut *readers {
            let mut group = reader.next_group().await.unwrap().unwrap();
            for _ in 0..4 {
                assert!(matches!(group.next().await, GroupRead::Frame(_)));
            }
            assert_eq!(group.next().await, GroupRead::End(GroupEnd::Finished));
        }
    }
}
