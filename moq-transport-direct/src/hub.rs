//! What the driver of a socket shares with the connections on it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::BytesMut;
use quinn_proto::EcnCodepoint;
use tokio::sync::Notify;

use crate::connection::ConnectionCore;

/// Where connections ask the driver for a visit.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Told when the last connection is gone.
    idle: Notify,
}

/// A received datagram. When a peer's address changes, the system may give what it sends to
/// another driver than that of its connection.
pub(super) struct Stray {
    pub(super) remote: SocketAddr,
    pub(super) local: Option<IpAddr>,
    pub(super) ecn: Option<EcnCodepoint>,
    pub(super) bytes: BytesMut,
}

#[derive(Default)]
struct State {
    /// Connections that have something to send, or a new deadline. Each is here at most once.
    due: Vec<Arc<ConnectionCore>>,
    /// Datagrams that came in on another driver's socket.
    strays: Vec<Stray>,
    /// The driver's, while it sleeps.
    sleeper: Option<Waker>,
    /// How many connections the driver has.
    connections: usize,
    /// Whether nobody takes new connections any more.
    closed: bool,
    /// Whether the driver is gone.
    abandoned: bool,
}

impl Hub {
    /// Has the driver visit a connection soon. The connection remembers that it asked.
    pub(crate) fn call(&self, connection: Arc<ConnectionCore>) {
        let sleeper = {
            let mut state = self.lock();
            if state.abandoned {
                return;
            }
            state.due.push(connection);
            state.sleeper.take()
        };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Passes on a datagram. When there are too many, it is lost, as on a network.
    pub(super) fn pass(&self, stray: Stray) {
        let sleeper = {
            let mut state = self.lock();
            if state.strays.len() >= MAX_STRAYS {
                return;
            }
            state.strays.push(stray);
            state.sleeper.take()
        };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    pub(super) fn take_strays(&self) -> Vec<Stray> {
        std::mem::take(&mut self.lock().strays)
    }

    /// Moves the connections that asked for a visit to `due`.
    pub(super) fn take_due(&self, due: &mut Vec<Arc<ConnectionCore>>) {
        due.append(&mut self.lock().due);
    }

    /// Keeps the driver's waker for the next call, unless there was one already.
    pub(super) fn sleep(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        let is_over = state.closed && state.connections == 0;
        let quiet = state.due.is_empty() && state.strays.is_empty() && !is_over;
        if quiet {
            state.sleeper = Some(waker.clone());
        }
        quiet
    }

    /// Says how many connections there are.
    pub(super) fn set_connections(&self, connections: usize) {
        self.lock().connections = connections;
        if connections == 0 {
            self.idle.notify_waiters();
        }
    }

    /// Ends the taking of new connections; the driver ends with the last one that it has.
    pub(crate) fn close(&self) {
        let sleeper = {
            let mut state = self.lock();
            state.closed = true;
            state.sleeper.take()
        };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Takes in that the driver is gone; gives the connections that nobody visits any more.
    pub(super) fn abandon(&self) -> Vec<Arc<ConnectionCore>> {
        let due = {
            let mut state = self.lock();
            state.abandoned = true;
            std::mem::take(&mut state.due)
        };
        self.set_connections(0);
        due
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until there are no connections. Cancel safe.
    pub(crate) async fn wait_idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.lock().connections == 0 {
                return;
            }
            idle.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Datagrams of others that wait for the driver.
const MAX_STRAYS: usize = 1024;
