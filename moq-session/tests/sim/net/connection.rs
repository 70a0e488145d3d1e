//! One end of a connection, as a `Transport`.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::transport::{
    End, Transport, TransportError, TransportInfo, TransportKind, TransportStats,
};

use super::Net;
use super::event::What;
use super::pipe::Pipe;
use super::state::{Side, State};
use super::stream::{SimRecv, SimSend};

/// One end of a connection; clones are handles to the same one, and the last one closes it.
#[derive(Debug, Clone)]
pub struct SimConnection {
    pub(super) handle: Arc<Handle>,
}

#[derive(Debug)]
pub(super) struct Handle {
    pub(super) net: Net,
    pub(super) conn: usize,
    pub(super) side: usize,
    info: TransportInfo,
}

impl Net {
    /// Connects the ends of a link: the dialling one first.
    pub fn connect(&self, link: usize) -> (SimConnection, SimConnection) {
        let mut state = self.lock();
        let conn = state.add_conn(link);
        let version = state.links[link].plan.version;
        drop(state);
        let end = |side| {
            let mut info = TransportInfo::default();
            info.kind = TransportKind::Memory;
            info.protocol = Some(version.alpn().to_owned());
            SimConnection {
                handle: Arc::new(Handle {
                    net: self.clone(),
                    conn,
                    side,
                    info,
                }),
            }
        };
        (end(0), end(1))
    }
}

impl Handle {
    fn close(&self, code: u32, reason: &str) {
        let mut state = self.net.lock();
        if state.conns[self.conn].sides[self.side].ended.is_none() {
            let reason = reason.to_owned();
            state.send(self.conn, 1 - self.side, What::Close(code, reason.clone()));
            let by = End::Local;
            state.end(
                self.conn,
                self.side,
                TransportError::Closed { by, code, reason },
            );
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close(0, "");
    }
}

impl SimConnection {
    /// Runs a call on the state, unless the connection has ended.
    fn poll<R>(
        &self,
        take: impl FnOnce(&mut State, usize, usize) -> Option<R>,
    ) -> Poll<Result<R, TransportError>> {
        let Handle {
            net, conn, side, ..
        } = &*self.handle;
        let (conn, side) = (*conn, *side);
        let mut state = net.lock();
        state.call(conn, side, None);
        if let Some(error) = &state.conns[conn].sides[side].ended {
            return Poll::Ready(Err(error.clone()));
        }
        take(&mut state, conn, side).map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken)))
    }

    fn poll_side<R>(
        &self,
        take: impl FnOnce(&mut Side) -> Option<R>,
    ) -> Poll<Result<R, TransportError>> {
        self.poll(|state, conn, side| take(&mut state.conns[conn].sides[side]))
    }

    fn open(&self, cx: &Context<'_>, is_bi: bool) -> Poll<Result<u64, TransportError>> {
        self.poll(|state, conn, side| {
            let allowed = state.streams_allowed(state.conns[conn].link);
            let opened = &mut state.conns[conn];
            if opened.sides[side].opened >= allowed {
                opened.sides[side].open.add(cx);
                if allowed == 0 {
                    state.act(super::FaultKind::Streams);
                }
                return None;
            }
            opened.sides[side].opened += 1;
            let stream = opened.streams;
            opened.streams += 1;
            opened.pipes.insert((stream, side), Pipe::new(true));
            if is_bi {
                opened.pipes.insert((stream, 1 - side), Pipe::new(false));
            }
            state.send(conn, 1 - side, What::Open(stream, is_bi));
            Some(stream)
        })
    }

    fn send(&self, stream: u64) -> SimSend {
        SimSend::new(self.handle.clone(), (stream, self.handle.side))
    }

    fn recv(&self, stream: u64) -> SimRecv {
        SimRecv::new(self.handle.clone(), (stream, 1 - self.handle.side))
    }
}

impl Transport for SimConnection {
    type Send = SimSend;
    type Recv = SimRecv;

    fn poll_accept_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SimRecv, TransportError>> {
        let accepted = self.poll_side(|side| {
            let stream = side.uni.pop_front();
            if stream.is_none() {
                side.accept_uni.add(cx);
            }
            stream
        });
        accepted.map_ok(|stream| self.recv(stream))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SimSend, SimRecv), TransportError>> {
        let accepted = self.poll_side(|side| {
            let stream = side.bi.pop_front();
            if stream.is_none() {
                side.accept_bi.add(cx);
            }
            stream
        });
        accepted.map_ok(|stream| (self.send(stream), self.recv(stream)))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<SimSend, TransportError>> {
        self.open(cx, false).map_ok(|stream| self.send(stream))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(SimSend, SimRecv), TransportError>> {
        let opened = self.open(cx, true);
        opened.map_ok(|stream| (self.send(stream), self.recv(stream)))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.poll_side(|side| {
            let datagram = side.datagrams.pop_front();
            if datagram.is_none() {
                side.datagram.add(cx);
            }
            datagram
        })
    }

    fn send_datagram(&mut self, payload: Bytes) {
        let mut state = self.handle.net.lock();
        state.send(
            self.handle.conn,
            1 - self.handle.side,
            What::Datagram(payload),
        );
    }

    fn max_datagram_size(&self) -> usize {
        1_200
    }

    fn info(&self) -> &TransportInfo {
        &self.handle.info
    }

    fn stats(&self) -> TransportStats {
        TransportStats::default()
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.handle.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let never: Poll<Result<(), _>> = self.poll_side(|side| {
            side.closed.add(cx);
            None
        });
        never.map(|ended| ended.expect_err("it only ends with an error"))
    }
}
