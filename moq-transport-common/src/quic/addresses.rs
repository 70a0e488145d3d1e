//! The addresses that a server listens on.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;

use super::sockets::{has_family, open_server_sockets};
use crate::BindError;

/// What became of the addresses of a configuration.
pub(crate) struct Addresses {
    /// Those that are listened on, with their real ports.
    pub(crate) open: Vec<(Vec<UdpSocket>, SocketAddr)>,
    /// Those whose family this machine does not have.
    pub(crate) missing: Vec<SocketAddr>,
}

impl Addresses {
    /// Opens so many sockets for each address.
    ///
    /// # Errors
    /// [`BindError`] if an address cannot be had for another reason than its family, or if none can.
    pub(crate) fn open(listen: &[SocketAddr], count: NonZeroUsize) -> Result<Self, BindError> {
        let (mut open, mut missing): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        let mut failure = BindError::NoAddress;
        for addr in both_families(listen) {
            let first_port = open
                .first()
                .map_or(0, |(_, first): &(_, SocketAddr)| first.port());
            match open_at(addr, first_port, count) {
                Ok(opened) => open.push(opened),
                Err(error) if lacks_family(&error, addr) => {
                    tracing::warn!(%addr, "not listened on: this machine lacks the address family");
                    if missing.is_empty() {
                        failure = BindError::Socket {
                            addr,
                            source: error,
                        };
                    }
                    missing.push(addr);
                }
                Err(source) => return Err(BindError::Socket { addr, source }),
            }
        }
        if open.is_empty() {
            return Err(failure);
        }
        Ok(Self { open, missing })
    }
}

/// The addresses, with that of all of IPv4 after that of all of IPv6, which stands for both.
fn both_families(listen: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut addrs = Vec::new();
    for &addr in listen {
        addrs.push(addr);
        let all_v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port());
        if addr.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !listen.contains(&all_v4) {
            addrs.push(all_v4);
        }
    }
    addrs
}

/// Opens the sockets of one address; port 0 is that of the first address if it is free.
fn open_at(
    addr: SocketAddr,
    first_port: u16,
    count: NonZeroUsize,
) -> io::Result<(Vec<UdpSocket>, SocketAddr)> {
    let shared = SocketAddr::new(addr.ip(), first_port);
    match addr.port() {
        0 => open_server_sockets(shared, count).or_else(|_| open_server_sockets(addr, count)),
        _ => open_server_sockets(addr, count),
    }
}

/// Whether an address cannot be had because of its family, rather than for itself.
fn lacks_family(error: &io::Error, addr: SocketAddr) -> bool {
    let is_taken = matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    );
    !is_taken && !has_family(addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addrs(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    const ONE: NonZeroUsize = NonZeroUsize::MIN;
    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn all_of_ipv6_stands_for_both_families() {
        let both = both_families(&addrs(&["[::]:4443"]));
        assert_eq!(both, addrs(&["[::]:4443", "0.0.0.0:4443"]));
        let said = addrs(&["[::]:1", "0.0.0.0:1", "[::1]:2"]);
        assert_eq!(both_families(&said), said, "nothing twice");
    }

    #[test]
    fn an_address_that_is_not_of_this_machine_is_a_failure() {
        let listen = addrs(&["127.0.0.1:0", "192.0.2.1:0"]);
        let failed = Addresses::open(&listen, ONE).err();
        assert!(matches!(
            failed,
            Some(BindError::Socket { addr, .. }) if addr == listen[1]
        ));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_port_is_never_shared_with_a_stranger() {
        use socket2::{Domain, Socket, Type};

        let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
        for count in [ONE, TWO] {
            let stranger = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
            stranger.set_reuse_port(true).unwrap();
            stranger.bind(&loopback.into()).unwrap();
            let taken = stranger.local_addr().unwrap().as_socket().unwrap();
            let refused = Addresses::open(&[taken], count).err();
            assert!(is_in_use(refused), "{count}");

            let first = Addresses::open(&[loopback], count).ok().unwrap();
            let second = Addresses::open(&[first.open[0].1], count).err();
            assert!(is_in_use(second), "{count}");
        }
    }

    #[cfg(target_os = "linux")]
    fn is_in_use(failure: Option<BindError>) -> bool {
        matches!(failure, Some(BindError::Socket { source, .. }) if source.kind() == io::ErrorKind::AddrInUse)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn sockets_of_one_port_get_peers_each() {
        let opened = Addresses::open(&addrs(&["127.0.0.1:0", "[::1]:0"]), TWO);
        for (sockets, addr) in opened.ok().unwrap().open {
            let any = SocketAddr::new(addr.ip(), 0);
            for _ in 0..64 {
                let peer = UdpSocket::bind(any).unwrap();
                peer.send_to(b"x", addr).unwrap();
            }
            let received: Vec<_> = sockets
                .iter()
                .map(|socket| std::iter::from_fn(|| socket.recv(&mut [0; 8]).ok()).count())
                .collect();
            assert_eq!(received.iter().sum::<usize>(), 64);
            assert!(received.iter().all(|count| *count > 0), "{received:?}");
        }
    }
}
