//! Many trains by one system call.

use std::io::IoSlice;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, sendmmsg,
};
use quinn_proto::{EcnCodepoint, Transmit};

/// Sends as many of the first trains as can go by one call, and gives how many the system took. It
/// is none where a call of its own for each is as good, or where the system refuses the first.
pub(super) fn send(socket: &UdpSocket, trains: &[Transmit], bytes: &[u8]) -> usize {
    let Some(shared) = trains.first().map(Shared::of) else {
        return 0;
    };
    let alike = trains
        .iter()
        .take_while(|train| Shared::of(train) == shared);
    let count = alike.take(MAX_TRAINS).count();
    if count < MIN_TRAINS {
        return 0;
    }
    let mut rest = bytes;
    let contents = trains[..count].iter().map(|train| {
        let (contents, after) = rest.split_at(train.size);
        rest = after;
        [IoSlice::new(contents)]
    });
    let contents: Vec<_> = contents.collect();
    let peers = trains[..count].iter().map(|train| train.destination);
    match trains[0].destination {
        SocketAddr::V4(_) => {
            shared.send(socket, &peers.map(to_ipv4).collect::<Vec<_>>(), &contents)
        }
        SocketAddr::V6(_) => {
            shared.send(socket, &peers.map(to_ipv6).collect::<Vec<_>>(), &contents)
        }
    }
}

/// What the trains of a call have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shared {
    is_ipv4: bool,
    mark: Option<EcnCodepoint>,
    /// Of trains that are more than one datagram.
    segment_size: Option<u16>,
    /// This end's address.
    source: Option<IpAddr>,
}

impl Shared {
    fn of(train: &Transmit) -> Self {
        let segment_size = train.segment_size.filter(|size| *size < train.size);
        Self {
            is_ipv4: train.destination.ip().to_canonical().is_ipv4(),
            mark: train.ecn,
            segment_size: segment_size.and_then(|size| u16::try_from(size).ok()),
            source: train.src_ip,
        }
    }

    fn send<S: SockaddrLike + Copy>(
        self,
        socket: &UdpSocket,
        peers: &[Option<S>],
        contents: &[[IoSlice<'_>; 1]],
    ) -> usize {
        let mark = self.mark.map_or(0, |mark| mark as u8);
        let class = i32::from(mark);
        let source4 = self.source.and_then(from_ipv4);
        let source6 = self.source.and_then(from_ipv6);
        // The system takes a message only if it fills its room.
        let mut room = cmsg_space!(i32).capacity();
        let mut controls = vec![match self.is_ipv4 {
            true => ControlMessage::Ipv4Tos(&mark),
            false => ControlMessage::Ipv6TClass(&class),
        }];
        if let Some(size) = &self.segment_size {
            room += cmsg_space!(u16).capacity();
            controls.push(ControlMessage::UdpGsoSegments(size));
        }
        if let Some(source) = &source4 {
            room += cmsg_space!(in_pktinfo).capacity();
            controls.push(ControlMessage::Ipv4PacketInfo(source));
        }
        if let Some(source) = &source6 {
            room += cmsg_space!(in6_pktinfo).capacity();
            controls.push(ControlMessage::Ipv6PacketInfo(source));
        }
        let mut headers = MultiHeaders::preallocate(peers.len(), Some(Vec::with_capacity(room)));
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(fd, &mut headers, contents, peers, &controls, flags);
        sent.map_or(0, Iterator::count)
    }
}

fn to_ipv4(peer: SocketAddr) -> Option<SockaddrIn> {
    match peer {
        SocketAddr::V4(peer) => Some(peer.into()),
        SocketAddr::V6(_) => None,
    }
}

fn to_ipv6(peer: SocketAddr) -> Option<SockaddrIn6> {
    match peer {
        SocketAddr::V4(_) => None,
        SocketAddr::V6(peer) => Some(peer.into()),
    }
}

fn from_ipv4(ip: IpAddr) -> Option<in_pktinfo> {
    let IpAddr::V4(ip) = ip else { return None };
    let address = |ip: Ipv4Addr| in_addr {
        s_addr: u32::from_ne_bytes(ip.octets()),
    };
    Some(in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: address(ip),
        ipi_addr: address(Ipv4Addr::UNSPECIFIED),
    })
}

fn from_ipv6(ip: IpAddr) -> Option<in6_pktinfo> {
    let IpAddr::V6(ip) = ip else { return None };
    Some(in6_pktinfo {
        ipi6_addr: in6_addr {
            s6_addr: ip.octets(),
        },
        ipi6_ifindex: 0,
    })
}

/// The least trains whose call is cheaper than one for each.
const MIN_TRAINS: usize = 8;

/// The most trains of a call.
const MAX_TRAINS: usize = 32;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// A socket, and others with what is to be sent to each: a train of two datagrams.
    fn trains(ip: IpAddr) -> (UdpSocket, Vec<UdpSocket>, Vec<Transmit>, Vec<u8>) {
        let socket = || UdpSocket::bind((ip, 0)).unwrap();
        let peers: Vec<_> = (0..MIN_TRAINS).map(|_| socket()).collect();
        let transmit = |peer: &UdpSocket| Transmit {
            destination: peer.local_addr().unwrap(),
            ecn: Some(EcnCodepoint::Ect0),
            size: 30,
            segment_size: Some(20),
            src_ip: Some(ip),
        };
        let trains = peers.iter().map(transmit).collect();
        let bytes = (0..MIN_TRAINS as u8).flat_map(|number| [number; 30]);
        (socket(), peers, trains, bytes.collect())
    }

    fn each_peer_gets_its_train(ip: IpAddr) {
        let (socket, peers, trains, bytes) = trains(ip);
        assert_eq!(send(&socket, &trains, &bytes), peers.len());
        for (peer, number) in peers.iter().zip(0u8..) {
            let mut inbox = [0; 64];
            for size in [20, 10] {
                let (received, from) = peer.recv_from(&mut inbox).unwrap();
                assert_eq!(inbox[..received], vec![number; size]);
                assert_eq!(from, socket.local_addr().unwrap());
            }
        }
    }

    #[test]
    fn each_peer_gets_its_train_over_ipv4() {
        each_peer_gets_its_train(Ipv4Addr::LOCALHOST.into());
    }

    #[test]
    fn each_peer_gets_its_train_over_ipv6() {
        each_peer_gets_its_train(Ipv6Addr::LOCALHOST.into());
    }

    #[test]
    fn each_peer_gets_its_train_over_ipv4_from_a_socket_for_both() {
        each_peer_gets_its_train(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into());
    }

    #[test]
    fn what_is_refused_ends_the_call() {
        let (socket, _peers, mut trains, bytes) = trains(Ipv4Addr::LOCALHOST.into());
        trains[3].destination.set_port(0);
        assert_eq!(send(&socket, &trains, &bytes), 3);
        trains[0].destination.set_port(0);
        assert_eq!(send(&socket, &trains, &bytes), 0);
    }

    #[test]
    fn trains_that_differ_do_not_share_a_call() {
        let (socket, _peers, mut trains, bytes) = trains(Ipv4Addr::LOCALHOST.into());
        trains[MIN_TRAINS - 1].ecn = None;
        assert_eq!(send(&socket, &trains, &bytes), 0);
    }
}
