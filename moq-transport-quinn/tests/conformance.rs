//! What every transport has to keep, kept by quinn and by the direct engine over both bindings.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use moq_session::testing::conformance::{Abilities, Pair, Pairs};
use moq_session::transport::Incoming as _;
use moq_transport_quinn::tls::Identity;
use moq_transport_quinn::{Client, ClientConfig, Connection, Engine, Server, ServerConfig};
use url::Url;

/// A server on loopback and a client that trusts it.
struct Loopback {
    server: Server,
    client: Client,
}

impl Loopback {
    fn new(engine: Engine) -> Self {
        let names = ["127.0.0.1".to_owned()];
        let config = ServerConfig::default()
            .with_listen(([127, 0, 0, 1], 0).into())
            .with_engine(engine)
            .with_identity(Identity::generate(&names).unwrap())
            .with_protocols([PROTOCOL]);
        let server = Server::bind(config).unwrap();
        let trusted = ClientConfig::default().with_fingerprint(server.fingerprints()[0]);
        let client = Client::new(trusted.with_protocols([PROTOCOL]));
        Self { server, client }
    }

    async fn pair(&self, scheme: &str, server_can: Abilities) -> Pair<Connection, Connection> {
        let address = self.server.local_addrs()[0];
        let url = Url::parse(&format!("{scheme}://{address}/room")).unwrap();
        let accepted = async {
            let incoming = self.server.accept().await.unwrap();
            incoming.accept(Some(PROTOCOL)).await.unwrap()
        };
        let (client, server) = tokio::join!(self.client.connect(url), accepted);
        Pair {
            client: client.unwrap(),
            client_can: quinn_can(),
            server,
            server_can,
        }
    }
}

/// quinn has no ping for its users, and does not tell how many packets have come.
fn quinn_can() -> Abilities {
    Abilities::default()
        .with_datagrams()
        .with_priorities()
        .with_measures()
        .with_stream_limit()
        .with_paused_streams()
        .with_open_streams(1_000)
}

/// Makes pairs of quinn's client and a server on an engine, over the binding of a scheme.
macro_rules! pairs {
    ($name:ident, $engine:expr, $scheme:literal, $server_can:expr) => {
        struct $name(Loopback);

        impl Pairs for $name {
            type Client = Connection;
            type Server = Connection;

            fn begin() -> Self {
                Self(Loopback::new($engine))
            }

            async fn pair(&self) -> Pair<Connection, Connection> {
                self.0.pair($scheme, $server_can).await
            }
        }
    };
}

pairs!(QuinnRaw, Engine::Reference, "moqt", quinn_can());
pairs!(QuinnWeb, Engine::Reference, "https", quinn_can());
pairs!(DirectRaw, Engine::Direct, "moqt", quinn_can().with_ping());
pairs!(DirectWeb, Engine::Direct, "https", quinn_can().with_ping());

moq_session::transport_conformance!(quinn_raw: crate::QuinnRaw);
moq_session::transport_conformance!(quinn_web: crate::QuinnWeb);
moq_session::transport_conformance!(direct_raw: crate::DirectRaw);
moq_session::transport_conformance!(direct_web: crate::DirectWeb);

/// The name that both ends know.
const PROTOCOL: &str = "moq-lite-06";
