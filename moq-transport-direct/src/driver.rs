//! The future that moves a socket's packets and its connections.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use moq_transport_common::quic::StreamLimits;
use quinn_proto::{ConnectionError, ConnectionHandle, Endpoint, EndpointConfig, Transmit};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::arrivals::Unasked;
use crate::connection::{ConnectionCore, State};
use crate::drivers::{Setup, Siblings};
use crate::handshake::{Admission, Begun};
use crate::hub::Hub;
use crate::outgoing::Outgoing;
use crate::pass::{Defects, Work};
use crate::resets::Resets;
use crate::socket::{Inbox, Socket};
use crate::table::Table;
use crate::timers::Timers;

/// Moves packets between a socket and its connections. It ends when nobody takes new connections
/// any more and the last one is gone.
///
/// One pass receives what is there, tells the tasks that wait for it, lets them run, and then sends
/// what they and others have written meanwhile: each connection once, however much was written.
pub(crate) struct Driver {
    pub(super) socket: Socket,
    pub(super) endpoint: Endpoint,
    /// Absent once nobody takes new connections any more.
    pub(super) admission: Option<Arc<Admission>>,
    /// Where connections go whose handshake has begun.
    pub(super) begun: mpsc::UnboundedSender<Begun>,
    pub(super) limits: StreamLimits,
    pub(super) siblings: Siblings,
    pub(super) resets: Resets,
    pub(super) table: Table,
    /// When to wake up for connections.
    pub(super) timers: Timers,
    sleep: Pin<Box<Sleep>>,
    /// Whether tasks were woken that have not run yet.
    pub(super) is_waiting_for_tasks: bool,
    pub(super) inbox: Inbox,
    pub(super) unasked: Unasked,
    outgoing: Outgoing,
    /// What is encoded at the moment.
    pub(super) outbox: Vec<u8>,
    due: Vec<Arc<ConnectionCore>>,
    pub(super) woken: Vec<Waker>,
    /// What quinn-proto is at work on, or was last.
    pub(super) work: Work,
    pub(super) defects: Defects,
}

impl Driver {
    /// One of several drivers, on a socket of its own.
    pub(super) fn new(
        socket: std::net::UdpSocket,
        siblings: Siblings,
        endpoint: EndpointConfig,
        setup: Setup,
        begun: mpsc::UnboundedSender<Begun>,
    ) -> io::Result<Self> {
        let socket = Socket::new(socket)?;
        let whole = socket.keeps_packets_whole();
        let server = Some(setup.server);
        Ok(Self {
            inbox: socket.inbox(),
            unasked: Unasked::default(),
            socket,
            endpoint: Endpoint::new(Arc::new(endpoint), server, whole, None),
            admission: Some(setup.admission),
            begun,
            limits: setup.limits,
            siblings,
            resets: Resets::default(),
            table: Table::default(),
            timers: Timers::default(),
            sleep: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            is_waiting_for_tasks: false,
            outgoing: Outgoing::default(),
            outbox: Vec::new(),
            due: Vec::new(),
            woken: Vec::new(),
            work: Work::Datagram,
            defects: Defects::default(),
        })
    }

    /// Where connections ask for a visit.
    pub(super) fn hub(&self) -> &Arc<Hub> {
        self.siblings.own()
    }

    pub(super) fn insert(&mut self, connection: Arc<ConnectionCore>) {
        self.table.insert(connection);
        self.hub().set_connections(self.table.open());
    }

    pub(super) fn remove(&mut self, key: usize) {
        self.table.remove(key);
        self.timers.forget(key);
        self.hub().set_connections(self.table.open());
    }

    /// Takes in what connections have to tell, and wakes who waits for it.
    pub(super) fn take_events(&mut self, now: Instant) -> bool {
        self.siblings.own().take_due(&mut self.due);
        self.unasked.count(self.due.len());
        let mut due = std::mem::take(&mut self.due);
        for connection in due.drain(..) {
            // Its driver may have let it go meanwhile, and given its key to another.
            if self.table.holds(&connection) {
                let work = Work::Connection(connection.key);
                let _ = self.attempt(work, |_| connection.lock().visited(now));
                self.table.set_fresh(connection.key);
            }
        }
        self.due = due;
        while let Some(key) = self.table.next_fresh() {
            let _ = self.attempt(Work::Connection(key), |this| this.take_events_of(key, now));
        }
        let any = !self.woken.is_empty();
        self.unasked.count(self.woken.len());
        self.woken.drain(..).for_each(Waker::wake);
        any
    }

