//! Readers of different speed on one track of a relay: nobody is slowed for a slower one.

mod common;

use std::time::Duration;

use common::for_each_version;
use common::stage::{FRAME, FRAMES, STEP, Stage, dropped, fast, slow};
use moq_session::{GroupRead, Subscription};
use tokio::time::{Instant, sleep};

// spec: Section 6.4, "a slow reader"
#[test]
fn a_fast_a_slow_and_a_stalled_viewer_get_what_they_can_take() {
    for_each_version(|version| async move {
        let stage = Stage::new(version, 64 << 20).await;
        let origin = stage.origin.clone();
        let (quick, _a) = stage.viewer().await;
        let (lazy, _b) = stage.viewer().await;
        let (_peer, mut stream, session) = stage.stalled().await;
        let (groups, (whole, lost), longest) =
            tokio::join!(fast(quick), slow(lazy), stage.write(150, STEP));
        assert_eq!(groups, 150, "the fast one gets everything");
        assert_eq!(longest, Duration::ZERO, "the publisher never waits");
        assert_eq!(whole + lost, 150, "the slow one is told what it lost");
        assert!((40..100).contains(&whole), "{whole}");
        if version.features().drop_type.is_some() {
            let dropped = dropped(&mut stream, 80).await;
            assert!(dropped >= 80, "the stalled one is told too");
        }
        assert!(session.is_open());
        assert!(origin.budget().used() <= origin.budget().limit());
    });
}

#[test]
fn a_publisher_whose_only_viewer_is_stalled_waits_two_seconds_at_most() {
    for_each_version(|version| async move {
        let stage = Stage::new(version, 64 << 20).await;
        let origin = stage.origin.clone();
        let (_peer, _stream, session) = stage.stalled().await;
        let before = Instant::now();
        let longest = stage.write(300, Duration::ZERO).await;
        assert!(longest <= Duration::from_millis(2_100), "{longest:?}");
        assert!(
            before.elapsed() < Duration::from_secs(120),
            "{:?}",
            before.elapsed()
        );
        assert!(
            origin.budget().used() <= 40 << 20,
            "{}",
            origin.budget().used()
        );
        assert!(session.is_open());
    });
}

#[test]
fn the_budget_holds_and_the_newest_goes_on() {
    for_each_version(|version| async move {
        let budget = 4 << 20;
        let stage = Stage::new(version, budget).await;
        let origin = stage.origin.clone();
        let (quick, _a) = stage.viewer().await;
        let (_peer, _stream, _session) = stage.stalled().await;
        let watch = async {
            let mut highest = 0;
            for _ in 0..300 {
                sleep(STEP / 3).await;
                highest = highest.max(origin.budget().used());
            }
            highest
        };
        let (groups, _, highest) = tokio::join!(fast(quick), stage.write(100, STEP), watch);
        assert_eq!(groups, 100);
        assert!(highest > budget / 2, "{highest}");
        assert!(highest <= budget + (FRAMES * FRAME) as u64 * 2, "{highest}");
    });
}

#[test]
fn a_reader_that_never_reads_costs_nobody_anything() {
    for_each_version(|version| async move {
        let stage = Stage::new(version, 64 << 20).await;
        let (quick, _a) = stage.viewer().await;
        let (idle, _b) = stage.viewer().await;
        let mut idle = idle.subscribe(Subscription::default());
        let (groups, longest) = tokio::join!(fast(quick), stage.write(150, STEP));
        assert_eq!((groups, longest), (150, Duration::ZERO));
        let mut group = idle.next_group().await.unwrap().unwrap();
        assert!(matches!(
            group.next().await,
            GroupRead::Frame(_) | GroupRead::End(_)
        ));
    });
}
