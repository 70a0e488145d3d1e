//! Decoding and encoding of what one end sent on one stream.

use std::collections::BTreeSet;
use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceOk, Decode, DecodeError, Encode,
    EncodeError, FrameDecoder, FrameEncoder, Setup, SubscribeResponse, Version, decode_body,
    limits, put_message, split_message, varint,
};

use crate::Outcome;
use crate::capture::Half;

/// What was recorded, what of it is left, what was encoded again, and what it said.
pub(crate) struct Direction {
    version: Version,
    recorded: Vec<u8>,
    is_reset: bool,
    rest: BytesMut,
    again: BytesMut,
    said: Vec<String>,
}

impl Direction {
    pub(crate) fn new(half: &Half, version: Version) -> Self {
        Self {
            version,
            recorded: half.bytes.clone(),
            is_reset: half.is_reset,
            rest: BytesMut::from(&half.bytes[..]),
            again: BytesMut::new(),
            said: Vec::new(),
        }
    }

    pub(crate) fn stream_type(&mut self) -> Outcome {
        let version = self.version;
        self.item(
            |buf| varint::split(buf, version),
            |code, buf| varint::put(*code, buf, version),
        )
    }

    /// Exactly one item, unless the sender gave up on it.
    pub(crate) fn item<T: Debug>(
        &mut self,
        split: impl FnOnce(&mut BytesMut) -> Result<Option<T>, DecodeError>,
        put: impl FnOnce(&T, &mut BytesMut) -> Result<(), EncodeError>,
    ) -> Outcome {
        if self.next(split, put)? || self.is_reset {
            Ok(())
        } else {
            Err("message is missing".into())
        }
    }

    fn next<T: Debug>(
        &mut self,
        split: impl FnOnce(&mut BytesMut) -> Result<Option<T>, DecodeError>,
        put: impl FnOnce(&T, &mut BytesMut) -> Result<(), EncodeError>,
    ) -> Outcome<bool> {
        let Some(item) = split(&mut self.rest).map_err(text)? else {
            return Ok(false);
        };
        put(&item, &mut self.again).map_err(text)?;
        self.said.push(format!("{item:?}"));
        Ok(true)
    }

    pub(crate) fn message<M: Encode + Decode + Debug>(&mut self) -> Outcome {
        let version = self.version;
        self.item(split_one::<M>(version), |message, buf| {
            put_message(message, buf, version)
        })
    }

    pub(crate) fn messages<M: Encode + Decode + Debug>(&mut self) -> Outcome {
        let version = self.version;
        while self.next(split_one::<M>(version), |message, buf| {
            put_message(message, buf, version)
        })? {}
        Ok(())
    }

    pub(crate) fn announcements(&mut self) -> Outcome {
        if self.version.features().announce_ok && self.rest.is_empty() {
            return Ok(());
        }
        if self.version.features().announce_ok {
            self.message::<AnnounceOk>()?;
        }
        let before = self.rest.clone();
        let mut decoder = AnnounceDecoder::new(self.version);
        let mut events = Vec::new();
        while let Some(event) = decoder.decode(&mut self.rest).map_err(text)? {
            self.said.push(format!("{event:?}"));
            events.push(event);
        }
        let listed = usize::try_from(decoder.listed().unwrap_or(0)).map_err(text)?;
        let again = self.announced(&events, listed)?;
        if self.version.features().announce_compression {
            self.same_events(again, &events)?;
            let taken = before.len() - self.rest.len();
            self.again.extend_from_slice(&before[..taken]);
        } else if before.len() > self.rest.len() {
            self.again.extend_from_slice(&again);
        }
        Ok(())
    }

    /// `events` as they are written, of which the first ones are `listed`.
    fn announced(&self, events: &[AnnounceEvent], listed: usize) -> Outcome<BytesMut> {
        let (listed, rest) = events.split_at_checked(listed).ok_or("list is cut short")?;
        let mut again = BytesMut::new();
        let mut encoder =
            AnnounceEncoder::with_initial(self.version, listed, &mut again).map_err(text)?;
        for event in rest {
            encoder.encode(event, &mut again).map_err(text)?;
        }
        Ok(again)
    }

