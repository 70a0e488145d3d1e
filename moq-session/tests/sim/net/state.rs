//! Everything in the network, as plain state.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use moq_session::Version;
use moq_session::transport::{End, TransportError};
use tokio::time::Instant;

use super::call::Calls;
use super::event::{Event, PipeId, What};
use super::fault::{Acted, Link};
use super::pipe::Pipe;
use super::{Wakers, millis};
use crate::log::{Kind, Log};
use crate::rng::Rng;

/// A link between two nodes, in a plan.
#[derive(Debug, Clone)]
pub struct LinkPlan {
    /// The node that dials, and the one that listens.
    pub ends: (usize, usize),
    pub version: Version,
    /// How long a packet takes, in milliseconds, and how much longer at most.
    pub delay: u64,
    pub jitter: u64,
    /// The link that it can take the place of; it is not dialled before.
    pub spare_of: Option<usize>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) log: Log,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    pub(super) has_news: bool,
    pub(super) links: Vec<Link>,
    pub(super) conns: Vec<Conn>,
    pub(super) acted: Acted,
    pub(super) calls: u64,
    pub(super) planned: Calls,
}

/// A connection: side 0 dialled.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) link: usize,
    pub(super) sides: [Side; 2],
    pub(super) pipes: BTreeMap<PipeId, Pipe>,
    pub(super) streams: u64,
    /// Nothing passes any more.
    pub(super) is_frozen: bool,
}

/// A connection as one of its ends has it.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) ended: Option<TransportError>,
    pub(super) uni: VecDeque<u64>,
    pub(super) bi: VecDeque<u64>,
    pub(super) datagrams: VecDeque<Bytes>,
    /// Streams that it opened and that are not over.
    pub(super) opened: usize,
    /// Bytes that it sent and has no credit back for.
    pub(super) unread: usize,
    pub(super) accept_uni: Wakers,
    pub(super) accept_bi: Wakers,
    pub(super) open: Wakers,
    pub(super) datagram: Wakers,
    pub(super) closed: Wakers,
}

impl State {
    pub(super) fn new(links: &[LinkPlan], rng: Rng, log: Log) -> Self {
        Self {
            rng,
            log,
            queue: BTreeMap::new(),
            serial: 0,
            has_news: false,
            links: links.iter().cloned().map(Link::new).collect(),
            conns: Vec::new(),
            acted: Acted::default(),
            calls: 0,
            planned: Calls::default(),
        }
    }

    pub(super) fn add_conn(&mut self, link: usize) -> usize {
        self.conns.push(Conn {
            link,
            sides: [Side::default(), Side::default()],
            pipes: BTreeMap::new(),
            streams: 0,
            is_frozen: false,
        });
        self.conns.len() - 1
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let (&(at, _), _) = self.queue.first_key_value()?;
        Some(self.log.start() + millis(at))
    }

    pub(super) fn put(&mut self, at: u64, event: Event) {
        self.serial += 1;
        self.has_news |= self
            .queue
            .first_key_value()
            .is_none_or(|(&(first, _), _)| at < first);
        self.queue.insert((at, self.serial), event);
    }

    /// Sends something to the other side of a connection.
    pub(super) fn send(&mut self, conn: usize, to: usize, what: What) {
        // Who drops the streams of a connection that is lost has no way left to say so.
        let is_over = self.conns[conn].sides[1 - to].ended.is_some();
        if is_over && matches!(what, What::Reset(..) | What::Stop(..)) {
            return;
        }
        let now = self.log.now();
        let delay = self.delay(self.conns[conn].link);
        let mut at = now + delay;
        if let What::Open(stream, _) = &what
            && let Some(pipe) = self.conns[conn].pipes.get_mut(&(*stream, 1 - to))
        {
            pipe.not_before = at;
        }
        if let What::Data(id, _) | What::Fin(id) | What::Reset(id, _) = &what
            && let Some(pipe) = self.conns[conn].pipes.get_mut(id)
        {
            at = at.max(pipe.not_before);
            pipe.not_before = at;
        }
        self.put(at, Event { conn, to, what });
    }

