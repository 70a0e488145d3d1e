//! Frames, each once all of its payload is there.

use bytes::BytesMut;
use moq_wire::{FrameDecoder, FrameHeader, Version};

use super::expect::Taken;
use super::message::{Message, Value};

/// A run of frames.
#[derive(Debug)]
pub(crate) struct Frames {
    decoder: FrameDecoder,
    /// The number of the next frame.
    number: u64,
    /// Of the next frame, if only its payload is missing.
    header: Option<FrameHeader>,
}

impl Frames {
    pub(crate) fn new(number: u64, version: Version) -> Self {
        Self {
            decoder: FrameDecoder::new(version),
            number,
            header: None,
        }
    }

    /// Takes the next frame off the front of `buf`, once all of it is there.
    pub(crate) fn take(&mut self, buf: &mut BytesMut) -> Taken {
        if self.header.is_none() {
            self.header = self.decoder.header(buf)?;
        }
        let whole = |header: &mut FrameHeader| header.len <= buf.len() as u64;
        let Some(header) = self.header.take_if(whole) else {
            return Ok(None);
        };
        // It is no longer than the buffer.
        let len = usize::try_from(header.len).unwrap_or(buf.len());
        let payload = buf.split_to(len).freeze();
        let message = Message::new("FRAME")
            .labelled("frame", "", self.number)
            .when(header.timestamp.is_some(), |message| {
                message.labelled("timestamp", "at", header.timestamp)
            })
            .bare("size", Value::Size(header.len))
            .bare("payload", Value::Payload(payload));
        self.number = self.number.saturating_add(1);
        Ok(Some((message, None)))
    }
}
