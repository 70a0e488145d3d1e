//! The future that moves a socket's packets and its connections.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use moq_transport_common::quic::StreamLimits;
use quinn_proto::{ConnectionError, ConnectionHandle, Endpoint, EndpointConfig, Transmit};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::conn::{Conn, State};
use crate::drivers::{Setup, Siblings};
use crate::handshake::{Admission, Begun};
use crate::hub::Hub;
use crate::outgoing::Outgoing;
use crate::pass::Work;
use crate::resets::Resets;
use crate::socket::{Inbox, Socket};
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
    /// By quinn-proto's handle.
    pub(super) conns: Vec<Option<Slot>>,
    /// How many of them there are.
    pub(super) open: usize,
    /// When to wake up for connections.
    pub(super) timers: Timers,
    /// From when on to look at connections, when awake.
    pub(super) early: Timers,
    sleep: Pin<Box<Sleep>>,
    /// Connections to look at in this pass, each once.
    ready: VecDeque<usize>,
    /// Whether tasks were woken that have not run yet.
    pub(super) is_waiting_for_tasks: bool,
    pub(super) inbox: Inbox,
    outgoing: Outgoing,
    /// What is encoded at the moment.
    pub(super) outbox: Vec<u8>,
    due: Vec<Arc<Conn>>,
    pub(super) woken: Vec<Waker>,
    /// What quinn-proto is asked to do, while it does.
    pub(super) work: Option<Work>,
}

/// A connection, as its driver sees it.
pub(super) struct Slot {
    pub(super) conn: Arc<Conn>,
    /// Whether it is among the ready ones.
    is_ready: bool,
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
            socket,
            endpoint: Endpoint::new(Arc::new(endpoint), server, whole, None),
            admission: Some(setup.admission),
            begun,
            limits: setup.limits,
            siblings,
            resets: Resets::default(),
            conns: Vec::new(),
            open: 0,
            timers: Timers::default(),
            early: Timers::default(),
            sleep: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            ready: VecDeque::new(),
            is_waiting_for_tasks: false,
            outgoing: Outgoing::default(),
            outbox: Vec::new(),
            due: Vec::new(),
            woken: Vec::new(),
            work: None,
        })
    }

    /// Where connections ask for a visit.
    pub(super) fn hub(&self) -> &Arc<Hub> {
        self.siblings.own()
    }

    pub(super) fn insert(&mut self, conn: Arc<Conn>) {
        let key = conn.key;
        if self.conns.len() <= key {
            self.conns.resize_with(key + 1, || None);
        }
        self.conns[key] = Some(Slot {
            conn,
            is_ready: false,
        });
        self.open += 1;
        self.hub().set_connections(self.open);
        self.set_ready(key);
    }

    pub(super) fn remove(&mut self, key: usize) {
        self.conns[key] = None;
        self.timers.forget(key);
        self.early.forget(key);
        self.ready.retain(|ready| *ready != key);
        self.open -= 1;
        self.hub().set_connections(self.open);
    }

    pub(super) fn conn(&self, key: usize) -> Option<&Arc<Conn>> {
        Some(&self.conns.get(key)?.as_ref()?.conn)
    }

    pub(super) fn set_ready(&mut self, key: usize) {
        if let Some(Some(slot)) = self.conns.get_mut(key)
            && !slot.is_ready
        {
            slot.is_ready = true;
            self.ready.push_back(key);
        }
    }

    /// Takes in what the ready connections have to tell, and wakes who waits for it.
    pub(super) fn take_events(&mut self, now: Instant) -> bool {
        self.siblings.own().take_due(&mut self.due);
        for conn in std::mem::take(&mut self.due) {
            conn.lock().visited(now);
            self.set_ready(conn.key);
        }
        for key in &self.ready {
            if let Some(Some(slot)) = self.conns.get(*key) {
                self.work = Some(Work::Connection(*key));
                slot.conn.lock().take_events(now, &mut self.woken);
            }
        }
        self.work = None;
        let any = !self.woken.is_empty();
        self.woken.drain(..).for_each(Waker::wake);
        any
    }

    /// Sends what the ready connections have, in turns; what is left when the pass has lasted long
    /// enough, or the system takes no more, stays ready.
    pub(super) fn transmit(&mut self, now: Instant) {
        let mut turns = 0..MAX_TURNS;
        while self.send() && !turns.is_empty() && !self.ready.is_empty() {
            while !self.outgoing.is_full()
                && turns.next().is_some()
                && let Some(key) = self.ready.pop_front()
            {
                self.work = Some(Work::Connection(key));
                let encoded = self.encode(key, now);
                self.work = None;
                if let Some(transmit) = encoded {
                    self.ready.push_back(key);
                    let socket = &mut self.socket;
                    self.outgoing.push(transmit, &self.outbox, |trains, bytes| {
                        socket.send(trains, bytes)
                    });
                }
            }
        }
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
        let conn = self.conn(key)?.clone();
        let mut state = conn.lock();
        self.outbox.clear();
        let transmit = state.poll_transmit(now, segments, &mut self.outbox);
        if transmit.is_none() {
            if let Some(slot) = &mut self.conns[key] {
                slot.is_ready = false;
            }
            // Deadlines that were made up for may have ended it.
            state.take_events(now, &mut self.woken);
            self.settle(key, &mut state, now);
        }
        transmit
    }

    /// Passes on what a connection has to tell its endpoint, and sets its timer.
    fn settle(&mut self, key: usize, state: &mut State, now: Instant) {
        let handle = ConnectionHandle(key);
        while let Some(event) = state.quic.poll_endpoint_events() {
            let is_drained = event.is_drained();
            if let Some(event) = self.endpoint.handle_event(handle, event) {
                state.quic.handle_event(event);
                self.set_ready(key);
            }
            if is_drained {
                // Whatever it was that ended it, nobody may wait for it any longer.
                state.end(ConnectionError::LocallyClosed, &mut self.woken);
                self.remove(key);
                return;
            }
        }
        self.set_timers(key, state, now);
    }

    /// Arranges for the next pass.
    pub(super) fn rest(&mut self, cx: &mut Context<'_>, has_more: bool) {
        let mut again = has_more;
        let conns = &self.conns;
        let deadline = |key: usize| conns.get(key)?.as_ref()?.conn.lock().deadline();
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
            again |= !self.ready.is_empty();
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
