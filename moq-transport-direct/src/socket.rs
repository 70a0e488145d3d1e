//! A UDP socket that moves many datagrams per system call.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::task::{Context, Poll, ready};

use quinn_proto::{EcnCodepoint, Transmit};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A socket of which only arrivals are watched: the system would tell of room to send after each
/// packet that has left, which wakes a task for nothing.
pub(super) struct Socket {
    io: AsyncFd<UdpSocket>,
    state: UdpSocketState,
    /// Watches for room to send, while there is none.
    room: Option<AsyncFd<UdpSocket>>,
}

/// Room for what one call receives.
pub(super) struct Inbox {
    bytes: Box<[u8]>,
    metas: [RecvMeta; SLOTS],
}

impl Socket {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            io: watch(socket, Interest::READABLE)?,
            state,
            room: None,
        })
    }

    /// Whether packets of more than the smallest size arrive whole or not at all, as MTU discovery
    /// needs it.
    pub(super) fn keeps_packets_whole(&self) -> bool {
        !self.state.may_fragment()
    }

    /// How many datagrams a train can be.
    pub(super) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    pub(super) fn inbox(&self) -> Inbox {
        let slot = (MAX_DATAGRAM * self.state.gro_segments()).min(MAX_TRAIN);
        Inbox {
            bytes: vec![0; slot * SLOTS].into(),
            metas: [RecvMeta::default(); SLOTS],
        }
    }

    /// Receives what is there, up to a batch, and gives the number of filled slots. Pending means
    /// that the waker is called when there is more.
    pub(super) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.io.poll_read_ready(cx))?;
            let slot = inbox.bytes.len() / SLOTS;
            let mut slots = inbox.bytes.chunks_mut(slot).map(IoSliceMut::new);
            let mut slots: [IoSliceMut<'_>; SLOTS] =
                std::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            let mut received = 0;
            let outcome = ready.try_io(|io| {
                received = self
                    .state
                    .recv(io.get_ref().into(), &mut slots, &mut inbox.metas)?;
                if received < SLOTS {
                    // Nothing is left, and what comes from here on is an event of its own, so the
                    // call that would only learn that is saved.
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match outcome {
                Ok(Err(error)) => {
                    // One that lasts must not be asked for again and again.
                    ready.clear_ready();
                    return Poll::Ready(Err(error));
                }
                _ if received > 0 => return Poll::Ready(Ok(received)),
                _ => {}
            }
        }
    }

    /// Receives what is there, up to a batch, whether or not the runtime has told of it.
    pub(super) fn try_recv(&self, inbox: &mut Inbox) -> io::Result<usize> {
        let slot = inbox.bytes.len() / SLOTS;
        let mut slots = inbox.bytes.chunks_mut(slot).map(IoSliceMut::new);
        let mut slots: [IoSliceMut<'_>; SLOTS] =
            std::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
        let socket = self.io.get_ref().into();
        self.state.recv(socket, &mut slots, &mut inbox.metas)
    }

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

    /// Sends a train, and says whether the system took it, or it counts as lost.
    fn send_one(&mut self, train: &Transmit, bytes: &[u8]) -> bool {
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
        match self.state.try_send(self.io.get_ref().into(), &transmit) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                tracing::debug!(%error, peer = %train.destination, "a packet was not sent");
                if error.kind() == io::ErrorKind::InvalidInput {
                    self.reconsider(train);
                }
                true
            }
        }
    }

    /// quinn-udp takes a refusal to mean that the system knows neither trains nor marks, for as long
    /// as the state lives. But where it refuses a single datagram, that is for its addresses: forged
    /// ones, or one that this end has no longer.
    fn reconsider(&mut self, refused: &Transmit) {
        let is_single = refused.segment_size.is_none_or(|size| size >= refused.size);
        if is_single && let Ok(state) = UdpSocketState::new(self.io.get_ref().into()) {
            self.state = state;
        }
    }

    /// Takes in that there is room to send again.
    pub(super) fn has_room(&mut self) {
        self.room = None;
    }

    /// Waits for room to send.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let room = match self.room.take() {
            Some(room) => room,
            None => {
                let socket = self.io.get_ref().try_clone()?;
                watch(socket, Interest::WRITABLE)?
            }
        };
        let ready = room.poll_write_ready(cx).map_ok(|_| ());
        if ready.is_pending() {
            self.room = Some(room);
        }
        ready
    }
}

impl Inbox {
    /// A filled slot: where it came from, and its datagrams in one piece.
    pub(super) fn slot(&self, index: usize) -> (&RecvMeta, &[u8]) {
        let slot = self.bytes.len() / SLOTS;
        let meta = &self.metas[index];
        (meta, &self.bytes[index * slot..][..meta.len])
    }
}

/// Watches a socket for one kind of event.
#[expect(
    deprecated,
    reason = "it is unsound for what may give up its descriptor, which a socket of std does not"
)]
fn watch(socket: UdpSocket, interest: Interest) -> io::Result<AsyncFd<UdpSocket>> {
    AsyncFd::with_interest(socket, interest)
}

/// The mark that a received packet carries.
pub(super) fn ecn(meta: &RecvMeta) -> Option<EcnCodepoint> {
    meta.ecn.map(|ecn| match ecn {
        quinn_udp::EcnCodepoint::Ect0 => EcnCodepoint::Ect0,
        quinn_udp::EcnCodepoint::Ect1 => EcnCodepoint::Ect1,
        quinn_udp::EcnCodepoint::Ce => EcnCodepoint::Ce,
    })
}

/// The largest datagram that this end announces to take, in bytes.
const MAX_DATAGRAM: usize = 1472;

/// The most bytes that the system puts together from datagrams of one peer.
const MAX_TRAIN: usize = 64 << 10;

/// Trains that one call receives. Each has room for the largest, which stays in memory once it was
/// filled, and costs the call something even if it stays empty.
pub(super) const SLOTS: usize = if BATCH_SIZE < 16 { BATCH_SIZE } else { 16 };

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

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

    #[tokio::test]
    async fn a_refused_datagram_does_not_cost_the_socket_its_trains() {
        let (mut socket, _peers, mut trains) = socket_and_peers(1);
        let before = socket.max_segments();
        trains[0].destination.set_port(0);
        assert_eq!(socket.send(&trains, &[0; 10]), 1);
        assert_eq!(socket.max_segments(), before);
    }

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
}
