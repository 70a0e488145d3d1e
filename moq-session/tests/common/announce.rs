//! Playing either side of an Announce stream.

use std::time::Duration;

use bytes::BytesMut;
use moq_session::testing::{Peer, Script};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, HopId,
};

use super::scripts::{announce_request, start};

/// The publisher's side of an Announce stream, past the request.
pub struct Teller {
    pub stream: Script,
    /// `None` while the list that the answer starts with is not complete.
    encoder: Option<AnnounceEncoder>,
    listed: Vec<AnnounceEvent>,
    active: u64,
}

impl Teller {
    /// Takes the request and says how many announcements follow as the initial set. Where that is a
    /// list, it is sent with the last of them.
    pub async fn new(mut stream: Script, hop: u64, active: u64) -> Self {
        let _: AnnounceRequest = stream.expect().await;
        let features = stream.version().features();
        if features.announce_ok {
            let hop = HopId(hop);
            stream.send(&AnnounceOk { hop, active }).await;
        }
        let mut teller = Self {
            stream,
            encoder: None,
            listed: Vec::new(),
            active,
        };
        if active == 0 || !features.announce_init {
            teller.begin().await;
        }
        teller
    }

    async fn begin(&mut self) {
        let mut buf = BytesMut::new();
        let version = self.stream.version();
        let encoder = AnnounceEncoder::with_initial(version, &self.listed, &mut buf);
        self.encoder = Some(encoder.unwrap());
        self.stream.send_bytes(buf).await;
    }

    /// Tells so many at once that the session may end meanwhile; past the initial set.
    pub async fn tell_all(&mut self, events: impl Iterator<Item = AnnounceEvent>) {
        let encoder = self.encoder.as_mut().expect("the list is told");
        let mut buf = BytesMut::new();
        for event in events {
            encoder.encode(&event, &mut buf).unwrap();
        }
        self.stream.send_bytes(buf).await;
    }

    pub async fn tell(&mut self, event: &AnnounceEvent) {
        let Some(encoder) = &mut self.encoder else {
            self.listed.push(event.clone());
            if self.listed.len() as u64 == self.active {
                self.begin().await;
            }
            return;
        };
        let mut buf = BytesMut::new();
        encoder.encode(event, &mut buf).unwrap();
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
    let starts: Vec<_> = suffixes.iter().map(|suffix| start(suffix, chain)).collect();
    let mut buf = BytesMut::new();
    AnnounceEncoder::with_initial(version, &starts, &mut buf).unwrap();
    stream.send_bytes(buf).await;
}

/// The subscriber's side of an Announce stream, past the request.
pub struct Listener {
    pub stream: Script,
    decoder: AnnounceDecoder,
    /// What was taken together with the beginning of a list.
    ahead: Option<AnnounceEvent>,
}

impl Listener {
    pub fn new(stream: Script) -> Self {
        let decoder = AnnounceDecoder::new(stream.version());
        Self {
            stream,
            decoder,
            ahead: None,
        }
    }

    pub async fn event(&mut self) -> AnnounceEvent {
        if let Some(event) = self.ahead.take() {
            return event;
        }
        let decoder = &mut self.decoder;
        let take = |buf: &mut BytesMut, _| decoder.decode(buf);
        self.stream.take("an announcement", take).await
    }

    /// Takes the list that the answer starts with, up to its first announcement.
    async fn begin(&mut self) {
        let decoder = &mut self.decoder;
        let take = |buf: &mut BytesMut, _| {
            let event = decoder.decode(buf)?;
            Ok(decoder.listed().map(|_| event))
        };
        self.ahead = self.stream.take("ANNOUNCE_INIT", take).await;
    }

    pub async fn expect_silence(&mut self, wait: Duration) {
        assert_eq!(self.ahead, None);
        self.stream.expect_silence(wait).await;
    }
}

/// Asks for what is announced, and takes the first message of the answer.
pub async fn listen(peer: &mut Peer, prefix: &str) -> Listener {
    let request = announce_request(prefix);
    listen_with(peer, &request).await
}

/// As [`listen`], with any request.
pub async fn listen_with(peer: &mut Peer, request: &AnnounceRequest) -> Listener {
    let mut stream = peer.request(BiStream::Announce, request).await;
    let features = peer.version().features();
    if features.announce_ok {
        let _: AnnounceOk = stream.expect().await;
    }
    let mut listener = Listener::new(stream);
    if features.announce_init {
        listener.begin().await;
    }
    listener
}
