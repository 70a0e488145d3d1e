//! From a first packet to a connection that can be answered.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quinn::Endpoint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::direct::Owner;
use crate::incoming::{HandshakeError, IncomingConnection, Setup};
use crate::live::Live;
use crate::transport_config::{Profile, StreamLimits};

/// Shakes hands with everybody at once, within bounds.
pub(crate) struct Admission {
    admitted: mpsc::UnboundedSender<Admitted>,
    /// Handshakes, and finished ones that nobody has taken; this is what bounds the channel.
    room: Arc<Semaphore>,
    /// Handshakes with peers whose address may be forged.
    unvalidated: AtomicUsize,
    setup: Arc<Setup>,
}

/// A connection that waits to be taken.
pub(crate) struct Admitted {
    incoming: IncomingConnection,
    _room: OwnedSemaphorePermit,
}

/// What becomes of a connection that begins.
pub(crate) enum Verdict {
    /// Its handshake goes on.
    Shake(Room),
    /// The peer first has to show that it receives what is sent to its address.
    Retry,
    /// There are too many already.
    Refuse,
}

/// A place among the handshakes.
pub(crate) struct Room {
    permit: OwnedSemaphorePermit,
    unvalidated: Option<Unvalidated>,
}

/// A connection whose handshake a driver has begun.
pub(crate) struct Begun {
    pub(crate) owner: Owner,
    pub(crate) room: Room,
}

/// Counts a handshake among the unvalidated ones until it is dropped.
struct Unvalidated(Arc<Admission>);

impl Admitted {
    pub(crate) fn into_incoming(self) -> IncomingConnection {
        self.incoming
    }
}

impl Admission {
    pub(crate) fn new(
        admitted: mpsc::UnboundedSender<Admitted>,
        live: Arc<Live>,
        profile: Profile,
        limits: StreamLimits,
    ) -> Self {
        let room = Arc::new(Semaphore::new(MAX_HANDSHAKES));
        let setup = Arc::new(Setup {
            live,
            profile,
            limits,
        });
        Self {
            admitted,
            room,
            unvalidated: AtomicUsize::new(0),
            setup,
        }
    }

    /// Decides about a connection from an address that is validated or not.
    pub(crate) fn judge(self: &Arc<Self>, validated: bool) -> Verdict {
        if !validated && self.unvalidated.load(Ordering::Relaxed) >= MAX_UNVALIDATED {
            return Verdict::Retry;
        }
        let Ok(permit) = self.room.clone().try_acquire_owned() else {
            return Verdict::Refuse;
        };
        let unvalidated = (!validated).then(|| Unvalidated::count(self));
        Verdict::Shake(Room {
            permit,
            unvalidated,
        })
    }

    /// Takes the connections that a worker's driver begins, until that ends. Dropping it drops the
    /// handshakes.
    pub(crate) async fn take(
        self: Arc<Self>,
        worker: usize,
        mut begun: mpsc::UnboundedReceiver<Begun>,
    ) {
        let mut handshakes = JoinSet::new();
        while let Some(Begun { owner, mut room }) = begun.recv().await {
            while handshakes.try_join_next().is_some() {}
            let remote = owner.remote();
            let setup = self.setup.clone();
            let unvalidated = room.unvalidated.take();
            let shaken = async move {
                let alpn = owner.connected().await?;
                drop(unvalidated);
                IncomingConnection::direct(owner, alpn, setup, worker).await
            };
            handshakes.spawn(self.clone().admit(remote, shaken, room));
        }
    }

    /// Takes an endpoint's connections until it is closed. Dropping it drops the handshakes.
    pub(crate) async fn run(self: Arc<Self>, endpoint: Endpoint) {
        let mut handshakes = JoinSet::new();
        while let Some(incoming) = endpoint.accept().await {
            while handshakes.try_join_next().is_some() {}
            let mut room = match self.judge(incoming.remote_address_validated()) {
                Verdict::Shake(room) => room,
                Verdict::Retry => {
                    // It may always be retried while its address is not validated.
                    let _ = incoming.retry().is_ok();
                    continue;
                }
                Verdict::Refuse => {
                    incoming.refuse();
                    continue;
                }
            };
            let remote = incoming.remote_address();
            let setup = self.setup.clone();
            let unvalidated = room.unvalidated.take();
            let shaken = async move {
                let quic = incoming.accept()?.await?;
                drop(unvalidated);
                IncomingConnection::reference(quic, setup).await
            };
            handshakes.spawn(self.clone().admit(remote, shaken, room));
        }
    }

    async fn admit(
        self: Arc<Self>,
        remote: SocketAddr,
        shaken: impl Future<Output = Result<IncomingConnection, HandshakeError>> + Send,
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

impl Unvalidated {
    fn count(admission: &Arc<Admission>) -> Self {
        admission.unvalidated.fetch_add(1, Ordering::Relaxed);
        Self(admission.clone())
    }
}

impl Drop for Unvalidated {
    fn drop(&mut self) {
        self.0.unvalidated.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a handshake may take, with the CONNECT request if there is one.
const DEADLINE: Duration = Duration::from_secs(10);

/// Handshakes at once.
const MAX_HANDSHAKES: usize = 1024;

/// Handshakes at once with peers that have not shown that they receive what is sent to them.
/// Further ones cost them a round trip, and this end no memory.
const MAX_UNVALIDATED: usize = 100;
