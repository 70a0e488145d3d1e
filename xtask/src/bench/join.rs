//! How long joining takes: from nothing to the first frame of a track that is on.

use std::time::Duration;

use anyhow::Context as _;
use quinn::VarInt;
use tokio::time::{Instant, sleep};

use super::driver::Session;
use super::metric::What;
use super::programs::Stage;
use super::publisher;
use super::stats;
use super::subscriber::SharedTally;
use super::window::Plan;
use super::workload::{Load, Workload};

/// Lets clients join one after the other.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let joins = if session.options.is_quick { 200 } else { 1000 };
    let relays = session.relays();
    for round in 0..session.options.rounds {
        for subject in session.order(round, &relays) {
            let joined = session
                .programs
                .with(subject, async |stage| join(stage, joins).await)?;
            for (what, value) in joined.figures() {
                eprintln!("   {subject:8} {} {value:.2} {}", what.id, what.unit);
                session.report.add(what, round, subject, value);
            }
        }
    }
    Ok(())
}

struct Joined {
    /// From dialling to the first frame.
    p50: f64,
    p99: f64,
    /// CPU time of the relay per join.
    cpu: f64,
}

impl Joined {
    fn figures(&self) -> [(What, f64); 3] {
        let first_frame = "from dialling to the first frame";
        [
            (
                What::new("j1 p50", first_frame, "ms").with_gate(0.8),
                self.p50,
            ),
            (What::new("j1 p99", first_frame, "ms"), self.p99),
            (
                What::new("j1 cpu", "CPU per join, with the handshake", "ms").with_gate(0.4),
                self.cpu,
            ),
        ]
    }
}

async fn join(stage: &Stage, joins: u64) -> anyhow::Result<Joined> {
    let light = Workload::find("w4").context("w4 is a workload")?.load;
    let seconds = 300;
    let plan = Plan::new(Load { seconds, ..light });
    let tally = SharedTally::default();
    let mut feed = stage.dialer.publisher(0..1).await?;
    let _one = stage.dialer.subscribers(0..1, &plan, &tally).await?;
    let id = feed.subscribed().await?;
    let publish = publisher::publish(feed.connection.clone(), (0, id), plan, Instant::now());
    let publishing = tokio::spawn(publish);
    // What the relay needs when nobody joins.
    sleep(WARM_UP).await;
    let (idle, from) = (stage.process.cpu()?, Instant::now());
    sleep(WARM_UP).await;
    let (before, start) = (stage.process.cpu()?, Instant::now());
    let idle = (before - idle).div_duration_f64(start - from);
    let mut took = Vec::new();
    for index in 0..joins {
        let begun = Instant::now();
        let joined = stage.dialer.join(index, 0).await;
        let connection = joined.with_context(|| format!("joining for the {index}th time"))?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        connection.close(VarInt::from_u32(0), b"");
    }
    let wall = start.elapsed();
    let cpu = (stage.process.cpu()? - before).as_secs_f64() - idle * wall.as_secs_f64();
    publishing.abort();
    Ok(Joined {
        p50: stats::quantile(&took, 0.5).context("somebody joins")?,
        p99: stats::quantile(&took, 0.99).context("somebody joins")?,
        cpu: cpu.max(0.0) * 1e3 / joins as f64,
    })
}

const WARM_UP: Duration = Duration::from_secs(2);
