//! A client's endpoints.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use moq_transport_common::quic::open_client_socket;
use quinn::{Endpoint, EndpointConfig, TokioRuntime};

/// A client's endpoints, one per address family, opened when first needed.
#[derive(Default)]
pub(crate) struct ClientEndpoints {
    v4: Mutex<Option<Endpoint>>,
    v6: Mutex<Option<Endpoint>>,
}

impl ClientEndpoints {
    /// The endpoint that can reach `remote`, from `bind` if that is given.
    pub(crate) fn toward(&self, remote: SocketAddr, bind: Option<IpAddr>) -> io::Result<Endpoint> {
        let slot = if remote.is_ipv4() { &self.v4 } else { &self.v6 };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = &*slot {
            return Ok(endpoint.clone());
        }
        let socket = open_client_socket(local_for(remote, bind))?;
        let endpoint = Endpoint::new(
            EndpointConfig::default(),
            None,
            socket,
            Arc::new(TokioRuntime),
        )?;
        *slot = Some(endpoint.clone());
        Ok(endpoint)
    }

    /// Waits until all connections are gone and their peers were told.
    pub(crate) async fn wait_idle(&self) {
        for slot in [&self.v4, &self.v6] {
            let endpoint = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(endpoint) = endpoint {
                endpoint.wait_idle().await;
            }
        }
    }
}

/// A local address, of any port, from which `remote` can be reached.
pub(crate) fn local_for(remote: SocketAddr, bind: Option<IpAddr>) -> SocketAddr {
    let any = match remote {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(bind.unwrap_or(any), 0)
}
