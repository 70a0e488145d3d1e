//! A UDP socket that moves many datagrams per system call.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::task::{Context, Poll, ready};

use quinn_proto::EcnCodepoint;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sending::Room;

/// A socket of which only arrivals are watched: the system would tell of room to send after each
/// packet that has left, which wakes a task for nothing.
pub(super) struct Socket {
    pub(super) io: AsyncFd<UdpSocket>,
    pub(super) state: UdpSocketState,
    /// What is waited for before more is sent, while the system takes nothing.
    pub(super) room: Option<Room>,
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
            let Inbox { bytes, metas } = &mut *inbox;
            let mut slots = slots(bytes);
            let mut received = 0;
            let outcome = ready.try_io(|io| {
                received = self.fill(io.get_ref(), &mut slots, metas)?;
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
        let Inbox { bytes, metas } = inbox;
        self.fill(self.io.get_ref(), &mut slots(bytes), metas)
    }

    /// Receives what is there, up to as much as there are slots. Of several errors in a row the last
    /// is given: what is behind the others would have no event of its own.
    fn fill(
        &self,
        socket: &UdpSocket,
        slots: &mut [IoSliceMut<'_>; SLOTS],
        metas: &mut [RecvMeta; SLOTS],
    ) -> io::Result<usize> {
        let (mut received, mut errors) = (0, 0);
        while received < SLOTS {
            let (slots, metas) = (&mut slots[received..], &mut metas[received..]);
            let most = slots.len().min(BATCH_SIZE);
            match self.state.recv(socket.into(), slots, metas) {
                Ok(count) => {
                    received += count;
                    if count < most {
                        break;
                    }
                }
                Err(error) => {
                    errors += 1;
                    let is_last = error.kind() == io::ErrorKind::WouldBlock || errors == MAX_ERRORS;
                    match received {
                        0 if is_last => return Err(error),
                        _ if is_last => break,
                        _ => {}
                    }
                }
            }
        }
        Ok(received)
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

/// Cuts the room for one call into slots.
fn slots(bytes: &mut [u8]) -> [IoSliceMut<'_>; SLOTS] {
    let slot = bytes.len() / SLOTS;
    let mut slots = bytes.chunks_mut(slot).map(IoSliceMut::new);
    std::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])))
}

/// Watches a socket for one kind of event.
#[expect(
    deprecated,
    reason = "it is unsound for what may give up its descriptor, which a socket of std does not"
)]
pub(super) fn watch(socket: UdpSocket, interest: Interest) -> io::Result<AsyncFd<UdpSocket>> {
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

/// Errors in a row until a socket is left alone for a while.
const MAX_ERRORS: usize = 8;

/// The most bytes that the system puts together from datagrams of one peer.
const MAX_TRAIN: usize = 64 << 10;

/// Trains that are received at a time, by one call where the system has one for several. Each has
/// room for the largest, which stays in memory once it was filled, and costs the call something even
/// if it stays empty.
pub(super) const SLOTS: usize = 16;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::Ipv4Addr;

    use super::*;

    /// The system tells of a peer that is gone before it gives what others have sent.
    #[tokio::test]
    async fn what_is_behind_an_error_is_received() {
        let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (near, far) = (bind(0), bind(0));
        let (near_addr, far_addr) = (near.local_addr().unwrap(), far.local_addr().unwrap());
        near.connect(far_addr).unwrap();
        drop(far);
        near.send(b"to nobody").unwrap();
        let far = bind(far_addr.port());
        far.send_to(b"late", near_addr).unwrap();

        let socket = Socket::new(near).unwrap();
        let mut inbox = socket.inbox();
        let received = poll_fn(|cx| socket.poll_recv(cx, &mut inbox)).await;
        assert_eq!(received.unwrap(), 1);
        assert_eq!(inbox.slot(0).1, b"late");
    }
}
