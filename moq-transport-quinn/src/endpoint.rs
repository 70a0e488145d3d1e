//! UDP sockets, and a client's endpoints on them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};

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

/// Opens a client's socket of one family.
fn open_client_socket(local: SocketAddr) -> io::Result<UdpSocket> {
    open_socket(local, false, false)
}

/// Opens a server's socket of one family. Where the port is shared, further ones can be opened on
/// it, and the system gives all that one peer sends to one of them.
pub(crate) fn open_server_socket(local: SocketAddr, shares_port: bool) -> io::Result<UdpSocket> {
    open_socket(local, true, shares_port)
}

fn open_socket(local: SocketAddr, serving: bool, shares_port: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    if local.is_ipv6() {
        // So that the same port can be had on both families.
        socket.set_only_v6(true)?;
    }
    if shares_port {
        socket.set_reuse_port(true)?;
    }
    size_buffers(&socket, serving);
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    Ok(socket.into())
}

/// Asks for buffers that outlast a pause of the process, and says so if the system grants less.
fn size_buffers(socket: &Socket, serving: bool) {
    let asked = socket
        .set_recv_buffer_size(SOCKET_BUFFER)
        .and_then(|()| socket.set_send_buffer_size(SOCKET_BUFFER));
    let granted =
        asked.and_then(|()| Ok(socket.recv_buffer_size()?.min(socket.send_buffer_size()?)));
    match granted {
        Ok(bytes) if bytes >= SOCKET_BUFFER => {}
        Ok(bytes) if serving => tracing::warn!(
            bytes,
            wanted = SOCKET_BUFFER,
            "UDP socket buffers are small, so bursts may be lost; on Linux raise net.core.rmem_max and wmem_max"
        ),
        Ok(bytes) => tracing::debug!(
            bytes,
            wanted = SOCKET_BUFFER,
            "UDP socket buffers are small"
        ),
        Err(error) => tracing::debug!(%error, "cannot size UDP socket buffers"),
    }
}

/// Bytes per direction.
const SOCKET_BUFFER: usize = 4 << 20;
