//! How many handshakes a server has at once.

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::places::{Entry, Places};

/// Lets connections of type `I` in, within bounds.
///
/// There is a number of places, for handshakes and for connections that nobody has taken yet. When
/// half of them are taken, peers have to show that they receive what is sent to their address. When
/// all are, a newcomer takes the place of the oldest handshake of the network (24 bits of IPv4, 64
/// of IPv6) that has the most.
pub struct Admission<I> {
    admitted: mpsc::UnboundedSender<Admitted<I>>,
    places: Arc<StdMutex<Places>>,
}

/// The connections that wait to be taken.
pub struct Backlog<I>(Mutex<mpsc::UnboundedReceiver<Admitted<I>>>);

/// A connection that waits to be taken.
struct Admitted<I> {
    incoming: I,
    _place: Place,
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
    place: Place,
    evicted: oneshot::Receiver<()>,
    unvalidated: Option<Unvalidated>,
}

/// Counts a handshake among the unvalidated ones until it is dropped.
#[derive(Debug)]
pub struct Unvalidated {
    places: Arc<StdMutex<Places>>,
    number: u64,
}

/// A place that is free again when this is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<StdMutex<Places>>,
    number: u64,
}

/// Why a handshake failed.
pub type HandshakeError = Box<dyn std::error::Error + Send + Sync>;

impl<I: Send + 'static> Admission<I> {
    /// Makes an admission with so many places, and the backlog of what it lets in.
    #[must_use]
    pub fn new(places: NonZeroUsize) -> (Arc<Self>, Backlog<I>) {
        let (admitted, accepted) = mpsc::unbounded_channel();
        let admission = Self {
            admitted,
            places: Arc::new(StdMutex::new(Places::new(places.get()))),
        };
        (Arc::new(admission), Backlog(Mutex::new(accepted)))
    }

    /// Decides about a connection from an address that is validated or not.
    pub fn judge(&self, peer: SocketAddr, is_validated: bool) -> Verdict {
        let places = &self.places;
        let entry = lock(places).enter(peer.ip(), is_validated);
        let (number, evicted) = match entry {
            Entry::Place(number, evicted, gives_way) => {
                // It fails if that handshake ends at this moment.
                let _ = gives_way.is_some_and(|evict| evict.send(()).is_ok());
                (number, evicted)
            }
            Entry::Retry => return Verdict::Retry,
            Entry::Full => return Verdict::Refuse,
        };
        Verdict::Shake(Room {
            place: Place {
                places: places.clone(),
                number,
            },
            evicted,
            unvalidated: (!is_validated).then(|| Unvalidated {
                places: places.clone(),
                number,
            }),
        })
    }

    /// Waits for a handshake, up to a deadline of 10 s or until it has to give way to others, and
    /// puts the connection into the backlog.
    ///
    /// Dropping the future drops the handshake.
    pub async fn admit(
        self: Arc<Self>,
        remote: SocketAddr,
        shaken: impl Future<Output = Result<I, HandshakeError>> + Send,
        room: Room,
    ) {
        let Room { place, evicted, .. } = room;
        let shaken = timeout(DEADLINE, unless_evicted(shaken, evicted));
        match shaken.await {
            Ok(Some(Ok(incoming))) => {
                lock(&place.places).finish(place.number);
                // It fails once the server is closed, which ends the connection.
                let admitted = Admitted {
                    incoming,
                    _place: place,
                };
                let _ = self.admitted.send(admitted).is_ok();
            }
            Ok(Some(Err(error))) => {
                tracing::debug!(%remote, error = &*error, "a handshake failed");
            }
            Ok(None) => tracing::debug!(%remote, "a handshake gave way to others"),
            Err(_) => tracing::debug!(%remote, "a handshake took too long"),
        }
    }
}

/// Waits for a handshake; `None` if it has to give way first.
async fn unless_evicted<T>(
    shaken: impl Future<Output = T>,
    evicted: oneshot::Receiver<()>,
) -> Option<T> {
    let (mut shaken, mut evicted) = (pin!(shaken), pin!(evicted));
    poll_fn(|cx| match evicted.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => shaken.as_mut().poll(cx).map(Some),
    })
    .await
}

fn lock(places: &StdMutex<Places>) -> std::sync::MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Drop for Unvalidated {
    fn drop(&mut self) {
        lock(&self.places).validate(self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places).leave(self.number);
    }
}

impl<I> fmt::Debug for Admission<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").finish_non_exhaustive()
    }
}

impl<I> fmt::Debug for Backlog<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").finish_non_exhaustive()
    }
}

/// How long a handshake may take, with the CONNECT request if there is one.
const DEADLINE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    const PLACES: NonZeroUsize = NonZeroUsize::new(8).unwrap();

    fn shake(admission: &Admission<usize>) -> Room {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        match admission.judge(peer, true) {
            Verdict::Shake(room) => room,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_connection_that_nobody_has_taken_keeps_its_place() {
        let (admission, backlog) = Admission::new(PLACES);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        for number in 0..PLACES.get() {
            let room = shake(&admission);
            let done = ready(Ok(number));
            admission.clone().admit(peer, done, room).await;
        }
        assert!(matches!(admission.judge(peer, true), Verdict::Refuse));
        assert_eq!(backlog.take().await, Some(0));
        drop(shake(&admission));
        drop(shake(&admission));
        backlog.close();
        assert_eq!(backlog.take().await, None);
    }

    #[tokio::test]
    async fn a_handshake_that_gives_way_is_dropped() {
        let (admission, _backlog) = Admission::<usize>::new(PLACES);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let first = admission.clone().admit(peer, pending(), shake(&admission));
        let others: Vec<_> = (0..PLACES.get()).map(|_| shake(&admission)).collect();
        // It would wait for ever otherwise: there is no timer in it that is this short.
        first.await;
        assert_eq!(others.len(), PLACES.get());
    }
}
