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

/// Sends as many of the first trains as can go by one call, and gives how many the system took: none
/// if it refuses the first. Where a call for each is as good, nothing is sent, and nothing given.
pub(super) fn send(socket: &UdpSocket, trains: &[Transmit], bytes: &[u8]) -> Option<usize> {
    let shared = Shared::of(trains.first()?);
    let alike = trains
        .iter()
        .take_while(|train| Shared::of(train) == shared);
    let trains = &trains[..alike.count()];
    if trains.len() < MIN_TRAINS {
        return None;
    }
    let mut rest = bytes;
    let contents = trains.iter().map(|train| {
        let (contents, after) = rest.split_at(train.size);
        rest = after;
        [IoSlice::new(contents)]
    });
    let contents: Vec<_> = contents.collect();
    let peers = trains.iter().map(|train| train.destination);
    Some(match trains[0].destination {
        SocketAddr::V4(_) => {
            shared.send(socket, &peers.map(to_ipv4).collect::<Vec<_>>(), &contents)
        }
        SocketAddr::V6(_) => {
            shared.send(socket, &peers.map(to_ipv6).collect::<Vec<_>>(), &contents)
        }
    })
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
        // The control messages have to fill their room: the system refuses zeros behind them. A
        // mark takes as much in either form.
        let mut room = cmsg_space!(i32).len();
        let mut controls = vec![match self.is_ipv4 {
            true => ControlMessage::Ipv4Tos(&mark),
            false => ControlMessage::Ipv6TClass(&class),
        }];
        if let Some(size) = &self.segment_size {
            room += cmsg_space!(u16).len();
            controls.push(ControlMessage::UdpGsoSegments(size));
        }
        if let Some(source) = &source4 {
            room += cmsg_space!(in_pktinfo).len();
            controls.push(ControlMessage::Ipv4PacketInfo(source));
        }
        if let Some(source) = &source6 {
            room += cmsg_space!(in6_pktinfo).len();
            controls.push(ControlMessage::Ipv6PacketInfo(source));
        }
        let mut headers = MultiHeaders::preallocate(peers.len(), Some(vec![0; room]));
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(fd, &mut headers, contents, peers, &controls, flags);
        // nix tells the number only by going through what it has for received messages.
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

/// The fewest trains whose call is cheaper than one for each.
const MIN_TRAINS: usize = 8;

#[cfg(test)]
mod tests {
    use std::io::IoSliceMut;
    use std::net::Ipv6Addr;
    use std::time::Duration;

    use quinn_udp::{RecvMeta, UdpSocketState};

    use super::*;

    /// A socket, and others with what is to be sent to each from an address: a train of two
    /// datagrams.
    fn trains(from: IpAddr, to: IpAddr) -> (UdpSocket, Vec<UdpSocket>, Vec<Transmit>, Vec<u8>) {
        let any: IpAddr = match from {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let peers = (0..MIN_TRAINS).map(|_| UdpSocket::bind((to, 0)).unwrap());
        let peers: Vec<_> = peers.collect();
        let transmit = |peer: &UdpSocket| Transmit {
            destination: peer.local_addr().unwrap(),
            ecn: Some(EcnCodepoint::Ect0),
            size: 30,
            segment_size: Some(20),
            src_ip: Some(from),
        };
        let trains = peers.iter().map(transmit).collect();
        let bytes = (0..MIN_TRAINS as u8).flat_map(|number| [number; 30]);
        let socket = UdpSocket::bind((any, 0)).unwrap();
        (socket, peers, trains, bytes.collect())
    }

    fn each_peer_gets_its_train(from: IpAddr, to: IpAddr) {
        let (socket, peers, trains, bytes) = trains(from, to);
        let state = |peer: &UdpSocket| UdpSocketState::new(peer.into()).unwrap();
        let states: Vec<_> = peers.iter().map(state).collect();
        assert_eq!(send(&socket, &trains, &bytes), Some(peers.len()));
        for ((peer, state), number) in peers.iter().zip(states).zip(0u8..) {
            peer.set_nonblocking(false).unwrap();
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut inbox = [0; 64];
            let mut metas = [RecvMeta::default()];
            let slots = &mut [IoSliceMut::new(&mut inbox)];
            state.recv(peer.into(), slots, &mut metas).unwrap();
            assert_eq!(metas[0].addr.ip(), from);
            assert_eq!(metas[0].ecn, Some(quinn_udp::EcnCodepoint::Ect0));
            assert_eq!(inbox[..metas[0].len], [number; 30]);
        }
    }

    #[test]
    fn each_peer_gets_its_train_over_ipv4() {
        let from = Ipv4Addr::new(127, 0, 0, 2);
        each_peer_gets_its_train(from.into(), Ipv4Addr::LOCALHOST.into());
    }

    #[test]
    fn each_peer_gets_its_train_over_ipv6() {
        let ip = Ipv6Addr::LOCALHOST.into();
        each_peer_gets_its_train(ip, ip);
    }

    #[test]
    fn what_is_refused_ends_the_call() {
        let ip = Ipv4Addr::LOCALHOST.into();
        let (socket, _peers, mut trains, bytes) = trains(ip, ip);
        trains[3].destination.set_port(0);
        assert_eq!(send(&socket, &trains, &bytes), Some(3));
        trains[0].destination.set_port(0);
        assert_eq!(send(&socket, &trains, &bytes), Some(0));
    }

    #[test]
    fn trains_that_differ_do_not_share_a_call() {
        let ip = Ipv4Addr::LOCALHOST.into();
        let (socket, _peers, mut trains, bytes) = trains(ip, ip);
        trains[MIN_TRAINS - 1].ecn = None;
        assert_eq!(send(&socket, &trains, &bytes), None);
    }

    const PATIENCE: Duration = Duration::from_secs(10);
}
