//! A transport that records in which order streams are opened, ranked and written.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use moq_session::testing::{MemoryConnection, MemoryRecv, MemorySend, Peer, memory_pair};
use moq_session::transport::{
    SendError, SendStream, Transport, TransportError, TransportInfo, TransportStats,
};
use moq_session::{BroadcastPath, Established, Grant, OriginProducer, Session, Version};
use moq_wire::Setup;

use super::speaking;

/// What happened to a stream that this end sends on, in order. Streams are numbered as they are
/// opened; those that the peer opened are not numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Opened(usize),
    Ranked(Option<usize>, i32),
    /// So many bytes were taken.
    Wrote(Option<usize>, usize),
}

/// What happened so far.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    fn add(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    /// What happened since this was asked last.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The last rank of each stream that was given one since this was asked last, by its number.
    pub fn take_ranks(&self) -> Vec<(usize, i32)> {
        let mut ranks = std::collections::BTreeMap::new();
        for event in self.take() {
            if let Event::Ranked(Some(stream), rank) = event {
                ranks.insert(stream, rank);
            }
        }
        ranks.into_iter().collect()
    }
}

/// A memory connection whose sending streams are recorded.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub inner: MemoryConnection,
    pub log: Log,
    pub opened: Arc<Mutex<usize>>,
    /// How many requests the session can hold, as it has said.
    pub requests: Arc<Mutex<usize>>,
}

/// A peer in a client's place, and the session that it has with a relay on `origin`, whose end is
/// recorded.
pub async fn enter_recorded(
    version: Version,
    origin: &OriginProducer,
) -> (Peer, Session, Recorder) {
    let (client, server) = memory_pair(version);
    let (mut peer, recorder) = (Peer::new(client, version), Recorder::new(server));
    let config = speaking(version)
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let setup = Setup::default();
    let (request, ()) = tokio::join!(
        Session::accept(Established::new(recorder.clone()), config),
        peer.setup(&setup)
    );
    let request = request.unwrap();
    let root = BroadcastPath::new(request.path()).unwrap();
    let session = request.accept(Grant::everything(root)).await.unwrap();
    (peer, session, recorder)
}

/// A stream that is recorded.
#[derive(Debug)]
pub struct Recorded {
    inner: MemorySend,
    log: Log,
    number: Option<usize>,
}

impl Recorder {
    pub fn new(inner: MemoryConnection) -> Self {
        Self {
            inner,
            log: Log::default(),
            opened: Arc::default(),
            requests: Arc::default(),
        }
    }

    fn record(&self, inner: MemorySend, number: Option<usize>) -> Recorded {
        Recorded {
            inner,
            log: self.log.clone(),
            number,
        }
    }
}

impl Transport for Recorder {
    type Send = Recorded;
    type Recv = MemoryRecv;

    fn poll_accept_uni(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MemoryRecv, TransportError>> {
        self.inner.poll_accept_uni(cx)
    }

    fn poll_accept_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Recorded, MemoryRecv), TransportError>> {
        let accepted = self.inner.poll_accept_bi(cx);
        accepted.map_ok(|(send, recv)| (self.record(send, None), recv))
    }

    fn poll_open_uni(&mut self, cx: &mut Context<'_>) -> Poll<Result<Recorded, TransportError>> {
        let opened = self.inner.poll_open_uni(cx);
        opened.map_ok(|send| {
            let mut opened = self.opened.lock().unwrap();
            let number = *opened;
            *opened += 1;
            self.log.add(Event::Opened(number));
            self.record(send, Some(number))
        })
    }

    fn poll_open_bi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Recorded, MemoryRecv), TransportError>> {
        let opened = self.inner.poll_open_bi(cx);
        opened.map_ok(|(send, recv)| (self.record(send, None), recv))
    }

    fn poll_recv_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.inner.poll_recv_datagram(cx)
    }

    fn send_datagram(&mut self, payload: Bytes) {
        self.inner.send_datagram(payload);
    }

    fn set_stream_limit(&self, count: usize) {
        *self.requests.lock().unwrap() = count;
    }

    fn max_datagram_size(&self) -> usize {
        self.inner.max_datagram_size()
    }

    fn info(&self) -> &TransportInfo {
        self.inner.info()
    }

    fn stats(&self) -> TransportStats {
        self.inner.stats()
    }

    fn close(&mut self, code: u32, reason: &str) {
        self.inner.close(code, reason);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        self.inner.poll_closed(cx)
    }
}

impl SendStream for Recorded {
    fn poll_write_chunks(
        &mut self,
        cx: &mut Context<'_>,
        chunks: &mut [Bytes],
    ) -> Poll<Result<usize, SendError>> {
        let written = self.inner.poll_write_chunks(cx, chunks);
        if let Poll::Ready(Ok(bytes)) = written {
            self.log.add(Event::Wrote(self.number, bytes));
        }
        written
    }

    fn set_priority(&mut self, order: i32) {
        self.log.add(Event::Ranked(self.number, order));
        self.inner.set_priority(order);
    }

    fn finish(&mut self) {
        self.inner.finish();
    }

    fn reset(&mut self, code: u32) {
        self.inner.reset(code);
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.inner.poll_closed(cx)
    }
}
