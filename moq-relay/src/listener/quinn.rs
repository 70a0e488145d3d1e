//! moq-transport-quinn as a listener.

use std::net::SocketAddr;

use tokio::runtime::Handle;

use super::{Arrival, Listener};
use crate::tls::{Fingerprint, Identity};

impl Listener for moq_transport_quinn::Server {
    type Incoming = moq_transport_quinn::IncomingConnection;

    fn local_addrs(&self) -> &[SocketAddr] {
        self.local_addrs()
    }

    fn missing_addrs(&self) -> &[SocketAddr] {
        self.missing_addrs()
    }

    fn runtimes(&self) -> Vec<Handle> {
        Vec::new()
    }

    async fn accept(&self) -> Option<Arrival<Self::Incoming>> {
        let incoming = self.accept().await?;
        Some(Arrival {
            remote: incoming.remote(),
            worker: 0,
            incoming,
        })
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        self.fingerprints()
    }

    fn set_certificate(&self, identity: Identity) {
        self.set_certificate(identity);
    }

    fn close(&self, code: u32, reason: &str) {
        self.close(code, reason);
    }

    async fn wait_idle(&self) {
        self.wait_idle().await;
    }
}
