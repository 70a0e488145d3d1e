//! Calls of the transport, of which one may be planned to fail.

use moq_session::transport::{End, TransportError};

use super::event::{Event, PipeId, What};
use super::state::{State, lost};
use super::{IDLE, Net};

/// How a planned call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The connection breaks.
    Error,
    /// The stream is reset by the peer; a connection is closed by it.
    Reset,
    /// Nothing happens any more until the connection dies of it.
    Stall,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Error, Self::Reset, Self::Stall];
}

/// The call that fails, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub call: u64,
    pub mode: Mode,
}

/// What is planned.
#[derive(Debug, Default)]
pub(super) struct Calls {
    planned: Option<Planned>,
}

impl Net {
    /// Lets one call fail.
    pub fn plan(&self, planned: Planned) {
        self.lock().planned.planned = Some(planned);
    }
}

impl State {
    /// Counts a call, and lets it fail if that is planned. What the call finds afterwards is the
    /// failure.
    pub(super) fn call(&mut self, conn: usize, side: usize, pipe: Option<PipeId>) {
        self.calls += 1;
        let planned = self
            .planned
            .planned
            .filter(|planned| planned.call == self.calls);
        let Some(Planned { mode, .. }) = planned else {
            return;
        };
        match (mode, pipe) {
            (Mode::Error, _) => {
                self.end(conn, side, lost());
                self.send(conn, 1 - side, What::Lost);
            }
            (Mode::Reset, Some((stream, _))) => self.break_stream(conn, stream),
            (Mode::Reset, None) => {
                for (to, by) in [(side, End::Peer), (1 - side, End::Local)] {
                    let (code, reason) = (0, "planned".to_owned());
                    self.end(conn, to, TransportError::Closed { by, code, reason });
                }
            }
            (Mode::Stall, _) => {
                self.conns[conn].is_frozen = true;
                let at = self.log.now() + IDLE;
                for to in [0, 1] {
                    self.put(
                        at,
                        Event {
                            conn,
                            to,
                            what: What::Idle,
                        },
                    );
                }
            }
        }
    }
}