    pub(super) fn apply_due(&mut self) {
        let now = self.log.now();
        while let Some(first) = self.queue.first_entry()
            && first.key().0 <= now
        {
            let event = first.remove();
            self.arrive(event);
        }
    }

    fn arrive(&mut self, event: Event) {
        match event.what {
            What::Down(link, direction, generation) => {
                return self.down_for_long(link, direction, generation);
            }
            What::Idle => {
                self.end(event.conn, event.to, TransportError::TimedOut);
                return;
            }
            _ => {}
        }
        let conn = &self.conns[event.conn];
        if conn.is_frozen || conn.sides[event.to].ended.is_some() {
            return;
        }
        let (link, direction) = (conn.link, 1 - event.to);
        if self.links[link].is_down[direction] {
            return self.hold(link, direction, event);
        }
        if matches!(event.what, What::Datagram(_)) && self.is_lossy(link) {
            return;
        }
        self.note(&event);
        self.deliver(event);
    }

    fn note(&mut self, event: &Event) {
        let (stream, size) = event.what.numbers();
        let values = [event.conn as u64, event.to as u64, stream, size];
        let (conn, to) = (event.conn, event.to);
        let link = self.links[self.conns[conn].link].plan.ends;
        self.log.event(Kind::Wire, values, || {
            let (from, to) = if to == 0 { (link.1, link.0) } else { link };
            format!("connection {conn}, {from} to {to}: {}", event.what)
        });
    }

    fn deliver(&mut self, event: Event) {
        let Event {
            conn: index,
            to,
            what,
        } = event;
        let conn = &mut self.conns[index];
        let side = &mut conn.sides[to];
        match what {
            What::Open(stream, true) => {
                side.bi.push_back(stream);
                side.accept_bi.wake();
            }
            What::Open(stream, false) => {
                side.uni.push_back(stream);
                side.accept_uni.wake();
            }
            What::Datagram(payload) => {
                side.datagrams.push_back(payload);
                side.datagram.wake();
            }
            What::Close(code, reason) => {
                let by = End::Peer;
                self.end(index, to, TransportError::Closed { by, code, reason });
            }
            What::Lost => self.end(index, to, lost()),
            What::Data(id, bytes) => conn.take_data(id, bytes),
            What::Fin(id) => {
                if conn.take_fin(id) {
                    self.send(index, 1 - to, What::Ack(id));
                }
            }
            What::Reset(id, code) => {
                conn.take_reset(id, code);
                // The end of the stream tells how much it would have been.
                self.send(index, 1 - to, What::Credit(id, usize::MAX));
            }
            What::Stop(id, code) => conn.take_stop(id, code),
            What::Credit(id, count) => conn.take_credit(id, count),
            What::Ack(id) => conn.take_ack(id),
            What::Idle | What::Down(..) => {}
        }
    }

    /// Ends a connection for one side, which learns why.
    pub(super) fn end(&mut self, index: usize, side: usize, error: TransportError) {
        let conn = &mut self.conns[index];
        if conn.sides[side].ended.is_some() {
            return;
        }
        let text = error.to_string();
        conn.sides[side].ended = Some(error);
        let ended = &mut conn.sides[side];
        for wakers in [
            &mut ended.accept_uni,
            &mut ended.accept_bi,
            &mut ended.open,
            &mut ended.datagram,
            &mut ended.closed,
        ] {
            wakers.wake();
        }
        for pipe in conn.pipes.values_mut() {
            pipe.wake();
        }
        let values = [index as u64, side as u64, 0, 0];
        self.log.event(Kind::Ended, values, || {
            format!("connection {index}, side {side}: {text}")
        });
    }

    pub(super) fn open_streams(&self) -> Vec<usize> {
        let mut open = vec![0; self.links.len()];
        for conn in &self.conns {
            if conn.sides.iter().any(|side| side.ended.is_none()) {
                open[conn.link] += conn.pipes.values().filter(|pipe| !pipe.is_over()).count();
            }
        }
        open
    }
}

pub(super) fn lost() -> TransportError {
    TransportError::lost("the network lost it")
}
