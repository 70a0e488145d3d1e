//! The least that a fan-out written on quinn has to do: no names, no cache, no protocol.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use anyhow::Context as _;
use bytes::Bytes;
use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming, RecvStream, SendStream, VarInt};

use super::quic;

pub(super) const PUBLISH_ALPN: &[u8] = b"bench-publish";
pub(super) const SUBSCRIBE_ALPN: &[u8] = b"bench-subscribe";

/// Copies every stream of a publisher to all subscribers, until it is killed.
pub(crate) fn run(address: &str) -> anyhow::Result<()> {
    let address: SocketAddr = address
        .parse()
        .context("reading the address to listen on")?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().context("starting tokio")?;
    runtime.block_on(async {
        let endpoint = quic::server_endpoint(address, &[PUBLISH_ALPN, SUBSCRIBE_ALPN])?;
        let subscribers = Subscribers::default();
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(serve(incoming, subscribers.clone()));
        }
        Ok(())
    })
}

#[derive(Clone, Default)]
struct Subscribers(Arc<Mutex<Vec<Connection>>>);

impl Subscribers {
    fn add(&self, connection: Connection) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }

    fn all(&self) -> Vec<Connection> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn serve(incoming: Incoming, subscribers: Subscribers) {
    let Ok(connection) = incoming.await else {
        return;
    };
    if !is_publisher(&connection) {
        return subscribers.add(connection);
    }
    while let Ok(stream) = connection.accept_uni().await {
        tokio::spawn(forward(stream, subscribers.all()));
    }
}

fn is_publisher(connection: &Connection) -> bool {
    let data = connection.handshake_data();
    let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
    data.and_then(|data| data.protocol).as_deref() == Some(PUBLISH_ALPN)
}

/// Copies one stream to all subscribers as its chunks come in.
///
/// A subscriber that cannot take a chunk at once loses the rest of the stream, and delays nobody.
async fn forward(mut input: RecvStream, subscribers: Vec<Connection>) {
    let streams = subscribers.iter().filter_map(open_now);
    let mut outputs: Vec<SendStream> = streams.collect();
    let mut chunks: [Bytes; 32] = Default::default();
    let mut copies = chunks.clone();
    while let Ok(Some(count)) = input.read_chunks(&mut chunks).await {
        outputs.retain_mut(|output| {
            let copies = &mut copies[..count];
            copies.clone_from_slice(&chunks[..count]);
            write_now(output, copies)
        });
    }
    for mut output in outputs {
        // It fails where the subscriber has left.
        let _ = output.finish();
    }
}

fn open_now(connection: &Connection) -> Option<SendStream> {
    now(connection.open_uni())?.ok()
}

fn write_now(stream: &mut SendStream, chunks: &mut [Bytes]) -> bool {
    let written = now(stream.write_chunks(chunks));
    let all = matches!(written, Some(Ok(written)) if written.chunks == chunks.len());
    if !all {
        // It fails where the subscriber has left.
        let _ = stream.reset(VarInt::from_u32(0));
    }
    all
}

/// What a future yields without waiting.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
