//! The halves of a stream.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{RecvError, RecvStream, SendError, SendStream};

use super::FaultKind;
use super::connection::Handle;
use super::event::{PipeId, What};
use super::pipe::Pipe;
use super::state::{Conn, State};

/// Payload of a packet.
const PACKET: usize = 1_200;

#[derive(Debug)]
pub struct SimSend {
    handle: Arc<Handle>,
    id: PipeId,
}

#[derive(Debug)]
pub struct SimRecv {
    handle: Arc<Handle>,
    id: PipeId,
}

impl SimSend {
    pub(super) fn new(handle: Arc<Handle>, id: PipeId) -> Self {
        Self { handle, id }
    }

    fn with<R>(&self, run: impl FnOnce(&mut State, usize, usize) -> R) -> R {
        run(
            &mut self.handle.net.lock(),
            self.handle.conn,
            self.handle.side,
        )
    }

    /// As [`Self::with`], for calls that can fail.
    fn poll<R>(
        &self,
        run: impl FnOnce(&mut State, usize, usize) -> Poll<Result<R, SendError>>,
    ) -> Poll<Result<R, SendError>> {
        self.with(|state, conn, side| {
            state.call(conn, side, Some(self.id));
            if let Some(error) = &state.conns[conn].sides[side].ended {
                return Poll::Ready(Err(error.clone().into()));
            }
            if let Some(code) = state.conns[conn].pipe(self.id).stopped {
                return Poll::Ready(Err(SendError::Stopped(code)));
            }
            run(state, conn, side)
        })
    }
}

impl SendStream for SimSend {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        let id = self.id;
        self.poll(|state, conn, side| {
            let (stream_window, window) = state.windows(state.conns[conn].link);
            let sender = &mut state.conns[conn];
            if sender.pipe(id).is_finished || sender.pipe(id).is_reset {
                return Poll::Ready(Err(SendError::Closed));
            }
            let room = stream_window.saturating_sub(sender.pipe(id).unread);
            let room = room.min(window.saturating_sub(sender.sides[side].unread));
            if room == 0 && chunks.iter().any(|chunk| !chunk.is_empty()) {
                sender.pipe(id).write_wakers.add(cx);
                if window < 1_024 {
                    state.act(FaultKind::Window);
                }
                return Poll::Pending;
            }
            let mut written = 0;
            for chunk in chunks {
                while !chunk.is_empty() && written < room {
                    let part = chunk.split_to(chunk.len().min(PACKET).min(room - written));
                    written += part.len();
                    state.send(conn, 1 - side, What::Data(id, part));
                }
            }
            let sender = &mut state.conns[conn];
            sender.pipe(id).unread += written;
            sender.sides[side].unread += written;
            Poll::Ready(Ok(written))
        })
    }

    fn set_priority(&mut self, _order: i32) {}

    fn finish(&mut self) {
        let id = self.id;
        self.with(|state, conn, side| {
            let pipe = state.conns[conn].pipe(id);
            if !pipe.is_finished && !pipe.is_reset {
                pipe.is_finished = true;
                state.send(conn, 1 - side, What::Fin(id));
            }
        });
    }

    fn reset(&mut self, code: u32) {
        let id = self.id;
        self.with(|state, conn, side| {
            let pipe = state.conns[conn].pipe(id);
            if !pipe.is_acked && !pipe.is_reset {
                pipe.is_reset = true;
                pipe.closed_wakers.wake();
                state.send(conn, 1 - side, What::Reset(id, code));
            }
        });
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let id = self.id;
        self.poll(|state, conn, _| {
            let pipe = state.conns[conn].pipe(id);
            if pipe.is_acked {
                return Poll::Ready(Ok(()));
            }
            if pipe.is_reset {
                return Poll::Ready(Err(SendError::Closed));
            }
            pipe.closed_wakers.add(cx);
            Poll::Pending
        })
    }
}

impl Drop for SimSend {
    fn drop(&mut self) {
        let id = self.id;
        self.with(|state, conn, side| {
            let pipe = state.conns[conn].pipe(id);
            pipe.has_sender = false;
            if !pipe.is_finished && !pipe.is_reset {
                pipe.is_reset = true;
                state.send(conn, 1 - side, What::Reset(id, 0));
            }
            state.conns[conn].settle(id);
        });
    }
}

