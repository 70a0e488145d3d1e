//! What sessions, subscribers, broadcasts and groups cost in memory.

use std::time::Duration;

use anyhow::Context as _;
use quinn::VarInt;
use tokio::time::{Instant, sleep};

use super::driver::Session;
use super::metric::What;
use super::programs::Stage;
use super::subject::Subject;
use super::subscriber::SharedTally;
use super::window::Plan;
use super::workload::{Load, Workload};
use super::{lite, publisher, subscriber};

/// How many of everything.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    sessions: u64,
    subscribers: u64,
    broadcasts: u64,
    tracks: u64,
    groups: u64,
}

/// Measures the relays in turn, each figure in a fresh process.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let sizes = if session.options.is_quick {
        QUICK
    } else {
        FULL
    };
    let relays = session.relays();
    for round in 0..session.options.rounds {
        for subject in session.order(round, &relays) {
            for (what, value) in figures(session, subject, sizes)? {
                eprintln!("   {subject:8} {} {value:.0} {}", what.id, what.unit);
                session.report.add(what, round, subject, value);
            }
        }
    }
    Ok(())
}

fn figures(session: &Session, subject: Subject, sizes: Sizes) -> anyhow::Result<[(What, f64); 6]> {
    let programs = &session.programs;
    let idle = programs.with(subject, async |stage| idle(stage, sizes.sessions).await)?;
    let (active, left) = programs.with(subject, async |stage| {
        subscribers(stage, sizes.subscribers).await
    })?;
    let announced = programs.with(subject, async |stage| {
        announced(stage, sizes.broadcasts).await
    })?;
    let cached = programs.with(subject, async |stage| cached(stage, sizes.tracks).await)?;
    let ingested = programs.with(subject, async |stage| ingested(stage, sizes.groups).await)?;
    Ok([
        (
            What::new("m1", "memory per idle session", "B").with_gate(0.35),
            idle,
        ),
        (
            What::new("m2", "memory per subscriber of w4", "B").with_gate(0.35),
            active,
        ),
        (
            What::new("m3", "memory per announced broadcast", "B").with_gate(0.2),
            announced,
        ),
        (
            What::new("m4", "memory per viewed track with one cached group", "B").with_gate(0.3),
            cached,
        ),
        (
            What::new("m6", "memory kept per group that passed", "B").with_bound(20.0),
            ingested,
        ),
        (
            What::new("m7", "memory after all subscribers left, of before", "%").with_bound(110.0),
            left * 100.0,
        ),
    ])
}

/// Bytes per session that asks for nothing.
async fn idle(stage: &mut Stage, sessions: u64) -> anyhow::Result<f64> {
    let mut kept = Vec::new();
    for index in 0..WARM {
        kept.push(stage.dialer.idle(index).await?);
    }
    let before = stage.settled().await?;
    for index in 0..sessions {
        kept.push(stage.dialer.idle(index).await?);
    }
    let after = stage.settled().await?;
    Ok((after - before) / sessions as f64)
}

/// Bytes per subscriber of a light load, and what is left of all memory once they are gone.
async fn subscribers(stage: &mut Stage, subscribers: u64) -> anyhow::Result<(f64, f64)> {
    let light = Workload::find("w4").context("w4 is a workload")?.load;
    let seconds = 60;
    let plan = Plan::new(Load { seconds, ..light });
    let tally = SharedTally::default();
    let mut feed = stage.dialer.publisher(0..1).await?;
    let few = stage.dialer.subscribers(0..WARM, &plan, &tally).await?;
    let id = feed.subscribed().await?;
    let publish = publisher::publish(
        feed.connection.clone(),
        (0, id),
        plan.clone(),
        Instant::now(),
    );
    let publishing = tokio::spawn(publish);
    // The cache is full after as long as groups are kept.
    sleep(lite::MAX_AGE).await;
    let before = stage.settled().await?;
    let many = stage
        .dialer
        .subscribers(0..subscribers, &plan, &tally)
        .await?;
    let with = stage.settled().await?;
    for connection in &many {
        connection.close(VarInt::from_u32(0), b"");
    }
    sleep(LEAVING).await;
    let after = stage.settled().await?;
    publishing.abort();
    drop((few, feed));
    Ok(((with - before) / subscribers as f64, after / before))
}

