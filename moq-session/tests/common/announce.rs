//! Playing the publisher's side of an Announce stream.

use bytes::BytesMut;
use moq_session::testing::{Peer, Script};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, HopId,
};

use super::scripts::{announce_request, start};

/// The publisher's side of an Announce stream, past the request.
pub struct Teller {
    pub stream: Script,
    encoder: AnnounceEncoder,
}

impl Teller {
    /// Takes the request and says how many announcements follow as the initial set.
    pub async fn new(mut stream: Script, hop: u64, active: u64) -> Self {
        let _: AnnounceRequest = stream.expect().await;
        let version = stream.version();
        if version.features().announce_ok {
            let hop = HopId(hop);
            stream.send(&AnnounceOk { hop, active }).await;
        }
        let encoder = AnnounceEncoder::new(version);
        Self { stream, encoder }
    }

    pub async fn tell(&mut self, event: &AnnounceEvent) {
        let mut buf = BytesMut::new();
        self.encoder.encode(event, &mut buf).unwrap();
        self.stream.send_bytes(buf).await;
    }
}

/// Announces paths without hops, as the publisher `hop` itself does.
pub async fn tell(stream: &mut Script, hop: u64, suffixes: &[&str]) {
    let _: AnnounceRequest = stream.expect().await;
    let version = stream.version();
    let features = version.features();
    if features.announce_ok {
        let active = suffixes.len() as u64;
        let hop = HopId(hop);
        stream.send(&AnnounceOk { hop, active }).await;
    }
    let chain: &[u64] = if features.sender_in_chain {
        &[hop]
    } else {
        &[]
    };
    let mut encoder = AnnounceEncoder::new(version);
    for suffix in suffixes {
        let mut buf = BytesMut::new();
        encoder.encode(&start(suffix, chain), &mut buf).unwrap();
        stream.send_bytes(buf).await;
    }
}

/// The subscriber's side of an Announce stream, past the request.
pub struct Listener {
    pub stream: Script,
    decoder: AnnounceDecoder,
}

impl Listener {
    pub fn new(stream: Script) -> Self {
        let decoder = AnnounceDecoder::new(stream.version());
        Self { stream, decoder }
    }

    pub async fn event(&mut self) -> AnnounceEvent {
        let decoder = &mut self.decoder;
        let take = |buf: &mut BytesMut, _| decoder.decode(buf);
        self.stream.take("an announcement", take).await
    }
}

/// Asks for what is announced, and takes the first message of the answer.
pub async fn listen(peer: &mut Peer, prefix: &str) -> Listener {
    let request = announce_request(prefix);
    let mut stream = peer.request(BiStream::Announce, &request).await;
    if peer.version().features().announce_ok {
        let _: AnnounceOk = stream.expect().await;
    }
    Listener::new(stream)
}
