//! Clients that begin, and say nothing more.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use quinn_proto::{ConnectionHandle, DatagramEvent, EndpointConfig};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::{Target, tls};
use crate::tell;

/// After what they fall silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Their first packet, sent again with the token if the server asks for that.
    Hello,
    /// The TLS handshake.
    Tls,
}

impl FromStr for Silence {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "hello" => Self::Hello,
            "tls" => Self::Tls,
            _ => anyhow::bail!("nobody is silent after {name}"),
        })
    }
}

/// Begins so many connections, and again so many whenever the server has given up on them.
pub(super) async fn run(target: Target, after: Silence, count: usize) -> anyhow::Result<()> {
    loop {
        let begin = Instant::now();
        match after {
            Silence::Hello => {
                let begun = hello(&target, count).await?;
                tell(&format!("silent {begun}"));
                sleep((GIVEN_UP).saturating_sub(begin.elapsed())).await;
            }
            Silence::Tls => {
                let begun = shaken(&target, count).await?;
                tell(&format!("silent {}", begun.len()));
                sleep((GIVEN_UP).saturating_sub(begin.elapsed())).await;
            }
        }
    }
}

/// Connections whose handshake is done as far as their client can tell.
async fn shaken(target: &Target, count: usize) -> anyhow::Result<Vec<quinn::Connection>> {
    let endpoint = quinn::Endpoint::client(FROM.into()).context("opening a socket")?;
    let config = tls::config("h3")?;
    let mut shaken = Vec::new();
    let mut shaking = FuturesUnordered::new();
    for number in 0..count {
        shaking.push(endpoint.connect_with(config.clone(), target.addr, "localhost")?);
        while shaking.len() >= AT_ONCE || (number + 1 == count && !shaking.is_empty()) {
            shaken.extend(shaking.next().await.and_then(Result::ok));
        }
    }
    Ok(shaken)
}

/// Sends so many first packets, a few at a time; says how many the server has taken up.
async fn hello(target: &Target, count: usize) -> anyhow::Result<usize> {
    let socket = UdpSocket::bind(FROM).await.context("opening a socket")?;
    let mut hellos = Hellos {
        endpoint: quinn_proto::Endpoint::new(Arc::new(EndpointConfig::default()), None, true, None),
        config: tls::config("h3")?,
        addr: target.addr,
        socket,
        waiting: HashMap::new(),
        begun: 0,
    };
    for _ in 0..count {
        hellos.begin().await?;
        while hellos.waiting.len() >= AT_ONCE {
            hellos.hear().await?;
        }
    }
    while !hellos.waiting.is_empty() {
        hellos.hear().await?;
    }
    Ok(hellos.begun)
}

/// Clients that were not answered yet.
struct Hellos {
    endpoint: quinn_proto::Endpoint,
    config: quinn::ClientConfig,
    addr: SocketAddr,
    socket: UdpSocket,
    waiting: HashMap<ConnectionHandle, quinn_proto::Connection>,
    begun: usize,
}

impl Hellos {
    async fn begin(&mut self) -> anyhow::Result<()> {
        let (config, now) = (self.config.clone(), Instant::now());
        let begun = self.endpoint.connect(now, config, self.addr, "localhost");
        let (handle, connection) = begun.context("beginning a connection")?;
        self.waiting.insert(handle, connection);
        self.send(handle).await
    }

    async fn send(&mut self, handle: ConnectionHandle) -> anyhow::Result<()> {
        let mut packet = Vec::new();
        if let Some(connection) = self.waiting.get_mut(&handle)
            && connection
                .poll_transmit(Instant::now(), 1, &mut packet)
                .is_some()
        {
            self.socket.send_to(&packet, self.addr).await?;
        }
        Ok(())
    }

    /// Takes in an answer, and forgets those that do not come.
    async fn hear(&mut self) -> anyhow::Result<()> {
        let mut packet = [0; 2048];
        let Ok(heard) = timeout(PATIENCE, self.socket.recv_from(&mut packet)).await else {
            self.waiting.clear();
            return Ok(());
        };
        let (size, remote) = heard.context("receiving")?;
        let (bytes, now) = (BytesMut::from(&packet[..size]), Instant::now());
        let is_retry = packet[0] & LONG_TYPE == RETRY;
        let event = self
            .endpoint
            .handle(now, remote, None, None, bytes, &mut Vec::new());
        let Some(DatagramEvent::ConnectionEvent(handle, event)) = event else {
            return Ok(());
        };
        if !is_retry {
            self.begun += usize::from(self.waiting.remove(&handle).is_some());
        } else if let Some(connection) = self.waiting.get_mut(&handle) {
            connection.handle_event(event);
            self.send(handle).await?;
        }
        Ok(())
    }
}

/// Where they come from.
const FROM: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
/// Those that the server has not answered yet.
const AT_ONCE: usize = 32;
const PATIENCE: Duration = Duration::from_secs(1);
/// When the server has given up on them.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// The type bits in the first byte of a long header, and their value for Retry.
const LONG_TYPE: u8 = 0xf0;
const RETRY: u8 = 0xf0;
