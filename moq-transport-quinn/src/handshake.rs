//! From a first packet to a connection that can be answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quinn::{Endpoint, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::incoming::{IncomingConnection, Setup};
use crate::server::Live;
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

    /// Takes an endpoint's connections until it is closed. Dropping it drops the handshakes.
    pub(crate) async fn run(self: Arc<Self>, endpoint: Endpoint) {
        let mut handshakes = JoinSet::new();
        while let Some(incoming) = endpoint.accept().await {
            while handshakes.try_join_next().is_some() {}
            let validated = incoming.remote_address_validated();
            if !validated && self.unvalidated.load(Ordering::Relaxed) >= MAX_UNVALIDATED {
                // It may always be retried while its address is not validated.
                let _ = incoming.retry().is_ok();
                continue;
            }
            let Ok(room) = self.room.clone().try_acquire_owned() else {
                incoming.refuse();
                continue;
            };
            let unvalidated = (!validated).then(|| Unvalidated::count(&self));
            handshakes.spawn(self.clone().admit(incoming, room, unvalidated));
        }
    }

    async fn admit(
        self: Arc<Self>,
        incoming: Incoming,
        room: OwnedSemaphorePermit,
        unvalidated: Option<Unvalidated>,
    ) {
        let remote = incoming.remote_address();
        let shaken = async {
            let quic = incoming.accept()?.await?;
            drop(unvalidated);
            IncomingConnection::new(quic, self.setup.clone()).await
        };
        match timeout(DEADLINE, shaken).await {
            Ok(Ok(incoming)) => {
                // It fails once the server is closed, which ends the connection.
                let _ = self
                    .admitted
                    .send(Admitted {
                        incoming,
                        _room: room,
                    })
                    .is_ok();
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
