//! A client of HTTP/3 that is moved by hand.

use moq_session::transport::Incoming as _;
use moq_transport_direct::{Connection, IncomingConnection, Server};
use quinn::VarInt;
use web_transport_proto::{ConnectRequest, Settings};

use crate::support::{foreign_client, identity};

/// A client that is moved by hand: raw QUIC under HTTP/3's name.
pub(crate) struct Odd {
    pub(crate) quic: quinn::Connection,
    _endpoint: quinn::Endpoint,
}

impl Odd {
    pub(crate) async fn connect(server: &Server) -> Self {
        let identity = identity();
        server.set_certificate(identity.clone());
        let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
        let config = foreign_client(&identity, "h3");
        let connecting = endpoint.connect_with(config, server.local_addrs()[0], "localhost");
        Self {
            quic: connecting.unwrap().await.unwrap(),
            _endpoint: endpoint,
        }
    }

    /// A unidirectional stream that begins with these bytes, and stays open.
    pub(crate) async fn uni(&self, bytes: &[u8]) -> quinn::SendStream {
        let mut stream = self.quic.open_uni().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// A bidirectional stream that begins with these bytes, and stays open.
    pub(crate) async fn bidi(&self, bytes: &[u8]) -> (quinn::SendStream, quinn::RecvStream) {
        let (mut send, recv) = self.quic.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        (send, recv)
    }

    pub(crate) async fn closed_with(&self) -> u64 {
        match self.quic.closed().await {
            quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("{other:?}"),
        }
    }
}

/// A session over streams as HTTP/3 wants them: both ends, and the client's CONNECT stream.
pub(crate) async fn session(
    server: &Server,
) -> (
    Odd,
    Connection,
    (quinn::SendStream, quinn::RecvStream),
    quinn::SendStream,
) {
    let odd = Odd::connect(server).await;
    let control = odd.uni(&settings()).await;
    let connect = odd.bidi(&request()).await;
    let accepted = accept(server.accept().await.unwrap()).await;
    (odd, accepted, connect, control)
}

pub(crate) async fn accept(incoming: IncomingConnection) -> Connection {
    incoming.accept(None).await.unwrap()
}

pub(crate) fn settings() -> Vec<u8> {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut bytes = Vec::new();
    settings.encode(&mut bytes);
    bytes
}

pub(crate) fn request() -> Vec<u8> {
    let url = url::Url::parse("https://localhost/room?x=1").unwrap();
    let mut bytes = Vec::new();
    ConnectRequest::new(url).encode(&mut bytes).unwrap();
    bytes
}

/// The head of a unidirectional stream of the first session, as a varint of two bytes and one.
pub(crate) const UNI: [u8; 3] = [0x40, 0x54, 0];

/// The same of a bidirectional one.
pub(crate) const BIDI: [u8; 3] = [0x40, 0x41, 0];

/// HTTP/3's code for an end without fault.
pub(crate) const NO_ERROR: VarInt = VarInt::from_u32(0x100);

/// HTTP/3's code for a stream that this end does not know.
pub(crate) const STREAM_CREATION_ERROR: VarInt = VarInt::from_u32(0x103);

/// HTTP/3's code for a request that nobody looked at.
pub(crate) const REJECTED: VarInt = VarInt::from_u32(0x10b);

/// HTTP/3's code for a request that is cut off.
pub(crate) const INCOMPLETE: VarInt = VarInt::from_u32(0x10d);

/// HTTP/3's code for a request that is malformed.
pub(crate) const MESSAGE_ERROR: VarInt = VarInt::from_u32(0x10e);

/// WebTransport's code for a stream of a session that there is not.
pub(crate) const NO_SESSION: VarInt = VarInt::from_u32(0x3994_bd84);

/// A request for a page: HEADERS with `GET`, `https` and `/` of the static table, and a host.
pub(crate) const GET: [u8; 10] = [1, 8, 0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, b'h'];
