//! One run of a plan, from its first event to rest.

use std::time::Duration;

use moq_model::platform::{clock, random};
use tokio::time::{sleep, sleep_until};

use crate::log::Log;
use crate::net::{FaultKind, Net, Planned, millis};
use crate::plan::{Plan, Timed, What};
use crate::rng::Rng;
use crate::tally::Tally;
use crate::world::{Phase, World};

/// How long readers may take to be near the live edge again.
const REGAIN: u64 = 30;
/// How long the end of a track may take to be known everywhere: each of five hops may wait half a
/// minute for groups that nobody says anything about.
const CLOSE: u64 = 180;
/// How long everything may take to be at rest.
const REST: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub violations: Vec<String>,
    pub hash: u64,
    pub events: u64,
    pub calls: u64,
    pub acted: Vec<(FaultKind, u64)>,
    pub tally: Tally,
    pub gauges: Vec<(String, u64)>,
}

/// How a plan is run.
#[derive(Debug, Default, Clone, Copy)]
pub struct How {
    /// A call that fails.
    pub planned: Option<Planned>,
    /// Each event is printed.
    pub is_verbose: bool,
    /// Each rule is enforced.
    pub is_strict: bool,
}

/// Runs a plan in virtual time.
pub fn run(plan: &Plan, how: How) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(
        &plan.seed.to_le_bytes(),
    ));
    let runtime = builder
        .build()
        .expect("a runtime without I/O needs nothing");
    runtime.block_on(async {
        random::seed(plan.seed);
        clock::set_unix(Duration::from_secs(1_700_000_000));
        let mut rng = Rng::new(plan.seed ^ 0x5151);
        let net = Net::new(&plan.links, rng.fork(), Log::new(how.is_verbose));
        let pump = tokio::spawn(net.clone().run());
        if let Some(planned) = how.planned {
            net.plan(planned);
        }
        let world = World::new(plan.clone(), net, how);
        let outcome = live(&world).await;
        pump.abort();
        outcome
    })
}

async fn live(world: &World) -> Outcome {
    for node in (0..world.plan.nodes()).rev() {
        world.start(node, 0);
    }
    faults(world).await;
    world.phase.send_replace(Phase::Calm);
    regain(world).await;
    world.phase.send_replace(Phase::Closing);
    close(world).await;
    world.phase.send_replace(Phase::Rest);
    sleep(REST).await;
    let gauges = world.gauges();
    world.leave();
    sleep(Duration::from_secs(15)).await;
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    if tasks != 1 {
        world
            .judge
            .violation(format!("{} tasks outlive their nodes", tasks - 1));
    }
    let (hash, events) = world.net.hash();
    Outcome {
        violations: world.judge.violations(),
        hash,
        events,
        calls: world.net.calls(),
        acted: world.net.acted(),
        tally: world.judge.tally(|tally| tally.clone()),
        gauges,
    }
}

/// Lets the planned faults come and go.
async fn faults(world: &World) {
    let start = tokio::time::Instant::now();
    let mut steps: Vec<(u64, bool, Timed)> = Vec::new();
    for fault in &world.plan.faults {
        steps.push((fault.at, true, *fault));
        steps.push((fault.at + fault.lasts, false, *fault));
    }
    steps.sort_by_key(|(at, begins, _)| (*at, *begins));
    for (at, begins, fault) in steps {
        sleep_until(start + millis(at)).await;
        match (fault.what, begins) {
            (What::Link(fault), true) => {
                if fault.kind == FaultKind::Reset {
                    world.judge.streams_reset();
                }
                world.net.begin(fault);
            }
            (What::Link(fault), false) => world.net.end(fault),
            (What::Crash { node, kind, which }, true) => {
                world.crash(node, kind, which.is_multiple_of(2));
            }
            (What::Crash { node, which, .. }, false) => world.start_again(node, which),
            (What::Goaway { node, to, deadline }, true) => world.goaway(node, to, deadline),
            (What::Goaway { .. }, false) => {}
        }
    }
    sleep_until(start + millis(world.plan.faults_end)).await;
}

/// Waits until every reader has been near the live edge.
async fn regain(world: &World) {
    world.judge.restart_progress();
    let mut behind = Vec::new();
    for _ in 0..REGAIN {
        sleep(Duration::from_secs(1)).await;
        behind = world.judge.behind();
        if behind.is_empty() {
            return;
        }
    }
    for reader in behind {
        world
            .judge
            .violation(format!("{reader}, {REGAIN} s after the last fault"));
    }
}

/// Waits until every reader knows that its track is over.
async fn close(world: &World) {
    let mut waiting = Vec::new();
    for _ in 0..CLOSE {
        sleep(Duration::from_secs(1)).await;
        waiting = world.judge.waiting();
        if waiting.is_empty() {
            return;
        }
    }
    for reader in waiting {
        world.judge.violation(format!(
            "reader {reader} waits {CLOSE} s after the end of its track"
        ));
    }
}
