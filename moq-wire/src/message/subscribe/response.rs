//! What the publisher answers on the Subscribe stream.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_whole};
use crate::envelope::{
    decode_or_put_back, put_message, put_typed_message, split_decoded, split_typed_message,
};
use crate::error::{DecodeError, EncodeError};
use crate::id::GroupSequence;
use crate::layout::message;
use crate::limits::MAX_MESSAGE;
use crate::varint;
use crate::version::Version;

message! {
    /// Accepts a subscription, where the draft says so explicitly.
    ///
    /// Deployed publishers repeat the priority they were asked for and leave the rest at zero.
    ///
    /// Draft: SUBSCRIBE_OK.
    pub struct SubscribeOk {
        /// Higher is sent first.
        pub priority: u8 where ok_priority [then a zero byte where ordered_byte],
        /// How far behind the newest group a group is still delivered. Whole milliseconds.
        pub max_age: Duration where subscribe_range,
        /// The first group that is going to be delivered.
        pub start: Option<GroupSequence> where subscribe_range,
        /// The last group that is going to be delivered.
        pub last: Option<GroupSequence> where subscribe_range,
    }
}

/// An answer to a subscription. Where the draft has only SUBSCRIBE_OK, that has no type in front.
///
/// Draft: SUBSCRIBE_OK, SUBSCRIBE_START, SUBSCRIBE_END, SUBSCRIBE_DROP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a session has to handle every answer"
)]
pub enum SubscribeResponse {
    /// The subscription is accepted.
    Ok(SubscribeOk),
    /// The first group to be delivered.
    Start(GroupSequence),
    /// There will be no further groups.
    End {
        /// No group at or above this one will ever exist.
        ///
        /// Some publishers mean the last group instead where [`end_is_exact`] is not set.
        ///
        /// [`end_is_exact`]: crate::Features::end_is_exact
        end: GroupSequence,
        /// How many group streams were opened for the subscription, where the draft
        /// [counts them](crate::Features::end_stream_count): there it has to be said. Elsewhere it is
        /// not written, and reads as `None`.
        streams: Option<u64>,
    },
    /// Groups that will not be delivered.
    Drop {
        /// The first of them.
        first: GroupSequence,
        /// The last of them.
        last: GroupSequence,
        /// One of the [codes of streams](crate::code::stream).
        code: u64,
    },
}

impl SubscribeResponse {
    /// Appends the answer.
    ///
    /// # Errors
    /// [`EncodeError::NotInVersion`] if the draft has no such answer, [`EncodeError::NoStreamCount`], or
    /// [`DecodeError::VarInt`] in [`EncodeError::Refused`]. Nothing is appended then.
    ///
    /// Draft: SUBSCRIBE_OK, SUBSCRIBE_START, SUBSCRIBE_END, SUBSCRIBE_DROP.
    pub fn put(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        let features = version.features();
        match self {
            Self::Ok(ok) if features.subscribe_ok && features.typed_response => {
                put_typed(OK, ok, buf, version)
            }
            Self::Ok(ok) if features.subscribe_ok => put_message(ok, buf, version),
            Self::Start(group) if features.start_end => put_typed(START, group, buf, version),
            &Self::End { end, streams } if features.start_end => {
                put_typed(END, &SubscribeEnd { end, streams }, buf, version)
            }
            &Self::Drop { first, last, code } => {
                let kind = features.drop_type.ok_or(EncodeError::NotInVersion)?;
                put_typed(kind, &SubscribeDrop(first, last, code), buf, version)
            }
            Self::Ok(_) | Self::Start(_) | Self::End { .. } => Err(EncodeError::NotInVersion),
        }
    }

    /// Takes one answer off the front of `buf`.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::UnknownResponse`], or what is wrong with the message itself; `buf` then begins with
    /// the type, or with the field that is wrong.
    ///
    /// Draft: SUBSCRIBE_OK, SUBSCRIBE_START, SUBSCRIBE_END, SUBSCRIBE_DROP.
    pub fn split(buf: &mut BytesMut, version: Version) -> Result<Option<Self>, DecodeError> {
        if !version.features().typed_response {
            let ok = split_decoded(buf, MAX_MESSAGE, version)?;
            return Ok(ok.map(Self::Ok));
        }
        if let Some((kind, _)) = varint::peek(buf, version)?
            && !is_known(kind, version)
        {
            return Err(DecodeError::UnknownResponse(kind));
        }
        let Some((kind, body)) = split_typed_message(buf, MAX_MESSAGE, version)? else {
            return Ok(None);
        };
        decode_or_put_back(body, buf, |body| Self::decode(kind, body, version)).map(Some)
    }

    fn decode(kind: u64, body: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let features = version.features();
        match kind {
            OK if features.subscribe_ok => decode_whole(body, version).map(Self::Ok),
            START if features.start_end => decode_whole(body, version).map(Self::Start),
            END if features.start_end => {
                let SubscribeEnd { end, streams } = decode_whole(body, version)?;
                Ok(Self::End { end, streams })
            }
            _ if features.drop_type == Some(kind) => {
                let SubscribeDrop(first, last, code) = decode_whole(body, version)?;
                Ok(Self::Drop { first, last, code })
            }
            _ => Err(DecodeError::UnknownResponse(kind)),
        }
    }
}

/// Whether the draft has answers of this type.
fn is_known(kind: u64, version: Version) -> bool {
    let features = version.features();
    match kind {
        OK if features.subscribe_ok || features.start_end => true,
        END if features.start_end => true,
        _ => features.drop_type == Some(kind),
    }
}

/// The body of an end.
struct SubscribeEnd {
    end: GroupSequence,
    streams: Option<u64>,
}

impl Encode for SubscribeEnd {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.end.encode(buf, version)?;
        if version.features().end_stream_count {
            let streams = self.streams.ok_or(EncodeError::NoStreamCount)?;
            streams.encode(buf, version)?;
        }
        Ok(())
    }
}

impl Decode for SubscribeEnd {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let end = GroupSequence::decode(buf, version)?;
        let counted = version.features().end_stream_count;
        Ok(Self {
            end,
            streams: counted.then(|| u64::decode(buf, version)).transpose()?,
        })
    }
}

/// The body of a drop: first group, last group, code.
struct SubscribeDrop(GroupSequence, GroupSequence, u64);

impl Encode for SubscribeDrop {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.0.encode(buf, version)?;
        self.1.encode(buf, version)?;
        self.2.encode(buf, version)
    }
}

impl Decode for SubscribeDrop {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self(
            GroupSequence::decode(buf, version)?,
            GroupSequence::decode(buf, version)?,
            u64::decode(buf, version)?,
        ))
    }
}

fn put_typed(
    kind: u64,
    body: &impl Encode,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    put_typed_message(kind, buf, version, |buf| body.encode(buf, version))
}

const OK: u64 = 0x0;
const START: u64 = 0x0;
const END: u64 = 0x1;
