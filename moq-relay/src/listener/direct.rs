//! moq-transport-direct as a listener.

use std::net::SocketAddr;

use tokio::runtime::Handle;

use super::{Arrival, Listener};
use crate::tls::{Fingerprint, Identity};

impl Listener for moq_transport_direct::Server {
    type Incoming = moq_transport_direct::IncomingConnection;

    fn local_addrs(&self) -> &[SocketAddr] {
        self.local_addrs()
    }

    fn missing_addrs(&self) -> &[SocketAddr] {
        self.missing_addrs()
    }

    fn runtimes(&self) -> Vec<Handle> {
        self.runtimes().to_vec()
    }

    async fn accept(&self) -> Option<Arrival<Self::Incoming>> {
        let incoming = self.accept().await?;
        Some(Arrival {
            remote: incoming.remote(),
            worker: incoming.worker(),
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
