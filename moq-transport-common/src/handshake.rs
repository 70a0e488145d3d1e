//! How many handshakes a server has at once.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// Lets connections of type `I` in, within bounds.
pub struct Admission<I> {
    admitted: mpsc::UnboundedSender<Admitted<I>>,
    /// Handshakes, and finished ones that nobody has taken; this is what bounds the channel.
    room: Arc<Semaphore>,
    /// Handshakes with peers whose address may be forged.
    unvalidated: Arc<AtomicUsize>,
}

/// The connections that wait to be taken.
pub struct Backlog<I>(Mutex<mpsc::UnboundedReceiver<Admitted<I>>>);

/// A connection that waits to be taken.
struct Admitted<I> {
    incoming: I,
    _room: OwnedSemaphorePermit,
}

/// What becomes of a connection that begins.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a transport has to act on each")]
pub enum Verdict {
    /// Its handshake goes on.
    Shake(Room),
    /// The peer first has to show that it receives what is sent to its address.
    Retry,
    /// There are too many already.
    Refuse,
}

/// A place among the handshakes.
#[derive(Debug)]
pub struct Room {
    permit: OwnedSemaphorePermit,
    unvalidated: Option<Unvalidated>,
}

/// Counts a handshake among the unvalidated ones until it is dropped.
#[derive(Debug)]
pub struct Unvalidated(Arc<AtomicUsize>);

/// Why a handshake failed.
pub type HandshakeError = Box<dyn std::error::Error + Send + Sync>;

impl<I: Send + 'static> Admission<I> {
    /// Makes an admission, and the backlog of what it lets in.
    #[must_use]
    pub fn new() -> (Arc<Self>, Backlog<I>) {
        let (admitted, accepted) = mpsc::unbounded_channel();
        let admission = Self {
            admitted,
            room: Arc::new(Semaphore::new(MAX_HANDSHAKES)),
            unvalidated: Arc::default(),
        };
        (Arc::new(admission), Backlog(Mutex::new(accepted)))
    }

    /// Decides about a connection from an address that is validated or not.
    pub fn judge(&self, validated: bool) -> Verdict {
        if !validated && self.unvalidated.load(Ordering::Relaxed) >= MAX_UNVALIDATED {
            return Verdict::Retry;
        }
        let Ok(permit) = self.room.clone().try_acquire_owned() else {
            return Verdict::Refuse;
        };
        let unvalidated = (!validated).then(|| Unvalidated::count(&self.unvalidated));
        Verdict::Shake(Room {
            permit,
            unvalidated,
        })
    }

    /// Waits for a handshake, up to a deadline of 10 s, and puts the connection into the backlog.
    ///
    /// Dropping the future drops the handshake.
    pub async fn admit(
        self: Arc<Self>,
        remote: SocketAddr,
        shaken: impl Future<Output = Result<I, HandshakeError>> + Send,
        room: Room,
    ) {
        match timeout(DEADLINE, shaken).await {
            Ok(Ok(incoming)) => {
                // It fails once the server is closed, which ends the connection.
                let admitted = Admitted {
                    incoming,
                    _room: room.permit,
                };
                let _ = self.admitted.send(admitted).is_ok();
            }
            Ok(Err(error)) => {
                tracing::debug!(%remote, error = &*error, "a handshake failed");
            }
            Err(_) => tracing::debug!(%remote, "a handshake took too long"),
        }
    }
}

impl Room {
    /// Takes what counts the handshake among the unvalidated ones, to be dropped when the peer has
    /// shown that it receives what is sent to its address.
    #[must_use]
    pub fn take_unvalidated(&mut self) -> Option<Unvalidated> {
        self.unvalidated.take()
    }
}

impl<I> Backlog<I> {
    /// Waits for the next connection; `None` once the backlog is closed. Cancel safe.
    pub async fn take(&self) -> Option<I> {
        let admitted = self.0.lock().await.recv().await;
        admitted.map(|admitted| admitted.incoming)
    }

    /// Closes the backlog, and drops the connections that nobody has taken.
    pub fn close(&self) {
        // Who holds the lock waits, so there are none then.
        if let Ok(mut accepted) = self.0.try_lock() {
            accepted.close();
            while accepted.try_recv().is_ok() {}
        }
    }
}

impl Unvalidated {
    fn count(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all.clone())
    }
}

impl Drop for Unvalidated {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<I> fmt::Debug for Admission<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("room", &self.room.available_permits())
            .field("unvalidated", &self.unvalidated)
            .finish_non_exhaustive()
    }
}

impl<I> fmt::Debug for Backlog<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").finish_non_exhaustive()
    }
}

/// How long a handshake may take, with the CONNECT request if there is one.
const DEADLINE: Duration = Duration::from_secs(10);

/// Handshakes at once.
const MAX_HANDSHAKES: usize = 1024;

/// Handshakes at once with peers that have not shown that they receive what is sent to them.
/// Further ones cost them a round trip, and this end no memory.
const MAX_UNVALIDATED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn shake(verdict: Verdict) -> Room {
        match verdict {
            Verdict::Shake(room) => room,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn forged_addresses_leave_room_for_validated_ones() {
        let (admission, _backlog) = Admission::<()>::new();
        let mut rooms: Vec<_> = (0..MAX_UNVALIDATED)
            .map(|_| shake(admission.judge(false)))
            .collect();
        assert!(matches!(admission.judge(false), Verdict::Retry));
        shake(admission.judge(true));

        drop(rooms[0].take_unvalidated());
        shake(admission.judge(false));
    }

    #[tokio::test]
    async fn a_connection_that_nobody_has_taken_keeps_its_room() {
        let (admission, backlog) = Admission::new();
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        for number in 0..MAX_HANDSHAKES {
            let room = shake(admission.judge(true));
            admission
                .clone()
                .admit(remote, async move { Ok(number) }, room)
                .await;
        }
        assert!(matches!(admission.judge(true), Verdict::Refuse));
        assert_eq!(backlog.take().await, Some(0));
        let room = shake(admission.judge(true));
        drop(room);
        backlog.close();
        assert_eq!(backlog.take().await, None);
    }
}
