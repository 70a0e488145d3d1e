//! A session that is written byte by byte, so that it can break any rule.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_session::Version;
use moq_session::transport::{RecvStream as _, SendError, SendStream as _, Transport as _};
use moq_transport_quinn::{Connection, RecvStream, SendStream};
use moq_wire::{
    BiStream, Decode, Encode, GroupSequence, GroupStart, Path, Subscribe, SubscribeId, limits,
    put_message, split_decoded, varint,
};

use crate::place::{Place, setup};

/// A connection with the SETUP that the draft may want, and nothing else that a session does.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) connection: Connection,
    pub(crate) version: Version,
    next: Arc<AtomicU64>,
}

impl Wire {
    /// Connects, with credit for so many unidirectional streams of the relay.
    pub(crate) async fn dial(place: &Place, uni: u32) -> anyhow::Result<Self> {
        let connection = place.dial(uni).await?;
        connection.set_stream_limit(STREAMS);
        let mut wire = Self {
            connection,
            version: place.version,
            next: Arc::default(),
        };
        if let Some(setup) = setup(wire.version)? {
            wire.open_uni(setup).await?;
        }
        Ok(wire)
    }

    /// Opens a unidirectional stream with these bytes, and ends it.
    pub(crate) async fn open_uni(&mut self, bytes: BytesMut) -> anyhow::Result<()> {
        let connection = &mut self.connection;
        let mut send = poll_fn(|cx| connection.poll_open_uni(cx)).await?;
        write(&mut send, bytes).await?;
        send.finish();
        Ok(())
    }

    /// Opens a bidirectional stream of a kind.
    pub(crate) async fn open(&mut self, kind: BiStream) -> anyhow::Result<Request> {
        let mut bytes = BytesMut::new();
        kind.put(&mut bytes, self.version)?;
        self.open_with(bytes).await
    }

    /// Opens a bidirectional stream with a request.
    pub(crate) async fn ask(
        &mut self,
        kind: BiStream,
        message: &impl Encode,
    ) -> anyhow::Result<Request> {
        let mut bytes = BytesMut::new();
        kind.put(&mut bytes, self.version)?;
        put_message(message, &mut bytes, self.version)?;
        self.open_with(bytes).await
    }

    /// Opens a bidirectional stream with these bytes.
    pub(crate) async fn open_with(&mut self, bytes: BytesMut) -> anyhow::Result<Request> {
        let connection = &mut self.connection;
        let (mut send, recv) = poll_fn(|cx| connection.poll_open_bi(cx)).await?;
        write(&mut send, bytes).await?;
        let inbox = Inbox::new(recv, self.version);
        Ok(Request { send, inbox })
    }

    /// Waits for a request of the relay.
    pub(crate) async fn accept(&mut self) -> anyhow::Result<Request> {
        let connection = &mut self.connection;
        let (send, recv) = poll_fn(|cx| connection.poll_accept_bi(cx)).await?;
        let inbox = Inbox::new(recv, self.version);
        Ok(Request { send, inbox })
    }

    /// A subscription to the newest group of a track and all after it.
    pub(crate) fn subscribe(&self, path: &str, track: &str) -> anyhow::Result<Subscribe> {
        let start = match self.version.features().start_is_floor {
            true => GroupStart::Floor(GroupSequence(0)),
            false => GroupStart::Latest,
        };
        Ok(Subscribe {
            id: SubscribeId(self.next.fetch_add(1, Ordering::Relaxed)),
            broadcast: Path::new(path)?,
            track: track.to_owned(),
            priority: 128,
            max_age: Duration::ZERO,
            start,
            last: None,
            frame_start: 0,
            frame_last: None,
        })
    }
}

/// Both halves of a bidirectional stream.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) send: SendStream,
    pub(crate) inbox: Inbox,
}

/// What comes on a stream.
#[derive(Debug)]
pub(crate) struct Inbox {
    recv: RecvStream,
    buf: BytesMut,
    version: Version,
}

impl Inbox {
    pub(crate) fn new(recv: RecvStream, version: Version) -> Self {
        let buf = BytesMut::new();
        Self { recv, buf, version }
    }

    /// Waits for more bytes; false at the end.
    pub(crate) async fn more(&mut self) -> anyhow::Result<bool> {
        let recv = &mut self.recv;
        let chunk = poll_fn(|cx| recv.poll_read_chunk(cx)).await?;
        self.buf
            .extend_from_slice(chunk.as_deref().unwrap_or_default());
        Ok(chunk.is_some())
    }

    /// Waits until there is a byte that nobody has taken; false if none comes.
    pub(crate) async fn has_more(&mut self) -> anyhow::Result<bool> {
        Ok(!self.buf.is_empty() || self.more().await?)
    }

    /// The stream's type.
    pub(crate) async fn kind(&mut self) -> anyhow::Result<u64> {
        loop {
            if let Some(kind) = varint::split(&mut self.buf, self.version)? {
                return Ok(kind);
            }
            anyhow::ensure!(self.more().await?, "a stream without a type");
        }
    }

    /// The next message.
    pub(crate) async fn message<M: Decode>(&mut self) -> anyhow::Result<M> {
        loop {
            let message = split_decoded(&mut self.buf, limits::MAX_MESSAGE, self.version)?;
            if let Some(message) = message {
                return Ok(message);
            }
            anyhow::ensure!(self.more().await?, "a stream without a message");
        }
    }

    /// Throws away what comes, until the end; says whether that is a good one.
    pub(crate) async fn drain(mut self) -> bool {
        loop {
            self.buf.clear();
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// Writes all of it.
pub(crate) async fn write(send: &mut SendStream, bytes: BytesMut) -> Result<(), SendError> {
    let mut chunks: [Bytes; 1] = [bytes.freeze()];
    while !chunks[0].is_empty() {
        poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks)).await?;
    }
    Ok(())
}

/// Requests of the relay that are let in; more than any flood brings about.
const STREAMS: usize = 100_000;