/// Bytes per broadcast that is announced.
async fn announced(stage: &mut Stage, broadcasts: u64) -> anyhow::Result<f64> {
    let few = stage.dialer.publisher(0..broadcasts / 10).await?;
    let before = stage.settled().await?;
    let many = stage.dialer.publisher(broadcasts..broadcasts * 2).await?;
    let after = stage.settled().await?;
    drop((few, many));
    Ok((after - before) / broadcasts as f64)
}

/// Bytes per track that somebody views, with one small group in the cache.
async fn cached(stage: &mut Stage, tracks: u64) -> anyhow::Result<f64> {
    let tally = SharedTally::default();
    let plan = Plan::new(ONE_FRAME_GROUPS);
    let mut ends = Vec::new();
    for index in 0..tracks / TRACKS_EACH {
        let mine = index * TRACKS_EACH..(index + 1) * TRACKS_EACH;
        let feed = stage.dialer.publisher(mine.clone()).await?;
        let viewer = stage.dialer.idle(index).await?;
        tokio::spawn(subscriber::receive(
            viewer.clone(),
            plan.clone(),
            tally.clone(),
        ));
        ends.push((feed, viewer, mine));
    }
    let before = stage.settled().await?;
    let mut streams = Vec::new();
    for (feed, viewer, mine) in &mut ends {
        for (id, broadcast) in (0..).zip(mine.clone()) {
            streams.push(subscriber::follow(viewer, id, broadcast).await?);
            let subscribed = feed.subscribed().await?;
            publisher::send_group(&feed.connection, subscribed, 0).await?;
        }
    }
    let after = stage.settled().await?;
    Ok((after - before) / streams.len() as f64)
}

/// Bytes that stay of each group, once it has passed.
async fn ingested(stage: &mut Stage, groups: u64) -> anyhow::Result<f64> {
    let (plan, tally) = (Plan::new(ONE_FRAME_GROUPS), SharedTally::default());
    let mut feed = stage.dialer.publisher(0..1).await?;
    let subscriber = stage.dialer.subscribers(0..1, &plan, &tally).await?;
    let id = feed.subscribed().await?;
    let mut before = 0.0;
    for group in 0..groups {
        if group == groups / 4 {
            before = stage.settled().await?;
        }
        publisher::send_group(&feed.connection, id, group).await?;
    }
    let after = stage.settled().await?;
    drop(subscriber);
    Ok((after - before) / (groups - groups / 4) as f64)
}

impl Stage {
    /// Resident memory in bytes, once what was begun is done.
    async fn settled(&mut self) -> anyhow::Result<f64> {
        sleep(SETTLE).await;
        self.process.check_alive()?;
        Ok(self.process.rss_kib()? as f64 * 1024.0)
    }
}

const FULL: Sizes = Sizes {
    sessions: 2_000,
    subscribers: 500,
    broadcasts: 4_000,
    tracks: 960,
    groups: 250_000,
};

const QUICK: Sizes = Sizes {
    sessions: 300,
    subscribers: 200,
    broadcasts: 1_000,
    tracks: 320,
    groups: 40_000,
};

/// A thousand groups per second of media time, so that only so many are kept.
const ONE_FRAME_GROUPS: Load = Load {
    publishers: 1,
    subscribers: 1,
    fps: 1000,
    frame_bytes: 100,
    group_frames: 1,
    seconds: 1,
};

/// As many as a session has streams for, without more credit.
const TRACKS_EACH: u64 = 32;

/// Sessions that are there before counting, so that what comes once is not counted.
const WARM: u64 = 20;

const SETTLE: Duration = Duration::from_millis(500);

/// How long a relay may take to let go of those who left: allocators often keep what is free for
/// ten seconds.
const LEAVING: Duration = Duration::from_secs(15);
