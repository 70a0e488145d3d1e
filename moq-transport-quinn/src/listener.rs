//! What serves one address.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use quinn_proto::HashedConnectionIdGenerator;
use tokio::task::JoinSet;

use crate::direct::{self, Drivers, Workers};
use crate::endpoint;
use crate::error::BindError;
use crate::handshake::Admission;
use crate::server_config::{Engine, ServerConfig};

/// Serves an address until it is dropped.
pub(crate) enum Listener {
    Direct(Drivers),
    Reference(Endpoint),
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

impl Listener {
    /// Serves from these sockets of one address.
    pub(crate) fn start(
        mut sockets: Vec<UdpSocket>,
        config: &ServerConfig,
        quic: &quinn::ServerConfig,
        admission: &Arc<Admission>,
        workers: &Workers,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let mut endpoint = EndpointConfig::default();
        let id_key = config.reset_key.as_ref().map(|key| {
            let reset_key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
            let id_key = id_key(&reset_key);
            endpoint.reset_key(Arc::new(reset_key));
            id_key
        });
        match config.engine {
            Engine::Direct => {
                let setup = direct::Setup {
                    endpoint,
                    id_key,
                    server: Arc::new(quic.clone()),
                    admission: admission.clone(),
                    limits: config.stream_limits,
                };
                Ok(Self::Direct(Drivers::start(
                    sockets, workers, &setup, tasks,
                )?))
            }
            Engine::Reference => {
                if let Some(key) = id_key {
                    let ids = move || Box::new(HashedConnectionIdGenerator::from_key(key)) as _;
                    endpoint.cid_generator(ids);
                }
                let (server, runtime) = (Some(quic.clone()), Arc::new(TokioRuntime));
                let socket = sockets.swap_remove(0);
                let endpoint = Endpoint::new(endpoint, server, socket, runtime)?;
                tasks.spawn(admission.clone().run(endpoint.clone()));
                Ok(Self::Reference(endpoint))
            }
        }
    }

    /// Takes no new connections any more.
    pub(crate) fn close(&self) {
        match self {
            Self::Direct(drivers) => drivers.close(),
            Self::Reference(endpoint) => endpoint.set_server_config(None),
        }
    }

    /// Waits until there are no connections. Cancel safe.
    pub(crate) async fn wait_idle(&self) {
        match self {
            Self::Direct(drivers) => drivers.wait_idle().await,
            Self::Reference(endpoint) => endpoint.wait_idle().await,
        }
    }
}

/// The key by which the connection ids of the process's former lives are recognised, so that what
/// they stood for is reset; packets that carry others would be dropped as none of ours.
fn id_key(reset_key: &ring::hmac::Key) -> u64 {
    let ids = ring::hmac::sign(reset_key, b"connection ids");
    ids.as_ref()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Opens the sockets of each address: as many as there are drivers, on one port.
pub(crate) fn open_sockets(
    config: &ServerConfig,
) -> Result<Vec<(Vec<UdpSocket>, SocketAddr)>, BindError> {
    let count = config.workers().get();
    let open = |addr: SocketAddr| {
        let first = endpoint::open_server_socket(addr, count > 1)?;
        let addr = first.local_addr()?;
        let others = (1..count).map(|_| endpoint::open_server_socket(addr, true));
        let sockets: io::Result<Vec<_>> = std::iter::once(Ok(first)).chain(others).collect();
        Ok((sockets?, addr))
    };
    let mut sockets: Vec<(Vec<UdpSocket>, SocketAddr)> = Vec::new();
    for &addr in &config.listen {
        let first_port = sockets.first().map_or(0, |(_, first)| first.port());
        let shared = SocketAddr::new(addr.ip(), first_port);
        let opened = match addr.port() {
            0 => open(shared).or_else(|_| open(addr)),
            _ => open(addr),
        };
        sockets.push(opened.map_err(|source| BindError::Socket { addr, source })?);
    }
    if sockets.is_empty() {
        Err(BindError::NoAddress)
    } else {
        Ok(sockets)
    }
}
