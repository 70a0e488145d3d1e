//! A publisher that dies or hangs while another one has the same broadcast.

mod options;
mod scene;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use self::options::Options;
use self::scene::{Scene, Watcher};
use super::build;
use super::ends::{Publisher, Subscriber};
use crate::interop::{Link, Shaper};
use crate::process::signal;
use crate::workspace::Workspace;

/// Others have to have taken over within this time.
const LIMIT: Duration = Duration::from_secs(2);

/// Runs the drill over each scheme.
pub(super) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let program = build(workspace)?;
    for scheme in &options.schemes {
        let name = format!("moq-takeover-{}-{scheme}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).context("making a directory for logs")?;
        let mut scene = Scene::new(&program, scheme, &options.version, &dir)?;
        let drilled = match options.loss {
            Some(time) => lossy(&mut scene, time),
            None => drill(&mut scene, options.rounds),
        };
        drilled.with_context(|| format!("logs are in {}", dir.display()))?;
        drop(scene);
        std::fs::remove_dir_all(&dir).context("removing the logs")?;
    }
    Ok(())
}

fn drill(scene: &mut Scene<'_>, rounds: usize) -> anyhow::Result<()> {
    for is_standing_by in [true, false] {
        let kind = if is_standing_by {
            "a second one beside it"
        } else {
            "a second one afterwards"
        };
        let mut worst = Duration::ZERO;
        for round in 1..=rounds {
            let other = match (is_standing_by, round % 2) {
                (true, 1) => Other::Before,
                (true, _) => Other::Beside,
                (false, _) => Other::Afterwards,
            };
            let after = killed(scene, other);
            let after = after.with_context(|| format!("{kind}, kill {round}"))?;
            worst = worst.max(after);
        }
        eprintln!(
            "{}: publisher killed, {kind}: {rounds} of {rounds} within 2 s, at most {:.2} s",
            scene.scheme,
            worst.as_secs_f64()
        );
    }
    for _ in 0..rounds.min(3) {
        frozen(scene).context("a publisher that is stopped")?;
    }
    eprintln!("{}: publisher stopped for 2 s: it came back", scene.scheme);
    Ok(())
}

/// When the second publisher starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// Before the first one, which is preferred for being newer.
    Before,
    /// After it, so that only who reads already is with the first one.
    Beside,
    /// After the first one was killed.
    Afterwards,
}

/// Kills a publisher; says how long its subscriber had no data then.
fn killed(scene: &mut Scene<'_>, other: Other) -> anyhow::Result<Duration> {
    scene.begin();
    let watcher = Watcher::start(scene)?;
    let start = |when: Other| match when == other {
        true => scene.publisher("second").map(Some),
        false => Ok(None),
    };
    let before = start(Other::Before)?;
    if before.is_some() {
        scene.plain()?.wait("second", scene.soon())?;
    }
    let first = scene.publisher("first")?;
    watcher.settle(before.is_some(), scene.soon())?;
    let mut staying = scene.subscriber()?;
    let mut plain = scene.plain()?;
    staying.wait("first", 5, scene.soon())?;
    plain.wait("first", scene.soon())?;
    let beside = start(Other::Beside)?;
    if beside.is_some() {
        watcher.told(scene.soon())?;
    }
    first.kill()?;
    let killed = Instant::now();
    let afterwards = start(Other::Afterwards)?;
    let at = staying.wait("second", 0, killed + LIMIT)?;
    plain.ended(killed + LIMIT)?;
    if other != Other::Beside {
        watcher.told(killed + LIMIT)?;
    }
    for second in [before, beside, afterwards].into_iter().flatten() {
        second.kill()?;
    }
    Ok(at.saturating_duration_since(killed))
}

/// Stops a publisher for a while, whose subscribers go on with another one meanwhile.
fn frozen(scene: &mut Scene<'_>) -> anyhow::Result<()> {
    scene.begin();
    let second = scene.publisher("second")?;
    // Who stands by is there first, because the newest of equals is preferred.
    scene.plain()?.wait("second", scene.soon())?;
    let first = scene.publisher("first")?;
    let mut staying = scene.led_to("first")?;
    signal(&first.id, "STOP")?;
    let stopped = Instant::now();
    let moved = staying.wait("second", 0, stopped + LIMIT);
    std::thread::sleep((stopped + LIMIT).saturating_duration_since(Instant::now()));
    signal(&first.id, "CONT")?;
    moved?;
    let mut again = scene.led_to("first")?;
    let from = first.written();
    again.wait("first", from, scene.soon())?;
    staying.wait("second", second.written(), scene.soon())?;
    first.kill()?;
    second.kill()?;
    Ok(())
}

/// Publishes live data over a link with losses, beside a second publisher.
fn lossy(scene: &mut Scene<'_>, time: Duration) -> anyhow::Result<()> {
    scene.begin();
    let link = Link {
        rate: 10_000_000,
        delay: Duration::from_millis(10),
        loss: 500,
        seed: 7,
    };
    let shaper = Shaper::start(scene.port(), link)?;
    let first = scene.publisher_over(&format!("first-{}", "x".repeat(2_000)), shaper.port())?;
    let mut subscriber = scene.subscriber()?;
    let life = format!("first-{}", "x".repeat(2_000));
    subscriber.wait(&life, 5, scene.soon())?;
    let second = scene.publisher("second")?;
    let end = Instant::now() + time;
    let mut last = Instant::now();
    let mut longest = Duration::ZERO;
    while last < end {
        let at = subscriber.wait(&life, 0, last + Duration::from_secs(10))?;
        longest = longest.max(at.saturating_duration_since(last));
        last = at;
    }
    let demotions = scene.demotions()?;
    eprintln!(
        "{}: {} lines over a link with 5 % loss, longest pause {:.2} s, {demotions} demotions",
        scene.scheme,
        first.written(),
        longest.as_secs_f64()
    );
    ensure!(demotions == 0, "a publisher that was there gave way");
    first.kill()?;
    second.kill()?;
    Ok(())
}
