//! Faults of links, and whether they acted.

use std::collections::BTreeMap;

use super::IDLE;
use super::event::{Event, PipeId, What};
use super::state::{LinkPlan, State};
use moq_session::transport::TransportError;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Packets take ten times as long.
    Delay,
    /// Packets of different streams overtake each other.
    Jitter,
    /// Nothing passes in either direction.
    Partition,
    /// Nothing passes in one direction.
    Stall,
    /// The receivers give hardly any credit for bytes.
    Window,
    /// The receivers give no credit for further streams.
    Streams,
    /// Streams are lost as reset.
    Reset,
    /// The connection is lost.
    Cut,
    /// A publisher crashes and comes back.
    CrashPublisher,
    /// A relay crashes and comes back.
    CrashRelay,
    /// A subscriber crashes and comes back.
    CrashSubscriber,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Delay,
        Self::Jitter,
        Self::Partition,
        Self::Stall,
        Self::Window,
        Self::Streams,
        Self::Reset,
        Self::Cut,
        Self::CrashPublisher,
        Self::CrashRelay,
        Self::CrashSubscriber,
    ];
}

/// A fault of a link.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub kind: Kind,
    pub link: usize,
    /// Chooses the direction, or the streams.
    pub which: u64,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) plan: LinkPlan,
    /// By the side that sends.
    pub(super) is_down: [bool; 2],
    generation: [u64; 2],
    held: [Vec<Event>; 2],
    pub(super) is_slow: bool,
    pub(super) is_shaky: bool,
    pub(super) is_starved: bool,
    pub(super) is_closed_for_streams: bool,
}

impl Link {
    pub(super) fn new(plan: LinkPlan) -> Self {
        Self {
            plan,
            is_down: [false; 2],
            generation: [0; 2],
            held: Default::default(),
            is_slow: false,
            is_shaky: false,
            is_starved: false,
            is_closed_for_streams: false,
        }
    }
}

/// How often each kind of fault has acted.
#[derive(Debug, Default)]
pub(super) struct Acted(BTreeMap<Kind, u64>);

impl State {
    pub(super) fn act(&mut self, kind: Kind) {
        *self.acted.0.entry(kind).or_default() += 1;
    }

    pub(super) fn acted(&self) -> Vec<(Kind, u64)> {
        self.acted
            .0
            .iter()
            .map(|(kind, count)| (*kind, *count))
            .collect()
    }

    /// How long a packet takes from now on.
    pub(super) fn delay(&mut self, link: usize) -> u64 {
        let Link {
            plan,
            is_slow,
            is_shaky,
            ..
        } = &self.links[link];
        let (is_slow, is_shaky) = (*is_slow, *is_shaky);
        let (mut delay, mut jitter) = (plan.delay, plan.jitter);
        if is_slow {
            delay *= 10;
            self.act(Kind::Delay);
        }
        if is_shaky {
            jitter += 100;
            self.act(Kind::Jitter);
        }
        delay + self.rng.below(jitter + 1)
    }

    /// Bytes that may be unread: of one stream, and of a connection.
    pub(super) fn windows(&self, link: usize) -> (usize, usize) {
        if self.links[link].is_starved {
            (48, 480)
        } else {
            (16 * 1024, 128 * 1024)
        }
    }

    /// Streams that one side may have open.
    pub(super) fn streams_allowed(&self, link: usize) -> usize {
        if self.links[link].is_closed_for_streams {
            0
        } else {
            64
        }
    }

    /// Whether a datagram gets lost now.
    pub(super) fn is_lossy(&mut self, link: usize) -> bool {
        self.links[link].is_shaky && self.rng.below(3) == 0
    }

    /// Keeps back what cannot pass, but for datagrams, which nobody sends again.
    pub(super) fn hold(&mut self, link: usize, direction: usize, event: Event) {
        if matches!(event.what, What::Datagram(_)) {
            return;
        }
        let is_partition = self.links[link].is_down == [true; 2];
        self.act(if is_partition {
            Kind::Partition
        } else {
            Kind::Stall
        });
        self.links[link].held[direction].push(event);
    }

    pub(super) fn set_down(&mut self, link: usize, direction: usize) {
        self.links[link].is_down[direction] = true;
        self.links[link].generation[direction] += 1;
        let generation = self.links[link].generation[direction];
        let at = self.log.now() + IDLE;
        let what = What::Down(link, direction, generation);
        self.put(
            at,
            Event {
                conn: 0,
                to: 0,
                what,
            },
        );
    }

    /// What was held up comes after all, and before what was sent later.
    pub(super) fn set_up(&mut self, link: usize, direction: usize) {
        self.links[link].is_down[direction] = false;
        self.links[link].generation[direction] += 1;
        let at = self.log.now().saturating_sub(1);
        for event in std::mem::take(&mut self.links[link].held[direction]) {
            self.put(at, event);
        }
    }

    /// The connections of a link that has been down since `generation` began time out.
    pub(super) fn down_for_long(&mut self, link: usize, direction: usize, generation: u64) {
        let down = &self.links[link];
        if down.is_down[direction] && down.generation[direction] == generation {
            for conn in self.conns_of(link) {
                self.end(conn, 1 - direction, TransportError::TimedOut);
                self.end(conn, direction, TransportError::TimedOut);
            }
        }
    }

    /// Connections of a link that live at one end at least.
    pub(super) fn conns_of(&self, link: usize) -> Vec<usize> {
        let conns = self.conns.iter().enumerate();
        let live = conns.filter(|(_, conn)| {
            conn.link == link && conn.sides.iter().any(|side| side.ended.is_none())
        });
        live.map(|(index, _)| index).collect()
    }

    pub(super) fn reset_streams(&mut self, link: usize, which: u64) {
        for conn in self.conns_of(link) {
            let pipes = self.conns[conn].pipes.iter();
            let live: Vec<_> = pipes
                .filter(|(_, pipe)| !pipe.is_over())
                .map(|(id, _)| id.0)
                .collect();
            for (at, stream) in live.into_iter().enumerate() {
                if crate::rng::hash(&[which, at as u64]).is_multiple_of(3) {
                    self.act(Kind::Reset);
                    self.break_stream(conn, stream);
                }
            }
        }
    }

    /// Both halves of a stream are reset, as both ends learn at once.
    pub(super) fn break_stream(&mut self, conn: usize, stream: u64) {
        for from in [0, 1] {
            let id: PipeId = (stream, from);
            if self.conns[conn].pipes.contains_key(&id) {
                self.conns[conn].take_reset(id, 0);
                self.conns[conn].take_stop(id, 0);
            }
        }
    }

    pub(super) fn wake_writers(&mut self, link: usize) {
        for conn in self.conns_of(link) {
            for side in &mut self.conns[conn].sides {
                side.open.wake();
            }
            for pipe in self.conns[conn].pipes.values_mut() {
                pipe.write_wakers.wake();
            }
        }
    }
}
