//! Publishers and subscribers, on the generator's core.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::dialer::Dialer;
use super::process::{Machine, Process, own_cpu};
use super::publisher;
use super::subscriber::SharedTally;
use super::window::{Plan, Window};
use super::workload::Load;

/// Loads the subject that the dialer reaches, and measures it.
pub(super) async fn measure(
    load: Load,
    process: &Process,
    dialer: &Dialer,
) -> anyhow::Result<Window> {
    let plan = Plan::new(load);
    let tally = SharedTally::default();
    let mut feeds = Vec::new();
    for publisher in 0..load.publishers {
        feeds.push(dialer.publisher(publisher..publisher + 1).await?);
    }
    let _subscribers = dialer
        .subscribers(0..load.subscribers, &plan, &tally)
        .await?;

    let mut subscribed = Vec::new();
    // Without a subscriber, a publisher is asked for nothing.
    for feed in feeds.iter_mut().take(load.subscribers as usize) {
        subscribed.push(feed.subscribed().await?);
    }
    let start = Instant::now() + Duration::from_millis(100);
    let publishing = feeds.iter().zip(0..).zip(subscribed);
    let publishing = publishing.map(|((feed, publisher), id)| {
        let connection = feed.connection.clone();
        let publish = publisher::publish(connection, (publisher, id), plan.clone(), start);
        tokio::spawn(publish)
    });
    let publishing: Vec<_> = publishing.collect();
    sleep_until(start + plan.due(plan.measured.start, 0)).await;
    let before = Sample::take(process)?;
    sleep_until(start + plan.due(plan.measured.end, 0)).await;
    let after = Sample::take(process)?;
    let rss_kib = process.rss_kib()?;
    for publisher in publishing {
        publisher.await.context("joining a publisher")??;
    }
    drain(&plan, &tally).await;
    Ok(after.since(&before, rss_kib, &plan, &tally))
}

/// Waits for what is still on its way, but not for long.
pub(super) async fn drain(plan: &Plan, tally: &SharedTally) {
    let deadline = Instant::now() + Duration::from_millis(500);
    while tally.lock().groups < plan.expected_groups() && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
}

/// What was used up to a moment.
pub(super) struct Sample {
    at: Instant,
    subject: Duration,
    generator: Duration,
    machine: Machine,
}

/// What was used between two moments.
pub(super) struct Used {
    /// CPU time of the subject.
    pub(super) cpu: Duration,
    /// In cores.
    pub(super) generator: f64,
    /// Cores that neither of them used, but somebody else.
    pub(super) elsewhere: f64,
    pub(super) steal: f64,
}

impl Sample {
    pub(super) fn take(process: &Process) -> anyhow::Result<Self> {
        Self::take_with(process, own_cpu()?)
    }

    /// With the CPU time of a generator that is not this process.
    pub(super) fn take_with(process: &Process, generator: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            subject: process.cpu()?,
            generator,
            machine: Machine::now()?,
        })
    }

    pub(super) fn used_since(&self, before: &Self) -> Used {
        let wall = self.at - before.at;
        let generator = (self.generator - before.generator).div_duration_f64(wall);
        let cpu = self.subject - before.subject;
        let busy = self.machine.busy_since(&before.machine);
        Used {
            cpu,
            generator,
            elsewhere: (busy - generator - cpu.div_duration_f64(wall)).max(0.0),
            steal: self.machine.steal_since(&before.machine),
        }
    }

    fn since(&self, before: &Self, rss_kib: u64, plan: &Plan, tally: &SharedTally) -> Window {
        let used = self.used_since(before);
        let mut tally = tally.lock();
        let [p50, p99] = tally.percentiles([0.5, 0.99]);
        Window {
            cpu: used.cpu,
            frames: tally.frames,
            expected_frames: plan.expected_frames(),
            groups: tally.groups,
            expected_groups: plan.expected_groups(),
            p50,
            p99,
            rss_kib,
            generator: used.generator,
            elsewhere: used.elsewhere,
            steal: used.steal,
        }
    }
}
