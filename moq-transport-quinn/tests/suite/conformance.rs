//! What every transport has to keep, kept by both ends over both bindings.

use moq_session::testing::conformance::{Abilities, Pair, Pairs};
use moq_transport_quinn::Connection;

use crate::suite::support::{pair, server};
use crate::{Accepted, SERVER_PINGS, Server};

/// Pairs over raw QUIC.
pub(crate) struct Raw(Server);

/// Pairs over WebTransport.
pub(crate) struct Web(Server);

impl Pairs for Raw {
    type Client = Connection;
    type Server = Accepted;

    fn begin() -> Self {
        Self(server())
    }

    async fn pair(&self) -> Pair<Connection, Accepted> {
        able(pair(&self.0, "moqt").await)
    }
}

impl Pairs for Web {
    type Client = Connection;
    type Server = Accepted;

    fn begin() -> Self {
        Self(server())
    }

    async fn pair(&self) -> Pair<Connection, Accepted> {
        able(pair(&self.0, "https").await)
    }
}

fn able((client, server): (Connection, Accepted)) -> Pair<Connection, Accepted> {
    // quinn has no ping for its users, and does not tell how many packets have come.
    let client_can = Abilities::default()
        .with_datagrams()
        .with_priorities()
        .with_measures()
        .with_stream_limit()
        .with_paused_streams()
        .with_open_streams(1_000);
    let server_can = if SERVER_PINGS {
        client_can.with_ping()
    } else {
        client_can
    };
    Pair {
        client,
        client_can,
        server,
        server_can,
    }
}

moq_session::transport_conformance!(raw: crate::suite::conformance::Raw);
moq_session::transport_conformance!(web: crate::suite::conformance::Web);
