//! The other end of a session, driven by hand.

mod expect;

use std::future::{Future, poll_fn};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use moq_wire::{
    BiStream, ClientSetup, Encode, GroupHeader, ServerSetup, Setup, UniStream, Version,
};

use super::script::Script;
use crate::memory::{MemoryConnection, memory_pair};
use crate::transport::{Transport, TransportError};
use crate::{Config, Session};

/// How long anything that is expected may take, on the runtime's clock.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// A peer without a mind of its own: it does what a test tells it, and says what it gets.
///
/// Whatever is expected has a deadline on the runtime's clock. Where something else comes, the peer
/// panics, and the message says what that was.
#[derive(Debug)]
pub struct Peer {
    connection: MemoryConnection,
    version: Version,
    /// Streams of the session that came before they were expected, by type.
    held_uni: Vec<(u64, Script)>,
    held_bi: Vec<(u64, Script)>,
    session_stream: Option<Script>,
}

impl Peer {
    /// A peer on one end of a memory pair.
    #[must_use]
    pub fn new(connection: MemoryConnection, version: Version) -> Self {
        Self {
            connection,
            version,
            held_uni: Vec::new(),
            held_bi: Vec::new(),
            session_stream: None,
        }
    }

    /// A client's session with the default parameters, and a peer in its server's place, whose
    /// SETUP is sent.
    ///
    /// # Panics
    /// If the session does not start.
    ///
    /// Not cancel safe: the session is lost.
    pub async fn server(version: Version) -> (Session, Self) {
        Self::server_of(version, Config::default()).await
    }

    /// As [`Self::server`], with parameters for the session.
    ///
    /// # Panics
    /// If the session does not start.
    ///
    /// Not cancel safe: the session is lost.
    pub async fn server_of(version: Version, config: Config) -> (Session, Self) {
        let (client, server) = memory_pair(version);
        let mut peer = Self::new(server, version);
        let setup = Setup::default();
        let (session, ()) = tokio::join!(
            Session::connect_with(client, config.with_versions([version])),
            peer.setup(&setup)
        );
        (session.expect("the version is acceptable"), peer)
    }

    /// The version that is spoken.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Sets how many streams of each kind the session may have open at one time, 128 at first.
    pub fn allow_streams(&mut self, count: usize) {
        self.connection.allow_uni(count);
        self.connection.allow_bi(count);
    }

    /// Sets how many bytes the session may have in flight on each stream that is opened from now on, 64 KiB
    /// at first.
    pub fn allow_bytes(&mut self, count: usize) {
        self.connection.allow_bytes(count);
    }

    /// Sends SETUP on a stream of its own and ends that; shakes hands where the draft has that
    /// instead, and does nothing where it has neither.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn setup(&mut self, setup: &Setup) {
        let features = self.version.features();
        if features.setup_stream {
            let mut stream = self.open_uni(UniStream::Setup).await;
            stream.send(setup).await;
            stream.finish();
        }
        if features.handshake {
            let stream = match self.connection.is_server() {
                true => self.agree().await,
                false => self.offer().await,
            };
            self.session_stream = Some(stream);
        }
    }

    /// Shakes hands as a client.
    async fn offer(&mut self) -> Script {
        let mut stream = self.open_raw_bi().await;
        let mut offer = BytesMut::new();
        let put = ClientSetup::new(&[self.version]).put(&mut offer);
        put.expect("an offer that can be written");
        stream.send_bytes(offer).await;
        let answer = stream.take("SETUP", |buf, _| ServerSetup::split(buf)).await;
        assert_eq!(answer.version, self.version.code_point());
        stream
    }

    /// Shakes hands as a server.
    async fn agree(&mut self) -> Script {
        let mut stream = self.expect_raw_bi().await;
        let offer = stream.take("SETUP", |buf, _| ClientSetup::split(buf)).await;
        assert_eq!(offer.choose(&[self.version]), Some(self.version));
        let mut answer = BytesMut::new();
        let put = ServerSetup::new(self.version).put(&mut answer);
        put.expect("an answer that can be written");
        stream.send_bytes(answer).await;
        stream
    }

    /// The session's own stream, where the draft has one.
    pub fn session_stream(&mut self) -> Option<&mut Script> {
        self.session_stream.as_mut()
    }

    /// Opens a unidirectional stream and sends its type.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn open_uni(&mut self, kind: UniStream) -> Script {
        let mut stream = self.open_raw_uni().await;
        stream.send_varint(kind.code()).await;
        stream
    }

    /// Opens a bidirectional stream and sends its type.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn open_bi(&mut self, kind: BiStream) -> Script {
        let mut stream = self.open_raw_bi().await;
        stream.send_varint(kind.code()).await;
        stream
    }

    /// Opens a bidirectional stream, and sends its type and a first message.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn request(&mut self, kind: BiStream, message: &impl Encode) -> Script {
        let mut stream = self.open_bi(kind).await;
        stream.send(message).await;
        stream
    }

    /// Opens a group's stream and sends its header.
    ///
    /// Not cancel safe: the stream is lost.
    pub async fn group(&mut self, header: &GroupHeader) -> Script {
        let mut stream = self.open_uni(UniStream::Group).await;
        stream.send(header).await;
        stream
    }

    /// Opens a unidirectional stream on which nothing is sent yet.
    ///
    /// Cancel safe.
    pub async fn open_raw_uni(&mut self) -> Script {
        let opened = poll_fn(|cx| self.connection.poll_open_uni(cx));
        let send = in_time("credit for a unidirectional stream", opened).await;
        Script::new("opened uni", self.version, Some(alive(send)), None)
    }

    /// Opens a bidirectional stream on which nothing is sent yet.
    ///
    /// Cancel safe.
    pub async fn open_raw_bi(&mut self) -> Script {
        let opened = poll_fn(|cx| self.connection.poll_open_bi(cx));
        let (send, recv) = alive(in_time("credit for a bidirectional stream", opened).await);
        Script::new("opened bidi", self.version, Some(send), Some(recv))
    }

    /// Sends a datagram.
    ///
    /// # Panics
    /// If the draft has no form for it.
    pub fn send_datagram(&mut self, message: &impl Encode) {
        let mut buf = BytesMut::new();
        let encoded = message.encode(&mut buf, self.version);
        encoded.expect("a datagram that can be written");
        self.connection.send_datagram(buf.freeze());
    }

    /// Sends any bytes as a datagram.
    pub fn send_raw_datagram(&mut self, payload: impl Into<Bytes>) {
        self.connection.send_datagram(payload.into());
    }

    /// Closes the session.
    pub fn close(&mut self, code: u32, reason: &str) {
        self.connection.close(code, reason);
    }

    /// Leaves without a word.
    pub fn vanish(&mut self) {
        self.connection.lose();
    }
}

pub(super) async fn in_time<F: Future>(what: &str, future: F) -> F::Output {
    match clock::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("nothing came in {DEADLINE:?}, but {what} was expected"),
    }
}

fn alive<T>(result: Result<T, TransportError>) -> T {
    result.unwrap_or_else(|error| panic!("the session is over: {error}"))
}
