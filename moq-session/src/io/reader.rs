//! Taking messages and frames off a stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use moq_wire::{
    AnnounceDecoder, AnnounceEvent, Decode, DecodeError, FrameDecoder, FrameHeader,
    SubscribeResponse, Version, decode_body, limits, split_message, varint,
};

use super::patience::Patience;
use crate::context::Shared;
use crate::error::{PeerFault, StreamError};
use crate::limiter::Partial;
use crate::limits::Limit;
use crate::transport::RecvStream;

/// How long a stream may take to say what it is for.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that are taken in before it is their turn.
const MAX_AHEAD: usize = 4 * 1_024;

/// Chunks of fewer bytes are copied on arrival, larger ones are kept as they came.
const SMALL: usize = 1_024;

/// Bytes of a payload that may come in one go without being taken account of.
const LOT: usize = 16 * 1_024;

/// What an Announce stream tells.
#[derive(Debug)]
pub(crate) enum Announced {
    /// The list has begun, so the size of the initial set is known.
    Listed,
    /// There is no room for some announcement.
    LeftOut,
    Event(AnnounceEvent),
}

/// What takes account of a payload while it arrives.
pub(crate) trait Intake {
    /// Why the payload is not wanted any more.
    type Error: From<StreamError>;

    /// Bytes have arrived.
    fn arrive(&mut self, bytes: usize) -> Result<(), Self::Error>;

    /// Waits until the payload is of no use any more.
    fn poll_closed(&self, cx: &Context<'_>) -> Poll<Self::Error>;
}

/// A part of a payload that has not arrived whole.
enum Piece {
    Copied(BytesMut),
    Shared(Bytes),
}

/// The receiving half of a stream, with what has arrived and is not taken yet.
///
/// Dropping it before its end stops the stream.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    stream: R,
    version: Version,
    buf: BytesMut,
    is_finished: bool,
    /// What `buf` has of the session's budget.
    held: Option<Partial>,
    /// How long the peer may take for the rest of a message.
    patience: Option<Patience>,
}

impl<R: RecvStream> Reader<R> {
    pub(crate) fn new(stream: R, version: Version) -> Self {
        Self {
            stream,
            version,
            buf: BytesMut::new(),
            is_finished: false,
            held: None,
            patience: None,
        }
    }

    /// Counts what has arrived of a message as bytes that the session holds for the peer.
    pub(crate) fn counted(mut self, shared: &Shared) -> Self {
        self.held = Some(Partial::new(&shared.limiter.buffered));
        self
    }

    /// As [`Self::counted`], with a deadline for the rest of each message that has begun.
    pub(crate) fn in_time(mut self, shared: &Arc<Shared>) -> Self {
        self.patience = Some(Patience::new(shared, Limit::AnswerTime));
        self.counted(shared)
    }

    /// Lets the peer take its time for the rest of a message.
    pub(crate) fn at_leisure(&mut self) {
        self.patience = None;
    }

