//! UDP sockets.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Opens a client's socket of one family.
///
/// # Errors
/// The system's, if the address cannot be had.
pub fn open_client_socket(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(local)?;
    size_buffers(&socket, false);
    bind(socket, local)
}

/// Opens a server's sockets of one address, which share its port: the system gives all that one
/// peer sends to one of them.
///
/// The first is bound without sharing, so this fails if anybody else has the port, even where they
/// would share it. From then on only a program of the same user that itself asks to share could
/// join, which the system gives no way to forbid.
///
/// # Errors
/// The system's, if the address cannot be had, or if it cannot share out peers among sockets.
pub(crate) fn open_server_sockets(
    local: SocketAddr,
    count: NonZeroUsize,
) -> io::Result<(Vec<UdpSocket>, SocketAddr)> {
    let first = open(local)?;
    size_buffers(&first, true);
    let first = bind(first, local)?;
    let local = first.local_addr()?;
    let mut sockets = vec![first];
    if count > NonZeroUsize::MIN {
        share_port(&SockRef::from(&sockets[0]))?;
    }
    while sockets.len() < count.get() {
        let socket = open(local)?;
        share_port(&socket)?;
        size_buffers(&socket, true);
        sockets.push(bind(socket, local)?);
    }
    Ok((sockets, local))
}

/// Has further sockets of this user bind the same address.
#[cfg(target_os = "linux")]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Other systems let sockets share a port, too, but give all packets to one of them.
#[cfg(not(target_os = "linux"))]
fn share_port(_socket: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether this machine has the family of an address.
pub(crate) fn has_family(addr: SocketAddr) -> bool {
    let loopback = match addr {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    };
    UdpSocket::bind(loopback).is_ok()
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
    // Each is asked for, whatever became of the other.
    let received = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let sent = socket.set_send_buffer_size(SOCKET_BUFFER);
    let asked = received.and(sent);
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
