//! What is waited for on a stream.

use std::future::poll_fn;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use moq_wire::{
    Decode, DecodeError, SubscribeResponse, Version, decode_body, limits, split_message, varint,
};

use super::{Next, Script};
use crate::testing::peer::in_time;
use crate::transport::{RecvError, RecvStream, SendError, SendStream};

impl Script {
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
    ///
    /// Cancel safe: what has arrived is kept.
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
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn expect_varint(&mut self) -> u64 {
        self.take("a varint", varint::split).await
    }

    /// Waits for a length-prefixed message.
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn expect<M: Decode>(&mut self) -> M {
        let name = std::any::type_name::<M>();
        self.take(name, |buf, version| {
            let body = split_message(buf, limits::MAX_MESSAGE, version)?;
            body.map(|body| decode_body(body, version)).transpose()
        })
        .await
    }

    /// Waits for an answer to SUBSCRIBE.
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn expect_response(&mut self) -> SubscribeResponse {
        self.take("an answer to SUBSCRIBE", SubscribeResponse::split)
            .await
    }

    /// Waits for exactly these bytes.
    ///
    /// # Panics
    /// If others come.
    ///
    /// Cancel safe: what has arrived is kept.
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
    ///
    /// Not cancel safe: the header of the frame is lost.
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
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn expect_fin(&mut self) {
        self.expect_next(&Next::Fin).await;
    }

    /// Waits for the end of the receiving half; what comes before it is of no interest.
    ///
    /// Cancel safe.
    pub async fn expect_drained(&mut self) {
        while self.next("Fin").await == Next::Bytes {
            self.buf.clear();
        }
        self.expect_fin().await;
    }

    /// Takes what has arrived, and what comes while there is something, without a look at it.
    ///
    /// Cancel safe.
    pub async fn skip_all(&mut self) {
        while clock::timeout(LULL, self.next("anything")).await == Ok(Next::Bytes) {
            self.buf.clear();
        }
    }

    /// Waits for a reset of the receiving half; what comes before it is of no interest.
    ///
    /// Cancel safe.
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
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn expect_stop(&mut self, code: u32) {
        let send = self.sender();
        let closed = in_time("STOP_SENDING", poll_fn(|cx| send.poll_closed(cx))).await;
        match closed {
            Err(SendError::Stopped(got)) if got == code => {}
            other => self.fail(&format!("STOP_SENDING {code:#x}"), &format!("{other:x?}")),
        }
    }

    /// Checks that nothing comes for a while, not even an end.
    ///
    /// # Panics
    /// If anything comes.
    ///
    /// Cancel safe: what has arrived is kept.
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
