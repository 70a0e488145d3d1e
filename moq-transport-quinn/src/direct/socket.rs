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

    /// How many datagrams one [`Self::send`] can carry.
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

    /// Sends trains, and says how many of them the system took. What it refuses for another reason
    /// than a full buffer counts as lost on the way.
    pub(super) fn send(&self, trains: &[Transmit], mut bytes: &[u8]) -> usize {
        let mut rest = trains;
        while !rest.is_empty() {
            let taken = match self.send_many(rest, bytes) {
                0 if self.send_one(&rest[0], bytes) => 1,
                0 => break,
                taken => taken,
            };
            let (taken, after) = rest.split_at(taken);
            bytes = &bytes[taken.iter().map(|train| train.size).sum::<usize>()..];
            rest = after;
        }
        trains.len() - rest.len()
    }

    /// Sends several of the first trains by one call, where that can be done, and says how many.
    #[cfg(target_os = "linux")]
    fn send_many(&self, trains: &[Transmit], bytes: &[u8]) -> usize {
        crate::direct::batch::send(self.io.get_ref(), trains, bytes)
    }

    #[cfg(not(target_os = "linux"))]
    fn send_many(&self, _: &[Transmit], _: &[u8]) -> usize {
        0
    }

    fn send_one(&self, transmit: &Transmit, bytes: &[u8]) -> bool {
        let transmit = quinn_udp::Transmit {
            destination: transmit.destination,
            ecn: transmit.ecn.map(|ecn| match ecn {
                EcnCodepoint::Ect0 => quinn_udp::EcnCodepoint::Ect0,
                EcnCodepoint::Ect1 => quinn_udp::EcnCodepoint::Ect1,
                EcnCodepoint::Ce => quinn_udp::EcnCodepoint::Ce,
            }),
            contents: &bytes[..transmit.size],
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        };
        let sent = self.state.send(self.io.get_ref().into(), &transmit);
        !matches!(sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
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
