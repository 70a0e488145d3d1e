//! The least that a fan-out written on quinn has to do: no names, no cache, no protocol.

use std::collections::HashMap;
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

/// Copies every stream of a publisher to all its subscribers, until it is killed.
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

/// The host name by which a connection says which publisher it belongs to.
pub(super) fn host(publisher: u64) -> String {
    format!("b{publisher}.localhost")
}

#[derive(Clone, Default)]
struct Subscribers(Arc<Mutex<HashMap<String, Vec<Connection>>>>);

impl Subscribers {
    fn add(&self, host: String, connection: Connection) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host).or_default().push(connection);
    }

    fn of(&self, host: &str) -> Vec<Connection> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).cloned().unwrap_or_default()
    }
}

async fn serve(incoming: Incoming, subscribers: Subscribers) {
    let Ok(connection) = incoming.await else {
        return;
    };
    let data = connection.handshake_data();
    let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
    let Some(data) = data else { return };
    let host = data.server_name.unwrap_or_default();
    if data.protocol.as_deref() != Some(PUBLISH_ALPN) {
        return subscribers.add(host, connection);
    }
    while let Ok(stream) = connection.accept_uni().await {
        tokio::spawn(forward(stream, subscribers.of(&host)));
    }
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
