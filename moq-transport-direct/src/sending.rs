//! What a driver's socket sends, and what it does when the system refuses.

use std::future::Future;
use std::io;
use std::net::UdpSocket;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::libc::{EINVAL, EIO, ENOBUFS};
use quinn_proto::{EcnCodepoint, Transmit};
use quinn_udp::UdpSocketState;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep};

use crate::socket::{Socket, watch};

/// What tells that there is room to send.
pub(super) enum Room {
    /// The socket.
    Socket(AsyncFd<UdpSocket>),
    /// A moment that passes.
    Later(Pin<Box<Sleep>>),
}

impl Socket {
    /// Sends trains, and says how many of them the system took. What it refuses for another reason
    /// than a full buffer counts as lost on the way.
    pub(super) fn send(&mut self, trains: &[Transmit], mut bytes: &[u8]) -> usize {
        let mut rest = trains;
        let mut is_refused = false;
        while let Some(first) = rest.first() {
            let many = match is_refused {
                true => None,
                false => self.send_many(rest, bytes),
            };
            // One that is refused is tried by itself, and so are those behind it.
            is_refused |= many == Some(0);
            let taken = match many {
                None | Some(0) if self.send_one(first, bytes) => 1,
                None | Some(0) => break,
                Some(taken) => taken,
            };
            let (taken, after) = rest.split_at(taken);
            bytes = &bytes[taken.iter().map(|train| train.size).sum::<usize>()..];
            rest = after;
        }
        trains.len() - rest.len()
    }

    /// Sends several of the first trains by one call, where that is worth it, and says how many.
    #[cfg(target_os = "linux")]
    fn send_many(&self, trains: &[Transmit], bytes: &[u8]) -> Option<usize> {
        crate::batch::send(self.io.get_ref(), trains, bytes)
    }

    #[cfg(not(target_os = "linux"))]
    fn send_many(&self, _: &[Transmit], _: &[u8]) -> Option<usize> {
        None
    }

    /// Gives the system a train.
    fn try_one(&self, train: &Transmit, bytes: &[u8]) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: train.destination,
            ecn: train.ecn.map(|ecn| match ecn {
                EcnCodepoint::Ect0 => quinn_udp::EcnCodepoint::Ect0,
                EcnCodepoint::Ect1 => quinn_udp::EcnCodepoint::Ect1,
                EcnCodepoint::Ce => quinn_udp::EcnCodepoint::Ce,
            }),
            contents: &bytes[..train.size],
            segment_size: train.segment_size,
            src_ip: train.src_ip,
        };
        self.state.try_send(self.io.get_ref().into(), &transmit)
    }

    /// Sends a train, and says whether the system took it, or it counts as lost.
    fn send_one(&mut self, train: &Transmit, bytes: &[u8]) -> bool {
        let Err(mut error) = self.try_one(train, bytes) else {
            return true;
        };
        if is_of_trains(&error) && !is_single(train) {
            match self.send_singly(train, bytes) {
                Ok(()) => return true,
                Err(other) => error = other,
            }
        } else if error.kind() == io::ErrorKind::WouldBlock {
            return false;
        } else if error.raw_os_error() == Some(ENOBUFS) {
            self.pause();
            return false;
        }
        tracing::debug!(%error, peer = %train.destination, "a packet was not sent");
        if error.kind() == io::ErrorKind::InvalidInput {
            self.reconsider();
        }
        true
    }

    /// Sends the datagrams of a train that the system cannot take as one, up to the first that it
    /// refuses.
    fn send_singly(&self, train: &Transmit, bytes: &[u8]) -> io::Result<()> {
        let size = train.segment_size.unwrap_or(train.size).max(1);
        for datagram in bytes[..train.size].chunks(size) {
            let single = Transmit {
                size: datagram.len(),
                segment_size: None,
                ..*train
            };
            self.try_one(&single, datagram)?;
        }
        Ok(())
    }

    /// Leaves the system alone for a moment: it has room on the socket, but none behind it, so that
    /// it would say at once that it takes more.
    fn pause(&mut self) {
        self.room = Some(Room::Later(Box::pin(sleep(PAUSE))));
    }

    /// quinn-udp takes a refusal to mean that the system knows neither trains nor marks, for as long
    /// as the state lives. But where it refuses a single datagram, that is for its addresses: forged
    /// ones, or one that this end has no longer.
    fn reconsider(&mut self) {
        if let Ok(state) = UdpSocketState::new(self.io.get_ref().into()) {
            self.state = state;
        }
    }

    /// Takes in that there is room to send again.
    pub(super) fn has_room(&mut self) {
        self.room = None;
    }

    /// Waits for room to send.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut room = match self.room.take() {
            Some(room) => room,
            None => {
                let socket = self.io.get_ref().try_clone()?;
                Room::Socket(watch(socket, Interest::WRITABLE)?)
            }
        };
        let ready = match &mut room {
            Room::Socket(room) => room.poll_write_ready(cx).map_ok(|_| ()),
            Room::Later(sleep) => sleep.as_mut().poll(cx).map(Ok),
        };
        if ready.is_pending() {
            self.room = Some(room);
        }
        ready
    }
}