    fn take_events_of(&mut self, key: usize, now: Instant) {
        let Some(connection) = self.table.get(key) else {
            return;
        };
        let mut state = connection.lock();
        let is_broken = state.is_broken;
        if !is_broken {
            state.take_events(now, &mut self.woken);
        }
        drop(state);
        if is_broken {
            self.let_go(key);
        }
    }

    /// Sends what the ready connections have, in turns; what is left when the pass has lasted long
    /// enough, or the system takes no more, stays ready.
    pub(super) fn transmit(&mut self, now: Instant) {
        let mut turns = 0..MAX_TURNS;
        while self.send() && !turns.is_empty() && self.table.has_ready() {
            while !self.outgoing.is_full()
                && turns.next().is_some()
                && let Some(key) = self.table.next_ready()
            {
                let encoded = self.attempt(Work::Connection(key), |this| this.encode(key, now));
                if let Some(Some(transmit)) = encoded {
                    self.table.set_ready(key);
                    let socket = &mut self.socket;
                    self.outgoing.push(transmit, &self.outbox, |trains, bytes| {
                        socket.send(trains, bytes)
                    });
                }
            }
        }
        self.unasked.count(MAX_TURNS - turns.len());
    }

    /// Sends what is encoded, and says whether the system took it all.
    fn send(&mut self) -> bool {
        let socket = &mut self.socket;
        let all = self
            .outgoing
            .send(|trains, bytes| socket.send(trains, bytes));
        if all {
            self.socket.has_room();
        }
        all
    }

    /// Encodes a connection's next packets into the outbox; without any, it is settled.
    fn encode(&mut self, key: usize, now: Instant) -> Option<Transmit> {
        // As soon as the system refuses trains, there are none any more.
        let segments = self.socket.max_segments().min(MAX_SEGMENTS);
        let connection = self.table.get(key)?.clone();
        let mut state = connection.lock();
        self.outbox.clear();
        let transmit = state.poll_transmit(now, segments, &mut self.outbox);
        if transmit.is_none() && !state.is_broken {
            self.settle(key, &mut state);
        }
        transmit
    }

    /// Passes on what a connection has to tell its endpoint, and sets its timer.
    fn settle(&mut self, key: usize, state: &mut State) {
        let handle = ConnectionHandle(key);
        while let Some(event) = state.quic.poll_endpoint_events() {
            let is_drained = event.is_drained();
            if let Some(event) = self.endpoint.handle_event(handle, event) {
                state.quic.handle_event(event);
                self.table.set_ready(key);
            }
            if is_drained {
                // Whatever it was that ended it, nobody may wait for it any longer.
                state.end(ConnectionError::LocallyClosed, &mut self.woken);
                self.remove(key);
                return;
            }
        }
        self.set_timer(key, state);
    }

    /// Arranges for the next pass.
    pub(super) fn rest(&mut self, cx: &mut Context<'_>, has_more: bool) {
        let mut again = has_more;
        let table = &self.table;
        let deadline = |key: usize| table.get(key)?.lock().deadline();
        if let Some(at) = self.timers.next(deadline) {
            let at = tokio::time::Instant::from_std(at);
            if at != self.sleep.deadline() || self.sleep.is_elapsed() {
                self.sleep.as_mut().reset(at);
            }
            again |= self.sleep.as_mut().poll(cx).is_ready();
        }
        if !self.outgoing.is_empty() {
            // Where it cannot be watched, for lack of descriptors, it has to be tried.
            again |= self.socket.poll_room(cx).is_ready();
        } else {
            again |= self.table.has_ready();
        }
        if again || !self.hub().sleep(cx.waker()) {
            cx.waker().wake_by_ref();
        }
    }
}

/// Turns of connections before packets are received again.
const MAX_TURNS: usize = 256;

/// Datagrams in a train: more do not save much, and keep the next connection waiting.
const MAX_SEGMENTS: usize = 32;
