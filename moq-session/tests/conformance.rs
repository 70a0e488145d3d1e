//! What every transport has to keep, kept by the two ends in one process.

#![allow(clippy::unwrap_used, reason = "tests")]

use moq_session::Version;
use moq_session::memory::{MemoryConnection, memory_pair};
use moq_session::testing::conformance::{Abilities, Pair, Pairs};

struct Memory;

impl Pairs for Memory {
    type Client = MemoryConnection;
    type Server = MemoryConnection;

    fn begin() -> Self {
        Self
    }

    async fn pair(&self) -> Pair<MemoryConnection, MemoryConnection> {
        let (client, server) = memory_pair(Version::Lite06);
        let can = Abilities::default()
            .with_datagrams()
            .with_ping()
            .with_open_streams(128);
        Pair {
            client,
            client_can: can,
            server,
            server_can: can,
        }
    }
}

moq_session::transport_conformance!(memory: crate::Memory);
