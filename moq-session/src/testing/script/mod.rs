//! One stream of a scripted peer.

mod expect;

use std::fmt::Write as _;
use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    Encode, EncodeError, FrameDecoder, FrameEncoder, SubscribeResponse, Version, put_message,
    varint,
};

use super::peer::in_time;
use crate::memory::{MemoryRecv, MemorySend};
use crate::transport::{RecvStream, SendError, SendStream};

/// A stream that a test drives by hand, one or both halves of it.
///
/// Panics where something else comes than what is expected, as [`super::Peer`] does. Dropping it
/// resets what is not finished and stops what is not read.
#[derive(Debug)]
pub struct Script {
    name: String,
    version: Version,
    send: Option<MemorySend>,
    recv: Option<MemoryRecv>,
    /// What has arrived and was not expected yet.
    buf: BytesMut,
    encoder: FrameEncoder,
    decoder: FrameDecoder,
}

/// What comes next on the receiving half.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Bytes,
    Fin,
    Reset(u32),
}

impl Script {
    pub(super) fn new(
        name: &str,
        version: Version,
        send: Option<MemorySend>,
        recv: Option<MemoryRecv>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            version,
            send,
            recv,
            buf: BytesMut::new(),
            encoder: FrameEncoder::new(version),
            decoder: FrameDecoder::new(version),
        }
    }

    /// The version that is spoken.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    fn sender(&mut self) -> &mut MemorySend {
        let name = &self.name;
        self.send
            .as_mut()
            .unwrap_or_else(|| panic!("{name}: there is no sending half"))
    }

    fn fail(&self, wanted: &str, got: &str) -> ! {
        panic!(
            "{} on {}: expected {wanted}, got {got}{}",
            self.name,
            self.version,
            Hex(&self.buf)
        )
    }

    /// Sends bytes as they are.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send_bytes(bytes).await {
            self.fail("to write", &error.to_string());
        }
    }

    /// As [`Self::send_bytes`], where the session may stop the stream meanwhile.
    ///
    /// # Errors
    /// [`SendError::Stopped`] if it does.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn try_send_bytes(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), SendError> {
        let mut chunks = [Bytes::copy_from_slice(bytes.as_ref())];
        while !chunks[0].is_empty() {
            let send = self.sender();
            let written = poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks));
            in_time("room to write", written).await?;
        }
        Ok(())
    }

    /// Sends a length-prefixed message.
    ///
    /// # Panics
    /// If the draft has no form for it.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn send(&mut self, message: &impl Encode) {
        let mut buf = BytesMut::new();
        put_message(message, &mut buf, self.version).expect("a message that can be written");
        self.send_bytes(buf).await;
    }

    /// Sends a variable-length integer.
    ///
    /// # Panics
    /// If it is above 2^62 - 1.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn send_varint(&mut self, value: u64) {
        let mut buf = BytesMut::new();
        varint::put(value, &mut buf, self.version).expect("an integer that can be written");
        self.send_bytes(buf).await;
    }

    /// Sends an answer to SUBSCRIBE; nothing where the draft has no such answer.
    ///
    /// # Panics
    /// If the draft has the answer, but no form for what that says.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn respond(&mut self, response: &SubscribeResponse) {
        let mut buf = BytesMut::new();
        match response.put(&mut buf, self.version) {
            Ok(()) => self.send_bytes(buf).await,
            Err(EncodeError::NotInVersion) => {}
            Err(error) => panic!("{response:?}: {error}"),
        }
    }

    /// Sends a frame of a group.
    ///
    /// # Panics
    /// If the timestamp can't be written.
    ///
    /// Not cancel safe: a part may be sent.
    pub async fn send_frame(&mut self, timestamp: u64, payload: &str) {
        let mut buf = BytesMut::new();
        let header = self.encoder.header(timestamp, payload.len(), &mut buf);
        header.expect("a timestamp that can be written");
        buf.extend_from_slice(payload.as_bytes());
        self.send_bytes(buf).await;
    }

    /// Ends the sending half well.
    pub fn finish(&mut self) {
        self.sender().finish();
    }

    /// Resets the sending half.
    pub fn reset(&mut self, code: u32) {
        self.sender().reset(code);
    }

    /// Stops the receiving half.
    pub fn stop(&mut self, code: u32) {
        if let Some(recv) = &mut self.recv {
            recv.stop(code);
        }
    }
}

/// Bytes in parentheses, at most 64 of them; nothing if there are none.
struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(" (before it:")?;
        for byte in self.0.iter().take(64) {
            write!(f, " {byte:02x}")?;
        }
        f.write_char(')')
    }
}
