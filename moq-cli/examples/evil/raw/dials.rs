//! How long it takes to get in.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use quinn::{ClientConfig, Endpoint};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Target, tls};
use crate::tell;

/// Connections that are made one after the other.
#[derive(Debug)]
pub(super) struct Dials {
    stop: oneshot::Sender<()>,
    tally: JoinHandle<Tally>,
}

/// How long they took, in microseconds.
#[derive(Debug, Default)]
struct Tally {
    micros: Vec<u128>,
    failed: usize,
}

impl Dials {
    /// Begins to dial, from one address.
    pub(super) fn start(target: &Target, from: IpAddr) -> anyhow::Result<Self> {
        let endpoint = Endpoint::client((from, 0).into()).context("opening a socket")?;
        let config = tls::config(target.alpn)?;
        let (stop, stopped) = oneshot::channel();
        let tally = tokio::spawn(run(endpoint, config, target.clone(), stopped));
        Ok(Self { stop, tally })
    }

    /// Ends, and tells how long 50 and 99 of 100 took at most, and the longest.
    pub(super) async fn report(self) {
        drop(self.stop);
        let Tally { mut micros, failed } = self.tally.await.unwrap_or_default();
        micros.sort_unstable();
        let at = |percent: usize| {
            let index = (micros.len() * percent).div_ceil(100).saturating_sub(1);
            micros.get(index).copied().unwrap_or_default()
        };
        let (half, most, all) = (at(50), at(99), at(100));
        tell(&format!(
            "dials {} {failed} {half} {most} {all}",
            micros.len()
        ));
    }
}

async fn run(
    endpoint: Endpoint,
    config: ClientConfig,
    target: Target,
    mut stopped: oneshot::Receiver<()>,
) -> Tally {
    let mut tally = Tally::default();
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        let begin = Instant::now();
        match timeout(PATIENCE, dial(&endpoint, config.clone(), &target)).await {
            Ok(Ok(())) => tally.micros.push(begin.elapsed().as_micros()),
            Ok(Err(_)) | Err(_) => tally.failed += 1,
        }
        sleep(PACE).await;
    }
    tally
}

/// Connects, and waits until the relay has let the session in, which its first stream says.
async fn dial(endpoint: &Endpoint, config: ClientConfig, target: &Target) -> anyhow::Result<()> {
    let connecting = endpoint.connect_with(config, target.addr, "localhost")?;
    let connection = connecting.await?;
    let mut setup = connection.open_uni().await?;
    setup.write_all(&target.setup).await?;
    setup.finish()?;
    connection.accept_uni().await?;
    connection.close(0_u32.into(), b"");
    Ok(())
}

/// From one that is done to the next.
const PACE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);