/// Whether a train is one datagram.
fn is_single(train: &Transmit) -> bool {
    train.segment_size.is_none_or(|size| size >= train.size)
}

/// Whether an error may mean that the system or the network card knows no trains.
fn is_of_trains(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EIO | EINVAL))
}

/// How long the system is left alone when it is out of buffers.
const PAUSE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{Ipv4Addr, UdpSocket};

    use super::*;

    /// A socket, and as many others as trains are to be sent, of ten bytes each.
    fn socket_and_peers(count: usize) -> (Socket, Vec<UdpSocket>, Vec<Transmit>) {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let peers: Vec<_> = (0..count).map(|_| bind()).collect();
        let train = |peer: &UdpSocket| Transmit {
            destination: peer.local_addr().unwrap(),
            ecn: None,
            size: 10,
            segment_size: None,
            src_ip: None,
        };
        let trains = peers.iter().map(train).collect();
        (Socket::new(bind()).unwrap(), peers, trains)
    }

    #[tokio::test]
    async fn one_that_is_refused_keeps_no_other_from_being_sent() {
        let (mut socket, peers, mut trains) = socket_and_peers(20);
        trains[10].destination.set_port(0);
        let bytes: Vec<u8> = (0..20).flat_map(|number| [number; 10]).collect();
        assert_eq!(socket.send(&trains, &bytes), 20);
        for (peer, number) in peers.iter().zip(0..).filter(|(_, number)| *number != 10) {
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut inbox = [0; 20];
            let (size, _) = peer.recv_from(&mut inbox).unwrap();
            assert_eq!(inbox[..size], [number; 10]);
        }
    }

    /// The system knows no trains of so many datagrams.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_train_that_is_refused_goes_as_single_datagrams() {
        let (mut socket, peers, mut trains) = socket_and_peers(1);
        (trains[0].size, trains[0].segment_size) = (200, Some(1));
        let bytes: Vec<u8> = (0..200).collect();
        assert_eq!(socket.send(&trains, &bytes), 1);
        assert_eq!(socket.max_segments(), 1);
        peers[0].set_read_timeout(Some(PATIENCE)).unwrap();
        for number in bytes {
            let mut inbox = [0; 20];
            let (size, _) = peers[0].recv_from(&mut inbox).unwrap();
            assert_eq!(inbox[..size], [number]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_there_is_room() {
        let (mut socket, _peers, _trains) = socket_and_peers(0);
        let begin = tokio::time::Instant::now();
        socket.pause();
        poll_fn(|cx| socket.poll_room(cx)).await.unwrap();
        assert!(begin.elapsed() >= PAUSE);
        poll_fn(|cx| socket.poll_room(cx)).await.unwrap();
        assert!(begin.elapsed() < PAUSE * 2, "the socket itself has room");
    }

    #[tokio::test]
    async fn a_refused_datagram_does_not_cost_the_socket_its_trains() {
        let (mut socket, _peers, mut trains) = socket_and_peers(1);
        let before = socket.max_segments();
        trains[0].destination.set_port(0);
        assert_eq!(socket.send(&trains, &[0; 10]), 1);
        assert_eq!(socket.max_segments(), before);
    }

    const PATIENCE: Duration = Duration::from_secs(10);
}