    fn same_events(&self, mut again: BytesMut, events: &[AnnounceEvent]) -> Outcome {
        let mut decoder = AnnounceDecoder::new(self.version);
        for event in events {
            if decoder.decode(&mut again).map_err(text)?.as_ref() != Some(event) {
                return Err(format!("{event:?} became something else"));
            }
        }
        Ok(())
    }

    pub(crate) fn responses(&mut self) -> Outcome {
        let version = self.version;
        let put = |response: &SubscribeResponse, buf: &mut BytesMut| response.put(buf, version);
        while self.next(|buf| SubscribeResponse::split(buf, version), put)? {}
        Ok(())
    }

    pub(crate) fn frames(&mut self) -> Outcome {
        let mut decoder = FrameDecoder::new(self.version);
        let mut encoder = FrameEncoder::new(self.version);
        loop {
            let mut rest = self.rest.clone();
            let Some(header) = decoder.header(&mut rest).map_err(text)? else {
                return Ok(());
            };
            let len = usize::try_from(header.len).map_err(text)?;
            if rest.len() < len {
                return Ok(());
            }
            let payload = rest.split_to(len);
            encoder
                .header(header.timestamp.unwrap_or(0), len, &mut self.again)
                .map_err(text)?;
            self.again.extend_from_slice(&payload);
            self.said.push(format!("{header:?} {payload:?}"));
            self.rest = rest;
        }
    }

    /// The order of parameters is the sender's choice, so they are compared as a set.
    pub(crate) fn setup(&mut self) -> Outcome {
        let version = self.version;
        let recorded = self.rest.clone();
        let before = self.again.len();
        self.message::<Setup>()?;
        let again = self.again.split_off(before);
        let recorded_set = parameters(recorded.clone(), version)?;
        if recorded_set != parameters(again.clone(), version)? {
            return Err(format!("{} became {}", dump(&recorded), dump(&again)));
        }
        self.said.push(format!("{recorded_set:?}"));
        let taken = recorded.len() - self.rest.len();
        self.again.extend_from_slice(&recorded[..taken]);
        Ok(())
    }

    /// Everything was taken, or is the beginning of something that the sender gave up on.
    pub(crate) fn finish(mut self) -> Outcome<Vec<String>> {
        if !self.rest.is_empty() && !self.is_reset {
            return Err(format!("left over: {}", dump(&self.rest)));
        }
        self.again.extend_from_slice(&self.rest);
        self.said.push(format!("{:?}", self.rest));
        same(&self.recorded, &self.again)?;
        Ok(self.said)
    }
}

fn split_one<M: Decode>(
    version: Version,
) -> impl FnOnce(&mut BytesMut) -> Result<Option<M>, DecodeError> {
    move |buf| {
        let body = split_message(buf, limits::MAX_MESSAGE, version)?;
        body.map(|body| decode_body(body, version)).transpose()
    }
}

fn parameters(mut message: BytesMut, version: Version) -> Outcome<BTreeSet<(u64, Bytes)>> {
    let body = split_message(&mut message, limits::MAX_MESSAGE, version).map_err(text)?;
    let mut body = BytesMut::from(body.unwrap_or_default());
    let count = varint::split(&mut body, version).map_err(text)?;
    let mut set = BTreeSet::new();
    for _ in 0..count.unwrap_or(0) {
        let id = varint::split(&mut body, version).map_err(text)?;
        let value = split_message(&mut body, limits::MAX_MESSAGE, version).map_err(text)?;
        set.insert((id.ok_or("no id")?, value.ok_or("no value")?));
    }
    if body.is_empty() {
        Ok(set)
    } else {
        Err("bytes after the parameters".into())
    }
}

pub(crate) fn same(recorded: &[u8], again: &[u8]) -> Outcome {
    if recorded == again {
        Ok(())
    } else {
        Err(format!("{} became {}", dump(recorded), dump(again)))
    }
}

fn dump(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(200);
    shown.map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn text(error: impl ToString) -> String {
    error.to_string()
}