    /// Waits for more bytes; false once the peer has finished the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, StreamError>> {
        if self.is_finished {
            return Poll::Ready(Ok(false));
        }
        match ready!(self.stream.poll_read_chunk(cx))? {
            Some(chunk) => self.buf.extend_from_slice(&chunk),
            None => self.is_finished = true,
        }
        Poll::Ready(Ok(!self.is_finished))
    }

    /// Waits until `take` finds something in the buffer, or `None` at the end of the stream.
    fn poll_take<M>(
        &mut self,
        cx: &mut Context<'_>,
        what: &'static str,
        mut take: impl FnMut(&mut BytesMut, Version) -> Result<Option<M>, DecodeError>,
    ) -> Poll<Result<Option<M>, StreamError>> {
        loop {
            if !self.buf.is_empty()
                && let Some(message) = take(&mut self.buf, self.version)
                    .map_err(|error| PeerFault::Malformed { what, error })?
            {
                self.hold_nothing();
                return Poll::Ready(Ok(Some(message)));
            }
            let Poll::Ready(filled) = self.poll_fill(cx) else {
                return self.poll_patience(cx).map(Err);
            };
            if !filled? {
                let is_clean = self.buf.is_empty();
                return Poll::Ready(if is_clean {
                    Ok(None)
                } else {
                    Err(PeerFault::Truncated(what).into())
                });
            }
        }
    }

    /// Takes account of a message that has not arrived whole; waits until the peer has had its time.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<StreamError> {
        if self.buf.is_empty() {
            self.hold_nothing();
            return Poll::Pending;
        }
        if let Some(Err(fault)) = self.hold() {
            return Poll::Ready(fault.into());
        }
        match &mut self.patience {
            Some(patience) => patience.poll(cx),
            None => Poll::Pending,
        }
    }

    /// Takes account of what has arrived and can't be taken yet.
    fn hold(&mut self) -> Option<Result<(), PeerFault>> {
        // Of a block for messages, all is held for them; one for frames has mostly held others before.
        let bytes = match self.patience {
            Some(_) => self.buf.capacity(),
            None => self.buf.len(),
        };
        self.held.as_mut().map(|held| held.set(bytes))
    }

    /// Notes that no message is half here.
    fn hold_nothing(&mut self) {
        if let Some(held) = &mut self.held {
            held.clear();
        }
        if let Some(patience) = &mut self.patience {
            patience.reset();
        }
    }

    /// Waits for the first byte, or the end of a stream without any.
    pub(crate) async fn begun(&mut self) -> Result<(), StreamError> {
        poll_fn(|cx| self.poll_fill(cx)).await.map(drop)
    }

    /// Whether the stream's type has arrived, or something that is none.
    pub(crate) fn has_type(&self) -> bool {
        !matches!(varint::peek(&self.buf, self.version), Ok(None))
    }

    /// The stream type that a stream begins with; `None` if it ended without one.
    ///
    /// # Errors
    /// [`StreamError::Timeout`] when it does not come in time.
    pub(crate) async fn stream_type(&mut self) -> Result<Option<u64>, StreamError> {
        let kind = poll_fn(|cx| self.poll_take(cx, "a stream type", varint::split));
        let kind = clock::timeout(HEADER_TIMEOUT, kind).await;
        kind.map_err(|_| StreamError::Timeout)?
    }

    /// Goes on in the words of `version`.
    pub(crate) fn speak(&mut self, version: Version) {
        self.version = version;
    }

    /// What `split` takes off the stream; `None` at the end of the stream.
    pub(crate) async fn split<M>(
        &mut self,
        what: &'static str,
        mut split: impl FnMut(&mut BytesMut) -> Result<Option<M>, DecodeError>,
    ) -> Result<Option<M>, StreamError> {
        poll_fn(|cx| self.poll_take(cx, what, |buf, _| split(buf))).await
    }

    /// The next length-prefixed message; `None` at the end of the stream.
    pub(crate) async fn message<M: Decode>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<M>, StreamError> {
        poll_fn(|cx| self.poll_message(cx, what)).await
    }

    /// Poll form of [`Self::message`].
    pub(crate) fn poll_message<M: Decode>(
        &mut self,
        cx: &mut Context<'_>,
        what: &'static str,
    ) -> Poll<Result<Option<M>, StreamError>> {
        self.poll_take(cx, what, |buf, version| {
            let body = split_message(buf, limits::MAX_MESSAGE, version)?;
            body.map(|body| decode_body(body, version)).transpose()
        })
    }

    /// The one message that a stream consists of.
    pub(crate) async fn only_message<M: Decode>(
        &mut self,
        what: &'static str,
    ) -> Result<M, StreamError> {
        let message = self
            .message(what)
            .await?
            .ok_or(PeerFault::Truncated(what))?;
        Ok(message)
    }

    /// The next change of the peer's announcements; `None` at the end of the stream. Those that come when
    /// there is no `room` are left out.
    pub(crate) async fn announced(
        &mut self,
        decoder: &mut AnnounceDecoder,
        room: impl Fn() -> usize,
    ) -> Result<Option<Announced>, StreamError> {
        let announced = self.split("an announcement", |buf| {
            decoder.set_room(room());
            let (is_new, left_out) = (decoder.listed().is_none(), decoder.left_out());
            let event = decoder.decode(buf)?.map(Announced::Event);
            let is_listed = is_new && decoder.listed().is_some();
            let is_left_out = decoder.left_out() > left_out;
            let event = event.or_else(|| is_left_out.then_some(Announced::LeftOut));
            Ok(event.or_else(|| is_listed.then_some(Announced::Listed)))
        });
        match announced.await? {
            None if !decoder.may_end() => Err(PeerFault::Truncated("ANNOUNCE_INIT").into()),
            announced => Ok(announced),
        }
    }

    /// The next answer to SUBSCRIBE.
    pub(crate) fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<SubscribeResponse>, StreamError>> {
        self.poll_take(cx, "an answer to SUBSCRIBE", SubscribeResponse::split)
    }

    /// The next frame's header; `None` at the end of the stream.
    pub(crate) async fn frame_header(
        &mut self,
        decoder: &mut FrameDecoder,
    ) -> Result<Option<FrameHeader>, StreamError> {
        poll_fn(|cx| self.poll_take(cx, "a frame", |buf, _| decoder.header(buf))).await
    }

    /// The next `len` bytes, in one piece.
    ///
    /// Nothing is allocated on the word of the peer: the pieces are put together when all are there.
    /// While they wait for the rest, `intake` takes account of them.
    pub(crate) async fn payload<I: Intake>(
        &mut self,
        len: usize,
        intake: &mut I,
    ) -> Result<Bytes, I::Error> {
        let Some(mut missing) = len
            .checked_sub(self.buf.len())
            .filter(|missing| *missing > 0)
        else {
            return Ok(self.buf.split_to(len).freeze());
        };
        let mut fresh = self.buf.len();
        let mut pieces = vec![Piece::Copied(self.buf.split())];
        while missing > 0 {
            if fresh >= LOT {
                intake.arrive(std::mem::take(&mut fresh))?;
            }
            let chunk = poll_fn(|cx| {
                if let Poll::Ready(chunk) = self.stream.poll_read_chunk(cx) {
                    return Poll::Ready(chunk.map_err(|error| StreamError::from(error).into()));
                }
                if fresh > 0 {
                    intake.arrive(std::mem::take(&mut fresh))?;
                }
                intake.poll_closed(cx).map(Err)
            });
            let Some(mut chunk) = chunk.await? else {
                self.is_finished = true;
                return Err(StreamError::from(PeerFault::Truncated("a frame")).into());
            };
            if chunk.len() > missing {
                self.buf.extend_from_slice(&chunk.split_off(missing));
            }
            missing -= chunk.len();
            fresh += chunk.len();
            match pieces.last_mut() {
                // A small chunk would hold on to the whole packet that it came in.
                Some(Piece::Copied(copied)) if chunk.len() < SMALL => {
                    copied.extend_from_slice(&chunk)
                }
                _ if chunk.len() < SMALL => pieces.push(Piece::Copied(BytesMut::from(&*chunk))),
                _ => pieces.push(Piece::Shared(chunk)),
            }
        }
        let mut payload = BytesMut::with_capacity(len);
        for piece in &pieces {
            payload.extend_from_slice(match piece {
                Piece::Copied(bytes) => bytes,
                Piece::Shared(bytes) => bytes,
            });
        }
        Ok(payload.freeze())
    }

    /// Waits until the peer ends its half, whatever it sends before that.
    pub(crate) async fn drained(&mut self) -> Result<(), StreamError> {
        while poll_fn(|cx| self.poll_fill(cx)).await? {
            self.buf.clear();
        }
        Ok(())
    }

    /// Waits until the peer ends its half. What it sends before that is kept, as long as it is
    /// little; a peer that sends more is not listened to.
    pub(crate) async fn ahead(&mut self) -> Result<(), StreamError> {
        while self.buf.len() < MAX_AHEAD {
            if !poll_fn(|cx| self.poll_fill(cx)).await? {
                return Ok(());
            }
            self.hold().transpose()?;
        }
        std::future::pending().await
    }

    /// Waits until the peer ends its half, which has nothing more to say.
    ///
    /// # Errors
    /// [`PeerFault::Unexpected`] when something comes all the same.
    pub(crate) async fn ended(&mut self, what: &'static str) -> Result<(), StreamError> {
        if self.buf.is_empty() && !poll_fn(|cx| self.poll_fill(cx)).await? {
            return Ok(());
        }
        Err(PeerFault::Unexpected(what).into())
    }

    /// Tells the peer to stop sending.
    pub(crate) fn stop(mut self, code: u32) {
        self.stream.stop(code);
    }
}
