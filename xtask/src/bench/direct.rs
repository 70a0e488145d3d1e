//! Publishers and subscribers without anything between them: what a relay's latency is compared with.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context as _;
use quinn::{ClientConfig, Connection, Endpoint};
use tokio::time::{Instant, sleep_until};

use super::subscriber::SharedTally;
use super::window::Plan;
use super::workload::Load;
use super::{fanout, generator, programs, publisher, quic, subscriber};

/// Latencies from the moment a frame was due to the moment it was whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// Each publisher sends to one subscriber, so that nobody waits for another one's copy.
pub(super) fn measure(load: Load) -> anyhow::Result<Latency> {
    let plan = Plan::new(Load {
        subscribers: load.publishers,
        ..load
    });
    let tally = SharedTally::default();
    programs::runtime()?.block_on(run(&plan, &tally))?;
    let [p50, p99] = tally.lock().percentiles([0.5, 0.99]);
    Ok(Latency { p50, p99 })
}

async fn run(plan: &Plan, tally: &SharedTally) -> anyhow::Result<()> {
    let alpn = fanout::SUBSCRIBE_ALPN;
    let server = quic::server_endpoint((Ipv4Addr::LOCALHOST, 0).into(), &[alpn])?;
    let (client, config) = (quic::client_endpoint()?, quic::client_config(alpn)?);
    let mut pairs = Vec::new();
    for _ in 0..plan.load.publishers {
        pairs.push(connect(&client, &config, &server).await?);
    }
    let start = Instant::now() + Duration::from_millis(100);
    let mut publishing = Vec::new();
    for (index, (sending, receiving)) in (0..).zip(&pairs) {
        let receive = subscriber::receive(receiving.clone(), plan.clone(), tally.clone());
        tokio::spawn(receive);
        let publish = publisher::publish(sending.clone(), (index, 0), plan.clone(), start);
        publishing.push(tokio::spawn(publish));
    }
    sleep_until(start + plan.due(plan.measured.end, 0)).await;
    for publisher in publishing {
        publisher.await.context("joining a publisher")??;
    }
    generator::drain(plan, tally).await;
    Ok(())
}

/// Both ends of a connection.
async fn connect(
    client: &Endpoint,
    config: &ClientConfig,
    server: &Endpoint,
) -> anyhow::Result<(Connection, Connection)> {
    let address = server.local_addr().context("asking for the own address")?;
    let accepting = tokio::spawn({
        let server = server.clone();
        async move {
            let incoming = server.accept().await;
            anyhow::Ok(incoming.context("the endpoint is closed")?.await?)
        }
    });
    let receiving = client.connect_with(config.clone(), address, "localhost")?;
    let receiving = receiving.await.context("connecting to itself")?;
    let sending = accepting.await.context("joining the accepting end")??;
    Ok((sending, receiving))
}
