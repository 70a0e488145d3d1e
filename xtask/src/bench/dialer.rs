//! Connections of the generator to one subject.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use anyhow::Context as _;
use quinn::{ClientConfig, Connection, Endpoint};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::process::Process;
use super::subject::Subject;
use super::subscriber::{PATIENCE, SharedTally};
use super::window::Plan;
use super::{fanout, lite, publisher, quic, subscriber};

/// Connects to one subject.
pub(super) struct Dialer {
    endpoints: Vec<Endpoint>,
    publish: ClientConfig,
    subscribe: ClientConfig,
    speaks_lite: bool,
    address: SocketAddr,
}

/// A publisher's connection, which it has to keep: the last handle that is dropped closes it.
pub(super) struct Feed {
    pub(super) connection: Connection,
    /// Ids of the subject's subscriptions, where it has any.
    subscriptions: Option<mpsc::UnboundedReceiver<u64>>,
}

impl Feed {
    /// Waits until the subject wants the track; yields the subscription's id.
    pub(super) async fn subscribed(&mut self) -> anyhow::Result<u64> {
        let Some(subscriptions) = &mut self.subscriptions else {
            return Ok(0);
        };
        let id = timeout(PATIENCE, subscriptions.recv()).await;
        id.ok().flatten().context("the relay did not subscribe")
    }
}

impl Dialer {
    pub(super) fn new(subject: Subject, address: SocketAddr) -> anyhow::Result<Self> {
        let endpoints = std::iter::repeat_with(quic::client_endpoint).take(SOCKETS);
        let speaks_lite = subject != Subject::FanOut;
        let (publish, subscribe) = if speaks_lite {
            (lite::ALPN, lite::ALPN)
        } else {
            (fanout::PUBLISH_ALPN, fanout::SUBSCRIBE_ALPN)
        };
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            publish: quic::client_config(publish)?,
            subscribe: quic::client_config(subscribe)?,
            speaks_lite,
            address,
        })
    }

    /// Waits until the subject listens.
    pub(super) async fn wait_until_up(&self, process: &mut Process) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            process.check_alive()?;
            let attempt = timeout(Duration::from_millis(250), self.dial(0, &self.publish, 0));
            match attempt.await {
                Ok(Ok(_)) => return Ok(()),
                _ if Instant::now() < deadline => sleep(Duration::from_millis(20)).await,
                Ok(Err(error)) => return Err(error),
                Err(_) => anyhow::bail!("no answer on {}", self.address),
            }
        }
    }

    /// Connects a publisher of these broadcasts.
    pub(super) async fn publisher(&self, broadcasts: Range<u64>) -> anyhow::Result<Feed> {
        let first = broadcasts.start;
        let connection = self.dial(first, &self.publish, first).await;
        let connection = connection.context("connecting a publisher")?;
        let subscriptions = if self.speaks_lite {
            Some(publisher::serve(&connection, broadcasts).await?)
        } else {
            None
        };
        Ok(Feed {
            connection,
            subscriptions,
        })
    }

    /// Connects these subscribers; they receive for as long as their connections are kept.
    pub(super) async fn subscribers(
        &self,
        subscribers: Range<u64>,
        plan: &Plan,
        tally: &SharedTally,
    ) -> anyhow::Result<Vec<Connection>> {
        let mut connections = Vec::new();
        for index in subscribers {
            let broadcast = index % plan.load.publishers;
            let subscriber = async {
                let connection = self.dial(index, &self.subscribe, broadcast).await?;
                let streams = if self.speaks_lite {
                    Some(subscriber::subscribe(&connection, broadcast).await?)
                } else {
                    None
                };
                anyhow::Ok((connection, streams))
            };
            let subscriber = subscriber.await;
            let (connection, streams) =
                subscriber.with_context(|| format!("connecting subscriber {index}"))?;
            let receiving = subscriber::receive(connection.clone(), plan.clone(), tally.clone());
            tokio::spawn(async move {
                receiving.await;
                drop(streams);
            });
            connections.push(connection);
        }
        Ok(connections)
    }

    /// Connects a session that asks for nothing.
    pub(super) async fn idle(&self, index: u64) -> anyhow::Result<Connection> {
        let connection = self.dial(index, &self.subscribe, 0).await;
        let connection = connection.context("connecting an idle session")?;
        subscriber::set_up(&connection).await?;
        Ok(connection)
    }

    /// Connects a subscriber that asks for a broadcast, and waits for its first frame.
    pub(super) async fn join(&self, index: u64, broadcast: u64) -> anyhow::Result<Connection> {
        let connection = self.dial(index, &self.subscribe, broadcast).await?;
        let _streams = subscriber::subscribe(&connection, broadcast).await?;
        let frame = timeout(PATIENCE, subscriber::first_frame(&connection)).await;
        frame.context("waiting for the first frame")??;
        Ok(connection)
    }

    async fn dial(
        &self,
        index: u64,
        config: &ClientConfig,
        broadcast: u64,
    ) -> anyhow::Result<Connection> {
        let host = if self.speaks_lite {
            "localhost".to_owned()
        } else {
            fanout::host(broadcast)
        };
        let endpoint = &self.endpoints[index as usize % self.endpoints.len()];
        let connecting = endpoint.connect_with(config.clone(), self.address, &host)?;
        Ok(connecting.await?)
    }
}

/// Few, so that the kernel's cost per socket does not count.
const SOCKETS: usize = 4;
