//! One stream of a scripted peer.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use moq_wire::{
    Decode, DecodeError, Encode, EncodeError, FrameDecoder, FrameEncoder, SubscribeResponse,
    Version, decode_body, limits, put_message, split_message, varint,
};

use super::peer::in_time;
use crate::memory::{MemoryRecv, MemorySend};
use crate::transport::{RecvError, RecvStream, SendError, SendStream};

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
    pub async fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        let mut chunks = [Bytes::copy_from_slice(bytes.as_ref())];
        while !chunks[0].is_empty() {
            let send = self.sender();
            let written = poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks));
            if let Err(error) = in_time("room to write", written).await {
                self.fail("to write", &error.to_string());
            }
        }
    }

    /// Sends a length-prefixed message. Panics if the draft has no form for it.
    pub async fn send(&mut self, message: &impl Encode) {
        let mut buf = BytesMut::new();
        put_message(message, &mut buf, self.version).expect("a message that can be written");
        self.send_bytes(buf).await;
    }

    /// Sends a variable-length integer. Panics if it is above 2^62 - 1.
    pub async fn send_varint(&mut self, value: u64) {
        let mut buf = BytesMut::new();
        varint::put(value, &mut buf, self.version).expect("an integer that can be written");
        self.send_bytes(buf).await;
    }

    /// Sends an answer to SUBSCRIBE; nothing where the draft has no such answer. Panics if it has the
    /// answer, but no form for what that says.
    pub async fn respond(&mut self, response: &SubscribeResponse) {
        let mut buf = BytesMut::new();
        match response.put(&mut buf, self.version) {
            Ok(()) => self.send_bytes(buf).await,
            Err(EncodeError::NotInVersion) => {}
            Err(error) => panic!("{response:?}: {error}"),
        }
    }

    /// Sends a frame of a group.
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

    async fn next(&mut self, wanted: &str) -> Next {
        let Some(recv) = &mut self.recv else {
            panic!("{}: there is no receiving half", self.name);
        };
        let wanted = format!("{}: {wanted}", self.name);
        match in_time(&wanted, poll_fn(|cx| recv.poll_read_chunk(cx))).await {
            Ok(Some(chunk)) => {
                self.buf.extend_from_slice(&chunk);
                Next::Bytes
            }
            Ok(None) => Next::Fin,
            Err(RecvError::Reset(code)) => Next::Reset(code),
            Err(error) => self.fail(&wanted, &error.to_string()),
        }
    }

    /// Waits until `split` finds something at the front of what has arrived.
    pub async fn take<M>(
        &mut self,
        wanted: &str,
        mut split: impl FnMut(&mut BytesMut, Version) -> Result<Option<M>, DecodeError>,
    ) -> M {
        loop {
            if !self.buf.is_empty() {
                match split(&mut self.buf, self.version) {
                    Ok(Some(message)) => return message,
                    Ok(None) => {}
                    Err(error) => self.fail(wanted, &error.to_string()),
                }
            }
            match self.next(wanted).await {
                Next::Bytes => {}
                end => self.fail(wanted, &format!("{end:x?}")),
            }
        }
    }

    /// Waits for a variable-length integer.
    pub async fn expect_varint(&mut self) -> u64 {
        self.take("a varint", varint::split).await
    }

    /// Waits for a length-prefixed message.
    pub async fn expect<M: Decode>(&mut self) -> M {
        let name = std::any::type_name::<M>();
        self.take(name, |buf, version| {
            let body = split_message(buf, limits::MAX_MESSAGE, version)?;
            body.map(|body| decode_body(body, version)).transpose()
        })
        .await
    }

    /// Waits for an answer to SUBSCRIBE.
    pub async fn expect_response(&mut self) -> SubscribeResponse {
        self.take("an answer to SUBSCRIBE", SubscribeResponse::split)
            .await
    }

    /// Waits for exactly these bytes.
    pub async fn expect_bytes(&mut self, bytes: &[u8]) {
        let wanted = format!("{:02x?}", bytes);
        let got = self
            .take(&wanted, |buf, _| {
                Ok((buf.len() >= bytes.len()).then(|| buf.split_to(bytes.len())))
            })
            .await;
        assert_eq!(got, bytes, "{} on {}", self.name, self.version);
    }

    /// Waits for a frame of a group; its timestamp is 0 where the draft has none.
    pub async fn expect_frame(&mut self) -> (u64, Bytes) {
        let mut decoder = self.decoder.clone();
        let header = self.take("a frame", |buf, _| decoder.header(buf)).await;
        self.decoder = decoder;
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        while self.buf.len() < len {
            match self.next("a payload").await {
                Next::Bytes => {}
                end => self.fail("a payload", &format!("{end:x?}")),
            }
        }
        let payload = self.buf.split_to(len).freeze();
        (header.timestamp.unwrap_or_default(), payload)
    }

    /// Waits for the end of the receiving half, with nothing before it.
    pub async fn expect_fin(&mut self) {
        self.expect_next(&Next::Fin).await;
    }

    /// Waits for the end of the receiving half; what comes before it is of no interest.
    pub async fn expect_drained(&mut self) {
        while self.next("Fin").await == Next::Bytes {
            self.buf.clear();
        }
        self.expect_fin().await;
    }

    /// Takes what has arrived, and what comes while there is something, without a look at it.
    pub async fn skip_all(&mut self) {
        while clock::timeout(LULL, self.next("anything")).await == Ok(Next::Bytes) {
            self.buf.clear();
        }
    }

    /// Waits for a reset of the receiving half; what comes before it is of no interest.
    pub async fn expect_reset(&mut self, code: u32) {
        self.expect_next(&Next::Reset(code)).await;
    }

    async fn expect_next(&mut self, wanted: &Next) {
        let text = format!("{wanted:x?}");
        loop {
            if matches!(wanted, Next::Reset(_)) {
                self.buf.clear();
            }
            match self.next(&text).await {
                Next::Bytes if matches!(wanted, Next::Reset(_)) => {}
                got if got == *wanted && self.buf.is_empty() => return,
                got => self.fail(&text, &format!("{got:x?}")),
            }
        }
    }

    /// Waits until the session stops the sending half, with this code.
    ///
    /// # Panics
    /// If it stops it with another code, or takes it whole.
    pub async fn expect_stop(&mut self, code: u32) {
        let send = self.sender();
        let closed = in_time("STOP_SENDING", poll_fn(|cx| send.poll_closed(cx))).await;
        match closed {
            Err(SendError::Stopped(got)) if got == code => {}
            other => self.fail(&format!("STOP_SENDING {code:#x}"), &format!("{other:x?}")),
        }
    }

    /// Checks that nothing comes for a while, not even an end.
    pub async fn expect_silence(&mut self, wait: Duration) {
        let next = clock::timeout(wait, self.next("nothing")).await;
        if let Ok(next) = next {
            self.fail("nothing", &format!("{next:x?}"));
        }
        assert!(self.buf.is_empty(), "{}: bytes are left over", self.name);
    }
}

/// After so long without a byte, none comes.
const LULL: Duration = Duration::from_millis(10);

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
