//! The smallest frames of no meaning, and then a byte of each stream in a packet.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::BytesMut;
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use tokio::sync::mpsc;
use tokio::time::interval;
use url::Url;
use web_transport_proto::{ConnectRequest, Settings};

use super::{Target, tls};
use crate::tell;

/// Which streams it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Requests that do not begin, and the control stream.
    Requests,
    /// Requests that do not begin, and as many control streams, although there may be one.
    Controls,
    /// The stream of a session that was let in.
    Connect,
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "requests" => Self::Requests,
            "controls" => Self::Controls,
            "connect" => Self::Connect,
            _ => anyhow::bail!("no streams are called {name}"),
        })
    }
}

/// Sends so many bytes on each stream, and then as many packets as it is told.
///
/// It has a thread of its own, so that QUIC sends nothing until all streams have their bytes.
pub(super) fn start(
    target: Target,
    kind: Kind,
    filled: usize,
) -> anyhow::Result<mpsc::UnboundedSender<u64>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting tokio")?;
    let (sender, packets) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        runtime.block_on(crate::told(run(target, kind, filled, packets)));
    });
    Ok(sender)
}

async fn run(
    target: Target,
    kind: Kind,
    filled: usize,
    mut packets: mpsc::UnboundedReceiver<u64>,
) -> anyhow::Result<()> {
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).context("opening a socket")?;
    let connecting = endpoint.connect_with(tls::config("h3")?, target.addr, "localhost");
    let connection = connecting?.await.context("connecting")?;
    let mut streams = Streams::open(&connection, kind, &target).await?;
    streams.fill(filled).await;
    tell(&format!("filled {}", streams.all.len()));
    while let Some(count) = packets.recv().await {
        let before = connection.stats().udp_tx.datagrams;
        streams.trickle(count, &connection).await;
        let sent = connection.stats().udp_tx.datagrams - before;
        let is_closed = u8::from(connection.close_reason().is_some());
        tell(&format!("sent {sent} {is_closed} {}", streams.all.len()));
    }
    Ok(())
}

/// The streams that the server takes more of.
struct Streams {
    all: Vec<SendStream>,
    _answers: Vec<RecvStream>,
    /// Whether the next byte is the second of a frame.
    is_odd: bool,
}

impl Streams {
    async fn open(connection: &Connection, kind: Kind, target: &Target) -> anyhow::Result<Self> {
        let (requests, controls) = match kind {
            Kind::Requests => (EACH, 1),
            Kind::Controls => (EACH, EACH),
            Kind::Connect => (0, 1),
        };
        let (mut all, mut answers) = (Vec::new(), Vec::new());
        for _ in 0..controls {
            let mut control = connection.open_uni().await?;
            control.write_all(&settings()).await?;
            all.push(control);
        }
        for _ in 0..requests {
            let (send, answer) = connection.open_bi().await?;
            all.push(send);
            answers.push(answer);
        }
        if kind == Kind::Connect {
            let (mut send, mut answer) = connection.open_bi().await?;
            send.write_all(&request(target)?).await?;
            let mut first = [0; 1];
            answer.read_exact(&mut first).await.context("no answer")?;
            all.push(send);
            answers.push(answer);
        }
        Ok(Self {
            all,
            _answers: answers,
            is_odd: false,
        })
    }

    async fn fill(&mut self, bytes: usize) {
        let frames = GREASE.repeat(bytes / GREASE.len());
        for stream in &mut self.all {
            // Those that fail are dropped with the next byte.
            let _ = stream.write_all(&frames).await;
        }
    }

    /// Sends packets with a byte of each stream in them.
    async fn trickle(&mut self, packets: u64, connection: &Connection) {
        let mut due = interval(PACE);
        for _ in 0..packets {
            due.tick().await;
            if connection.close_reason().is_some() {
                self.all.clear();
                return;
            }
            let byte = [GREASE[usize::from(self.is_odd)]];
            self.is_odd = !self.is_odd;
            let mut taken = Vec::new();
            for mut stream in self.all.drain(..) {
                if stream.write_all(&byte).await.is_ok() {
                    taken.push(stream);
                }
            }
            self.all = taken;
            // It is sent before the next one is written, even if that is late.
            tokio::task::yield_now().await;
        }
        due.tick().await;
    }
}

/// A control stream up to its SETTINGS.
fn settings() -> BytesMut {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut bytes = BytesMut::new();
    settings.encode(&mut bytes);
    bytes
}

fn request(target: &Target) -> anyhow::Result<BytesMut> {
    let url = Url::parse(&format!("https://localhost:{}/", target.addr.port()))?;
    let mut bytes = BytesMut::new();
    let request = ConnectRequest::new(url).with_protocol(target.alpn);
    request.encode(&mut bytes).context("writing a request")?;
    Ok(bytes)
}

/// A frame without meaning, and without a payload.
const GREASE: [u8; 2] = [0x21, 0];
/// Streams of each kind.
const EACH: usize = 16;
/// From one packet to the next: the server is done with one before the next comes.
const PACE: Duration = Duration::from_millis(1);
