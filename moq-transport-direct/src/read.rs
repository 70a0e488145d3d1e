//! Reading a stream of quinn-proto, a chunk at a time.

use bytes::Bytes;
use quinn_proto::{Connection, ReadError, ReadableError, StreamId};

/// What a stream gives.
pub(super) enum Read {
    /// The next bytes, in order.
    Bytes(Bytes),
    /// Nothing yet.
    Blocked,
    /// Nothing more.
    End,
    /// Nothing more, because the stream was reset or is closed.
    Reset,
}

/// Reads one chunk. The caller has the driver send the credit that follows.
pub(super) fn read(quic: &mut Connection, id: StreamId) -> Read {
    let mut stream = quic.recv_stream(id);
    let mut chunks = match stream.read(true) {
        Ok(chunks) => chunks,
        Err(ReadableError::ClosedStream | ReadableError::IllegalOrderedRead) => return Read::Reset,
    };
    let read = match chunks.next(usize::MAX) {
        Ok(Some(chunk)) => Read::Bytes(chunk.bytes),
        Ok(None) => Read::End,
        Err(ReadError::Blocked) => Read::Blocked,
        Err(ReadError::Reset(_)) => Read::Reset,
    };
    let _ = chunks.finalize();
    read
}
