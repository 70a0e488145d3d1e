//! UDP sockets.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Opens a client's socket of one family.
///
/// # Errors
/// The system's, if the address cannot be had.
pub fn open_client_socket(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(local)?;
    size_buffers(&socket, false);
    bind(socket, local)
}

/// Opens a server's socket of one family. Where the port is shared, further ones can be opened on
/// it, and the system gives all that one peer sends to one of them.
pub(crate) fn open_server_socket(local: SocketAddr, shares_port: bool) -> io::Result<UdpSocket> {
    let socket = open(local)?;
    #[cfg(unix)]
    socket.set_reuse_port(shares_port)?;
    #[cfg(not(unix))]
    if shares_port {
        return Err(io::ErrorKind::Unsupported.into());
    }
    size_buffers(&socket, true);
    bind(socket, local)
}

fn open(local: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    if local.is_ipv6() {
        // So that the same port can be had on both families.
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn bind(socket: Socket, local: SocketAddr) -> io::Result<UdpSocket> {
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
