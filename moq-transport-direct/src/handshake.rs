//! From a connection that has begun to one that can be answered.

use std::sync::Arc;

use moq_transport_common::Room;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::connection::ConnectionGuard;
use crate::incoming::{IncomingConnection, Setup};

/// Bounds the handshakes of a server.
pub(crate) type Admission = moq_transport_common::Admission<IncomingConnection>;

/// A connection whose handshake a driver has begun.
pub(crate) struct Begun {
    pub(crate) guard: ConnectionGuard,
    pub(crate) room: Room,
}

/// Takes the connections that a worker's driver begins, until that ends. Dropping it drops the
/// handshakes.
pub(crate) async fn shake_hands(
    admission: Arc<Admission>,
    setup: Arc<Setup>,
    worker: usize,
    mut begun: mpsc::UnboundedReceiver<Begun>,
) {
    let mut handshakes = JoinSet::new();
    while let Some(Begun { guard, mut room }) = begun.recv().await {
        while handshakes.try_join_next().is_some() {}
        let remote = guard.remote();
        let setup = setup.clone();
        let unvalidated = room.take_unvalidated();
        let shaken = async move {
            let alpn = guard.connected().await?;
            drop(unvalidated);
            IncomingConnection::new(guard, alpn, setup, worker).await
        };
        handshakes.spawn(admission.clone().admit(remote, shaken, room));
    }
}
