//! Switching faults on and off.

use super::event::{Event, What};
use super::state::lost;
use super::{Fault, FaultKind as Kind, IDLE, Net};
use crate::log;

impl Net {
    pub fn begin(&self, fault: Fault) {
        let Fault { kind, link, which } = fault;
        let mut state = self.lock();
        let values = [kind as u64, link as u64, which % 64, 1];
        state.log.event(log::Kind::Fault, values, || {
            format!("{kind:?} on link {link}")
        });
        match kind {
            Kind::Delay => state.links[link].is_slow = true,
            Kind::Jitter => state.links[link].is_shaky = true,
            Kind::Partition => {
                state.set_down(link, 0);
                state.set_down(link, 1);
            }
            Kind::Stall => state.set_down(link, usize::from(which.is_multiple_of(2))),
            Kind::Window => state.links[link].is_starved = true,
            Kind::Streams => state.links[link].is_closed_for_streams = true,
            Kind::Reset => state.reset_streams(link, which),
            Kind::Cut => {
                for conn in state.conns_of(link) {
                    state.act(Kind::Cut);
                    state.end(conn, 0, lost());
                    state.end(conn, 1, lost());
                }
            }
            Kind::CrashPublisher | Kind::CrashRelay | Kind::CrashSubscriber => {}
        }
    }

    pub fn end(&self, fault: Fault) {
        let Fault { kind, link, .. } = fault;
        let mut state = self.lock();
        let values = [kind as u64, link as u64, 0, 0];
        state.log.event(log::Kind::Fault, values, || {
            format!("{kind:?} on link {link} is over")
        });
        match kind {
            Kind::Delay => state.links[link].is_slow = false,
            Kind::Jitter => state.links[link].is_shaky = false,
            Kind::Partition | Kind::Stall => {
                for direction in [0, 1] {
                    if state.links[link].is_down[direction] {
                        state.set_up(link, direction);
                    }
                }
            }
            Kind::Window => state.links[link].is_starved = false,
            Kind::Streams => state.links[link].is_closed_for_streams = false,
            _ => {}
        }
        state.wake_writers(link);
    }

    /// A node is gone, and with it its ends of connections. The others learn of it by a reset if
    /// the node `answers` for its former life, else by silence.
    pub fn crash(&self, node: usize, kind: Kind, answers: bool) {
        let mut state = self.lock();
        state.act(kind);
        for link in 0..state.links.len() {
            let ends = state.links[link].plan.ends;
            let side = match node {
                node if node == ends.0 => 0,
                node if node == ends.1 => 1,
                _ => continue,
            };
            for conn in state.conns_of(link) {
                state.end(conn, side, lost());
                if answers {
                    state.send(conn, 1 - side, What::Lost);
                } else {
                    let at = state.log.now() + IDLE;
                    state.put(
                        at,
                        Event {
                            conn,
                            to: 1 - side,
                            what: What::Idle,
                        },
                    );
                    state.conns[conn].is_frozen = true;
                }
            }
        }
    }

    /// Whether a handshake over a link would succeed now.
    pub fn is_reachable(&self, link: usize) -> bool {
        self.lock().links[link].is_down == [false; 2]
    }
}
