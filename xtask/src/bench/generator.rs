//! One publisher and many subscribers, on the generator's core.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use quinn::{ClientConfig, Connection, Endpoint};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::options::{Load, Subject};
use super::process::{Machine, Process, own_cpu};
use super::subscriber::{PATIENCE, SharedTally};
use super::window::{Plan, Window};
use super::{fanout, lite, publisher, quic, subscriber};

/// Loads the subject that listens on `address`, and measures it.
pub(super) async fn measure(
    subject: Subject,
    address: SocketAddr,
    load: Load,
    process: &mut Process,
) -> anyhow::Result<Window> {
    let plan = Plan::new(load);
    let tally = SharedTally::default();
    let dialer = Dialer::new(subject, address)?;
    let publisher = dialer
        .publisher(process)
        .await
        .context("connecting the publisher")?;
    let subscribe = if subject == Subject::FanOut {
        dialer.subscribers(&plan, &tally).await?;
        0
    } else {
        let mut subscriptions = publisher::serve(&publisher).await?;
        dialer.subscribers(&plan, &tally).await?;
        let id = timeout(PATIENCE, subscriptions.recv()).await;
        id.ok().flatten().context("the relay did not subscribe")?
    };

    let start = Instant::now() + Duration::from_millis(100);
    // This end keeps its handle, because the last one to be dropped closes the connection.
    let publishing = publisher::publish(publisher.clone(), subscribe, plan.clone(), start);
    let publishing = tokio::spawn(publishing);
    sleep_until(start + plan.due(plan.measured.start, 0)).await;
    let before = Sample::take(process)?;
    sleep_until(start + plan.due(plan.measured.end, 0)).await;
    let after = Sample::take(process)?;
    let rss_kib = process.rss_kib()?;
    publishing.await.context("joining the publisher")??;
    drain(&plan, &tally).await;

    let mut tally = tally.lock();
    let [p50, p99] = tally.percentiles([0.5, 0.99]);
    let wall = after.at - before.at;
    let generator = (after.generator - before.generator).div_duration_f64(wall);
    let cpu = after.subject - before.subject;
    let busy = after.machine.busy_since(&before.machine);
    Ok(Window {
        cpu,
        frames: tally.frames,
        expected_frames: plan.expected_frames(),
        groups: tally.groups,
        expected_groups: plan.expected_groups(),
        p50,
        p99,
        rss_kib,
        generator,
        elsewhere: (busy - generator - cpu.div_duration_f64(wall)).max(0.0),
    })
}

/// Waits for what is still on its way, but not for long.
async fn drain(plan: &Plan, tally: &SharedTally) {
    let deadline = Instant::now() + Duration::from_millis(500);
    while tally.lock().groups < plan.expected_groups() && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
}

struct Sample {
    at: Instant,
    subject: Duration,
    generator: Duration,
    machine: Machine,
}

impl Sample {
    fn take(process: &Process) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            subject: process.cpu()?,
            generator: own_cpu()?,
            machine: Machine::now()?,
        })
    }
}

/// Connects to one subject.
struct Dialer {
    endpoints: Vec<Endpoint>,
    publish: ClientConfig,
    subscribe: ClientConfig,
    speaks_lite: bool,
    address: SocketAddr,
}

impl Dialer {
    fn new(subject: Subject, address: SocketAddr) -> anyhow::Result<Self> {
        let endpoints = std::iter::repeat_with(quic::client_endpoint).take(SOCKETS);
        let (publish, subscribe) = match subject {
            Subject::FanOut => (fanout::PUBLISH_ALPN, fanout::SUBSCRIBE_ALPN),
            Subject::Ours | Subject::Peer => (lite::ALPN, lite::ALPN),
        };
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            publish: quic::client_config(publish)?,
            subscribe: quic::client_config(subscribe)?,
            speaks_lite: subject != Subject::FanOut,
            address,
        })
    }

    /// Connects the publisher as soon as the subject listens.
    async fn publisher(&self, process: &mut Process) -> anyhow::Result<Connection> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            process.check_alive()?;
            let attempt = timeout(Duration::from_millis(250), self.dial(0, &self.publish)).await;
            match attempt {
                Ok(Ok(connection)) => return Ok(connection),
                _ if Instant::now() < deadline => sleep(Duration::from_millis(20)).await,
                Ok(Err(error)) => return Err(error),
                Err(_) => anyhow::bail!("no answer on {}", self.address),
            }
        }
    }

    /// Connects and subscribes them all; they receive from then on.
    async fn subscribers(&self, plan: &Plan, tally: &SharedTally) -> anyhow::Result<()> {
        for index in 0..plan.load.subscribers {
            let socket = index as usize % self.endpoints.len();
            let connection = self.dial(socket, &self.subscribe).await;
            let connection =
                connection.with_context(|| format!("connecting subscriber {index}"))?;
            let streams = if self.speaks_lite {
                let streams = subscriber::subscribe(&connection).await;
                Some(streams.with_context(|| format!("subscribing subscriber {index}"))?)
            } else {
                None
            };
            let receiving = subscriber::receive(connection, plan.clone(), tally.clone());
            tokio::spawn(async move {
                receiving.await;
                drop(streams);
            });
        }
        Ok(())
    }

    async fn dial(&self, socket: usize, config: &ClientConfig) -> anyhow::Result<Connection> {
        let endpoint = &self.endpoints[socket];
        let connecting = endpoint.connect_with(config.clone(), self.address, "localhost")?;
        Ok(connecting.await?)
    }
}

/// Few, so that the kernel's cost per socket does not count.
const SOCKETS: usize = 4;
