//! The other end of a session, driven by hand.

use std::future::{Future, poll_fn};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use moq_wire::{
    BiStream, ClientSetup, Decode, Encode, GroupHeader, ServerSetup, Setup, UniStream, Version,
    decode_body,
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
    pub async fn server(version: Version) -> (Session, Self) {
        Self::server_of(version, Config::default()).await
    }

    /// As [`Self::server`], with parameters for the session.
    ///
    /// # Panics
    /// If the session does not start.
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
    pub async fn setup(&mut self, setup: &Setup) {
        let features = self.version.features();
        if features.setup_stream {
            let mut stream = self.open_uni(UniStream::Setup).await;
            stream.send(setup).await;
            stream.finish();
        }
        if features.handshake {
            let stream = match self.connection.is_server() {
                true => self.settle().await,
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
    async fn settle(&mut self) -> Script {
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
    pub async fn open_uni(&mut self, kind: UniStream) -> Script {
        let mut stream = self.open_raw_uni().await;
        stream.send_varint(kind.code()).await;
        stream
    }

    /// Opens a bidirectional stream and sends its type.
    pub async fn open_bi(&mut self, kind: BiStream) -> Script {
        let mut stream = self.open_raw_bi().await;
        stream.send_varint(kind.code()).await;
        stream
    }

    /// Opens a bidirectional stream, and sends its type and a first message.
    pub async fn request(&mut self, kind: BiStream, message: &impl Encode) -> Script {
        let mut stream = self.open_bi(kind).await;
        stream.send(message).await;
        stream
    }

    /// Opens a group's stream and sends its header.
    pub async fn group(&mut self, header: &GroupHeader) -> Script {
        let mut stream = self.open_uni(UniStream::Group).await;
        stream.send(header).await;
        stream
    }

    /// Opens a unidirectional stream on which nothing is sent yet.
    pub async fn open_raw_uni(&mut self) -> Script {
        let opened = poll_fn(|cx| self.connection.poll_open_uni(cx));
        let send = in_time("credit for a unidirectional stream", opened).await;
        Script::new("opened uni", self.version, Some(alive(send)), None)
    }

    /// Opens a bidirectional stream on which nothing is sent yet.
    pub async fn open_raw_bi(&mut self) -> Script {
        let opened = poll_fn(|cx| self.connection.poll_open_bi(cx));
        let (send, recv) = alive(in_time("credit for a bidirectional stream", opened).await);
        Script::new("opened bidi", self.version, Some(send), Some(recv))
    }

    /// Waits for the session's next bidirectional stream, of which nothing is read.
    pub async fn expect_raw_bi(&mut self) -> Script {
        let accepted = poll_fn(|cx| self.connection.poll_accept_bi(cx));
        let (send, recv) = alive(in_time("a bidirectional stream", accepted).await);
        Script::new("accepted bidi", self.version, Some(send), Some(recv))
    }

    /// Waits for a unidirectional stream of the session, of this type; others wait their turn.
    pub async fn expect_uni(&mut self, kind: UniStream) -> Script {
        let name = format!("{kind:?} (uni)");
        loop {
            let held = self.held_uni.iter().position(|(k, _)| *k == kind.code());
            if let Some(at) = held {
                return self.held_uni.remove(at).1;
            }
            let accepted = poll_fn(|cx| self.connection.poll_accept_uni(cx));
            let recv = alive(in_time(&name, accepted).await);
            let mut stream = Script::new(&name, self.version, None, Some(recv));
            let code = stream.expect_varint().await;
            self.held_uni.push((code, stream));
        }
    }

    /// Waits for a bidirectional stream of the session, of this type; others wait their turn.
    pub async fn expect_bi(&mut self, kind: BiStream) -> Script {
        let name = format!("{kind:?} (bidi)");
        loop {
            let held = self.held_bi.iter().position(|(k, _)| *k == kind.code());
            if let Some(at) = held {
                return self.held_bi.remove(at).1;
            }
            let accepted = poll_fn(|cx| self.connection.poll_accept_bi(cx));
            let (send, recv) = alive(in_time(&name, accepted).await);
            let mut stream = Script::new(&name, self.version, Some(send), Some(recv));
            let code = stream.expect_varint().await;
            self.held_bi.push((code, stream));
        }
    }

    /// Waits for a request of the session.
    pub async fn expect_request<M: Decode>(&mut self, kind: BiStream) -> (M, Script) {
        let mut stream = self.expect_bi(kind).await;
        (stream.expect().await, stream)
    }

    /// Waits for a group's stream.
    pub async fn expect_group(&mut self) -> (GroupHeader, Script) {
        let mut stream = self.expect_uni(UniStream::Group).await;
        (stream.expect().await, stream)
    }

    /// Checks that the session opens no stream of this type for a while.
    pub async fn expect_no_uni(&mut self, kind: UniStream, wait: Duration) {
        let came = clock::timeout(wait, self.expect_uni(kind)).await;
        assert!(came.is_err(), "no {kind:?} stream was expected");
    }

    /// As [`Self::expect_no_uni`], for bidirectional streams.
    pub async fn expect_no_bi(&mut self, kind: BiStream, wait: Duration) {
        let came = clock::timeout(wait, self.expect_bi(kind)).await;
        assert!(came.is_err(), "no {kind:?} stream was expected");
    }

    /// Sends a datagram. Panics if the draft has no form for it.
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

    /// Waits for a datagram.
    pub async fn expect_datagram<M: Decode>(&mut self) -> M {
        let received = poll_fn(|cx| self.connection.poll_recv_datagram(cx));
        let datagram = alive(in_time("a datagram", received).await);
        let shown = format!("{datagram:02x?}");
        decode_body(datagram, self.version)
            .unwrap_or_else(|error| panic!("a datagram does not parse: {error} ({shown})"))
    }

    /// Closes the session.
    pub fn close(&mut self, code: u32, reason: &str) {
        self.connection.close(code, reason);
    }

    /// Leaves without a word.
    pub fn vanish(&mut self) {
        self.connection.lose();
    }

    /// Waits until the session is closed, with this code.
    ///
    /// # Panics
    /// If it is closed with another code, or not at all.
    pub async fn expect_close(&mut self, code: u32) -> String {
        let closed = poll_fn(|cx| self.connection.poll_closed(cx));
        match in_time("the session's close", closed).await {
            TransportError::Closed {
                code: got, reason, ..
            } => {
                assert_eq!(got, code, "closed with {got:#x} ({reason}), not {code:#x}");
                reason
            }
            error => panic!("the connection ended otherwise: {error}"),
        }
    }

    /// Checks that the session still answers: it refuses a stream of an unknown type.
    pub async fn expect_alive(&mut self) {
        let mut stream = self.open_raw_bi().await;
        stream.send_varint(0x3f).await;
        stream.expect_reset(moq_wire::code::stream::CANCELLED).await;
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