impl SimRecv {
    pub(super) fn new(handle: Arc<Handle>, id: PipeId) -> Self {
        Self { handle, id }
    }
}

impl RecvStream for SimRecv {
    fn poll_read_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, RecvError>> {
        let (id, conn, side) = (self.id, self.handle.conn, self.handle.side);
        let mut state = self.handle.net.lock();
        state.call(conn, side, Some(id));
        if let Some(error) = &state.conns[conn].sides[side].ended {
            return Poll::Ready(Err(error.clone().into()));
        }
        let pipe = state.conns[conn].pipe(id);
        if let Some(code) = pipe.reset {
            return Poll::Ready(Err(RecvError::Reset(code)));
        }
        if pipe.is_stopped {
            return Poll::Ready(Err(RecvError::Closed));
        }
        if let Some(chunk) = pipe.arrived.pop_front() {
            state.send(conn, 1 - side, What::Credit(id, chunk.len()));
            return Poll::Ready(Ok(Some(chunk)));
        }
        if pipe.has_fin {
            return Poll::Ready(Ok(None));
        }
        pipe.read_wakers.add(cx);
        Poll::Pending
    }

    fn stop(&mut self, code: u32) {
        let (id, conn, side) = (self.id, self.handle.conn, self.handle.side);
        let mut state = self.handle.net.lock();
        let pipe = state.conns[conn].pipe(id);
        if !pipe.is_received() {
            pipe.is_stopped = true;
            pipe.arrived.clear();
            state.send(conn, 1 - side, What::Stop(id, code));
        }
    }
}

impl Drop for SimRecv {
    fn drop(&mut self) {
        self.stop(0);
        let mut state = self.handle.net.lock();
        let conn = &mut state.conns[self.handle.conn];
        conn.pipe(self.id).has_receiver = false;
        conn.settle(self.id);
    }
}

impl Conn {
    /// A pipe that one of its ends holds.
    fn pipe(&mut self, id: PipeId) -> &mut Pipe {
        self.pipes.get_mut(&id).expect("its ends keep it")
    }

    pub(super) fn take_data(&mut self, id: PipeId, bytes: Bytes) {
        if let Some(pipe) = self.pipes.get_mut(&id)
            && !pipe.is_received()
        {
            pipe.arrived.push_back(bytes);
            pipe.read_wakers.wake();
        }
    }

    /// Says whether the end is to be acknowledged.
    pub(super) fn take_fin(&mut self, id: PipeId) -> bool {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return false;
        };
        if !pipe.is_received() {
            pipe.has_fin = true;
            pipe.read_wakers.wake();
        }
        true
    }

    pub(super) fn take_reset(&mut self, id: PipeId, code: u32) {
        if let Some(pipe) = self.pipes.get_mut(&id) {
            if !pipe.is_received() {
                pipe.reset = Some(code);
                pipe.arrived.clear();
                pipe.read_wakers.wake();
            }
            self.settle(id);
        }
    }

    pub(super) fn take_stop(&mut self, id: PipeId, code: u32) {
        if let Some(pipe) = self.pipes.get_mut(&id) {
            if !pipe.is_acked && !pipe.is_reset {
                pipe.stopped.get_or_insert(code);
                pipe.write_wakers.wake();
                pipe.closed_wakers.wake();
            }
            self.take_credit(id, usize::MAX);
            self.settle(id);
        }
    }

    pub(super) fn take_credit(&mut self, id: PipeId, count: usize) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        let count = count.min(pipe.unread);
        pipe.unread -= count;
        self.sides[id.1].unread -= count;
        // The window is the connection's, too.
        for ((_, from), pipe) in &mut self.pipes {
            if *from == id.1 {
                pipe.write_wakers.wake();
            }
        }
        self.settle(id);
    }

    pub(super) fn take_ack(&mut self, id: PipeId) {
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.is_acked = true;
            pipe.closed_wakers.wake();
            self.settle(id);
        }
    }

    /// Gives a stream's place back when its opener's half is over, and forgets halves that are
    /// over for both ends.
    pub(super) fn settle(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if pipe.is_counted && pipe.is_over() {
            pipe.is_counted = false;
            self.sides[id.1].opened -= 1;
            self.sides[id.1].open.wake();
        }
        if pipe.is_over() && !pipe.has_sender && !pipe.has_receiver && pipe.unread == 0 {
            self.pipes.remove(&id);
        }
    }
}
