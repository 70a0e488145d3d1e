//! Sessions over a transport that only knows `web_transport_trait`.

#![cfg(feature = "web-transport-trait")]

mod common;

use std::fmt;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use common::{finished, for_each_version, read_all, speaking};
use moq_session::testing::{MemoryConnection, MemoryRecv, MemorySend, Peer, memory_pair};
use moq_session::transport::{
    RecvError, RecvStream, SendError, SendStream, Transport, TransportError,
};
use moq_session::{
    BroadcastPath, Compat, Established, Grant, OriginProducer, Session, SessionError,
};
use moq_wire::{BiStream, code};
use web_transport_trait::{Error, Stats, StatsUnavailable, poll};

/// The memory pair as a session of `web_transport_trait`.
#[derive(Debug, Clone)]
struct Foreign(MemoryConnection);

struct ForeignSend(MemorySend);

struct ForeignRecv {
    stream: MemoryRecv,
    rest: Bytes,
}

#[derive(Debug)]
enum ForeignError {
    Session(TransportError),
    Stream(u32),
    Closed,
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for ForeignError {}

impl Error for ForeignError {
    fn session_error(&self) -> Option<(u32, String)> {
        match self {
            Self::Session(TransportError::Closed { code, reason, .. }) => {
                Some((*code, reason.clone()))
            }
            _ => None,
        }
    }

    fn stream_error(&self) -> Option<u32> {
        match self {
            Self::Stream(code) => Some(*code),
            _ => None,
        }
    }
}

impl From<TransportError> for ForeignError {
    fn from(error: TransportError) -> Self {
        Self::Session(error)
    }
}

impl From<SendError> for ForeignError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Stopped(code) => Self::Stream(code),
            SendError::Transport(error) => Self::Session(error),
            _ => Self::Closed,
        }
    }
}

impl From<RecvError> for ForeignError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Reset(code) => Self::Stream(code),
            RecvError::Transport(error) => Self::Session(error),
            _ => Self::Closed,
        }
    }
}

fn recv(stream: MemoryRecv) -> ForeignRecv {
    let rest = Bytes::new();
    ForeignRecv { stream, rest }
}

impl poll::Session for Foreign {
    type SendStream = ForeignSend;
    type RecvStream = ForeignRecv;
    type Error = ForeignError;

    fn poll_accept_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<ForeignRecv, ForeignError>> {
        Poll::Ready(Ok(recv(ready!(self.0.poll_accept_uni(cx))?)))
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(ForeignSend, ForeignRecv), ForeignError>> {
        let (send, stream) = ready!(self.0.poll_accept_bi(cx))?;
        Poll::Ready(Ok((ForeignSend(send), recv(stream))))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<ForeignSend, ForeignError>> {
        Poll::Ready(Ok(ForeignSend(ready!(self.0.poll_open_uni(cx))?)))
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(ForeignSend, ForeignRecv), ForeignError>> {
        let (send, stream) = ready!(self.0.poll_open_bi(cx))?;
        Poll::Ready(Ok((ForeignSend(send), recv(stream))))
    }

    fn poll_send_datagram(
        &mut self,
        _cx: &mut Context<'_>,
        payload: &[u8],
    ) -> Poll<Result<(), ForeignError>> {
        self.0.send_datagram(Bytes::copy_from_slice(payload));
        Poll::Ready(Ok(()))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, ForeignError>> {
        self.0.poll_recv_datagram(cx).map_err(Into::into)
    }

    fn max_datagram_size(&self) -> usize {
        self.0.max_datagram_size()
    }

    fn protocol(&self) -> Option<&str> {
        self.0.info().protocol.as_deref()
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.0.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<ForeignError> {
        self.0.poll_closed(cx).map(Into::into)
    }

    fn stats(&self) -> impl Stats {
        StatsUnavailable
    }
}

impl poll::SendStream for ForeignSend {
    type Error = ForeignError;

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize, ForeignError>> {
        let mut chunks = [Bytes::copy_from_slice(buf)];
        self.0
            .poll_write_chunks(cx, &mut chunks)
            .map_err(Into::into)
    }

    fn set_priority(&mut self, order: i32) {
        self.0.set_priority(order);
    }

    fn finish(&mut self) -> Result<(), ForeignError> {
        self.0.finish();
        Ok(())
    }

    fn reset(&mut self, code: u32) {
        self.0.reset(code);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ForeignError>> {
        self.0.poll_closed(cx).map_err(Into::into)
    }
}

impl poll::RecvStream for ForeignRecv {
    type Error = ForeignError;

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        dst: &mut [u8],
    ) -> Poll<Result<Option<usize>, ForeignError>> {
        if self.rest.is_empty() {
            match ready!(self.stream.poll_read_chunk(cx))? {
                Some(chunk) => self.rest = chunk,
                None => return Poll::Ready(Ok(None)),
            }
        }
        let size = dst.len().min(self.rest.len());
        self.rest.copy_to_slice(&mut dst[..size]);
        Poll::Ready(Ok(Some(size)))
    }

    fn stop(&mut self, code: u32) {
        self.stream.stop(code);
    }

    fn poll_closed(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ForeignError>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_foreign_transport_carries_a_session() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let long = "long ".repeat(100_000);
        let broadcast = finished(&[&["b"], &["a", "", &long]]);
        let _publication = origin.publish(&"room".parse().unwrap(), broadcast.consume());

        let (client, server) = memory_pair(version);
        let client = Compat::new(Foreign(client)).with_setup_path("/room?x=y");
        let config = speaking(version).with_publish(origin);
        let (client, request) = tokio::join!(
            Session::connect_with(client, speaking(version)),
            Session::accept(Established::new(Compat::new(Foreign(server))), config)
        );
        let (client, request) = (client.unwrap(), request.unwrap());
        if version.features().setup_stream || version.features().handshake {
            assert_eq!((request.path(), request.query()), ("/room", Some("x=y")));
        }
        let grant = Grant::everything(BroadcastPath::root());
        let server = request.accept(grant).await.unwrap();
        let track = client.track("room", "data").unwrap();
        let expected = [
            vec!["b".to_owned()],
            vec!["a".to_owned(), String::new(), long],
        ];
        // Without a start there is only the newest group.
        let first = usize::from(!version.features().subscribe_range);
        assert_eq!(read_all(&track).await, expected[first..]);

        server.close(code::application(3), "done");
        let error = client.closed().await.to_string();
        assert!(
            error.contains("the peer closed the connection: code 0x43 (done)"),
            "{error}"
        );
        assert!(matches!(server.closed().await, SessionError::Closed));
    });
}

#[test]
fn codes_pass_through_a_foreign_transport() {
    for_each_version(|version| async move {
        let (client, server) = memory_pair(version);
        let mut peer = Peer::new(server, version);
        let setup = moq_wire::Setup::default();
        let (session, ()) = tokio::join!(
            Session::connect_with(Compat::new(Foreign(client)), speaking(version)),
            peer.setup(&setup)
        );
        let session = session.unwrap();
        let wish = common::scripts::subscribe(version, 0, "nowhere", "data");
        let mut stream = peer.request(BiStream::Subscribe, &wish).await;
        stream.expect_reset(code::stream::UNROUTABLE).await;
        let mut stranger = peer.group(&common::scripts::header(9, 0)).await;
        stranger.expect_stop(code::stream::CANCELLED).await;
        session.close(0, "bye");
        assert_eq!(peer.expect_close(0).await, "bye");
    });
}
