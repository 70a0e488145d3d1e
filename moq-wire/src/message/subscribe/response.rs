//! What the publisher answers on the Subscribe stream.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_whole};
use crate::envelope::{decode_or_put_back, put_message, split_decoded, split_typed_message};
use crate::error::DecodeError;
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
        pub start: Option<u64> where subscribe_range,
        /// The last group that is going to be delivered.
        pub end: Option<u64> where subscribe_range,
    }
}

/// An answer to a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a session has to handle every answer"
)]
pub enum SubscribeResponse {
    /// The subscription is accepted.
    Ok(SubscribeOk),
    /// The first group to be delivered.
    Start(u64),
    /// No group at or above this one will ever exist.
    ///
    /// Some publishers mean the last group instead where [`start_is_floor`] is not set.
    ///
    /// [`start_is_floor`]: crate::Features::start_is_floor
    End(u64),
    /// Groups that will not be delivered.
    Drop {
        /// The first of them.
        start: u64,
        /// The last of them.
        end: u64,
        /// A stream code.
        code: u64,
    },
}

impl SubscribeResponse {
    /// Appends the answer, or nothing where the draft has no such answer.
    ///
    /// Where the draft counts group streams at the end, [`put_end`](Self::put_end) says how many;
    /// this function leaves that open, by the largest number there is.
    ///
    /// Draft: SUBSCRIBE_OK, SUBSCRIBE_START, SUBSCRIBE_END, SUBSCRIBE_DROP.
    pub fn put(&self, buf: &mut BytesMut, version: Version) {
        let features = version.features();
        match self {
            Self::Ok(ok) if features.subscribe_ok => {
                if features.typed_response {
                    varint::put(OK, buf, version);
                }
                put_message(ok, buf, version);
            }
            Self::Start(group) if features.start_end => put_typed(START, group, buf, version),
            &Self::End(group) => Self::put_end(group, varint::MAX, buf, version),
            &Self::Drop { start, end, code } => {
                if let Some(kind) = features.drop_type {
                    put_typed(kind, &SubscribeDrop(start, end, code), buf, version);
                }
            }
            Self::Ok(_) | Self::Start(_) => {}
        }
    }

    /// Appends [`End`](Self::End) with the number of group streams opened for the subscription,
    /// which only some drafts tell; or nothing where the draft has no such answer.
    ///
    /// Draft: SUBSCRIBE_END.
    pub fn put_end(group: u64, streams: u64, buf: &mut BytesMut, version: Version) {
        let features = version.features();
        if features.start_end {
            let streams = features.end_stream_count.then_some(streams);
            put_typed(END, &SubscribeEnd { group, streams }, buf, version);
        }
    }

    /// Takes one answer off the front of `buf`.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::UnknownResponse`], or what is wrong with the message itself.
    pub fn split(buf: &mut BytesMut, version: Version) -> Result<Option<Self>, DecodeError> {
        let answer = Self::split_counted(buf, version)?;
        Ok(answer.map(|(response, _)| response))
    }

    /// Takes one answer off the front of `buf`, as [`split`](Self::split) does, with the number of
    /// group streams that [`End`](Self::End) tells in some drafts.
    ///
    /// # Errors
    /// As for [`split`](Self::split).
    pub fn split_counted(
        buf: &mut BytesMut,
        version: Version,
    ) -> Result<Option<(Self, Option<u64>)>, DecodeError> {
        if !version.features().typed_response {
            let ok = split_decoded(buf, MAX_MESSAGE, version)?;
            return Ok(ok.map(|ok| (Self::Ok(ok), None)));
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

    fn decode(
        kind: u64,
        body: &mut Bytes,
        version: Version,
    ) -> Result<(Self, Option<u64>), DecodeError> {
        let features = version.features();
        let response = match kind {
            OK if features.subscribe_ok => Self::Ok(decode_whole(body, version)?),
            START if features.start_end => Self::Start(decode_whole(body, version)?),
            END if features.start_end => {
                let SubscribeEnd { group, streams } = decode_whole(body, version)?;
                return Ok((Self::End(group), streams));
            }
            _ if features.drop_type == Some(kind) => {
                let SubscribeDrop(start, end, code) = decode_whole(body, version)?;
                Self::Drop { start, end, code }
            }
            _ => return Err(DecodeError::UnknownResponse(kind)),
        };
        Ok((response, None))
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
    group: u64,
    streams: Option<u64>,
}

impl Encode for SubscribeEnd {
    fn encode(&self, buf: &mut BytesMut, version: Version) {
        self.group.encode(buf, version);
        if let Some(streams) = self.streams {
            streams.encode(buf, version);
        }
    }
}

impl Decode for SubscribeEnd {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let group = u64::decode(buf, version)?;
        let counted = version.features().end_stream_count;
        Ok(Self {
            group,
            streams: counted.then(|| u64::decode(buf, version)).transpose()?,
        })
    }
}

/// The body of a drop: first group, last group, code.
struct SubscribeDrop(u64, u64, u64);

impl Encode for SubscribeDrop {
    fn encode(&self, buf: &mut BytesMut, version: Version) {
        self.0.encode(buf, version);
        self.1.encode(buf, version);
        self.2.encode(buf, version);
    }
}

impl Decode for SubscribeDrop {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Self(
            u64::decode(buf, version)?,
            u64::decode(buf, version)?,
            u64::decode(buf, version)?,
        ))
    }
}

fn put_typed(kind: u64, body: &impl Encode, buf: &mut BytesMut, version: Version) {
    varint::put(kind, buf, version);
    put_message(body, buf, version);
}

const OK: u64 = 0x0;
const START: u64 = 0x0;
const END: u64 = 0x1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_means_what_the_draft_says() {
        let split =
            |bytes: &[u8], version| SubscribeResponse::split(&mut BytesMut::from(bytes), version);
        let drop = SubscribeResponse::Drop {
            start: 2,
            end: 3,
            code: 5,
        };
        assert_eq!(
            split(&[1, 3, 2, 3, 5], Version::Lite04),
            Ok(Some(drop.clone()))
        );
        assert_eq!(split(&[2, 3, 2, 3, 5], Version::Lite06), Ok(Some(drop)));
        assert_eq!(
            split(&[1, 1, 7], Version::Lite06),
            Ok(Some(SubscribeResponse::End(7)))
        );
        assert_eq!(
            split(&[2, 0], Version::Lite04),
            Err(DecodeError::UnknownResponse(2))
        );
        assert_eq!(split(&[1, 1], Version::Lite06), Ok(None));
        assert_eq!(
            split(&[9], Version::Lite06),
            Err(DecodeError::UnknownResponse(9))
        );
    }

    // spec: SUBSCRIBE_END, "the count of group streams opened for the subscription"
    #[test]
    fn an_end_may_count_streams() {
        const COUNTED: Version = Version::Lite07Wip;
        let split =
            |bytes: &[u8]| SubscribeResponse::split_counted(&mut BytesMut::from(bytes), COUNTED);
        let end = SubscribeResponse::End(7);
        assert_eq!(split(&[1, 2, 7, 3]), Ok(Some((end.clone(), Some(3)))));
        assert_eq!(split(&[1, 1, 7]), Err(DecodeError::PastEnd));
        assert_eq!(
            split(&[2, 3, 2, 3, 5]),
            Err(DecodeError::UnknownResponse(2))
        );
        let mut buf = BytesMut::new();
        SubscribeResponse::put_end(7, 3, &mut buf, COUNTED);
        assert_eq!(buf, [1, 2, 7, 3][..]);
        buf.clear();
        end.put(&mut buf, COUNTED);
        assert_eq!(split(&buf), Ok(Some((end, Some(varint::MAX)))));
    }

    #[test]
    fn an_answer_the_draft_lacks_is_not_written() {
        let ok = SubscribeOk {
            priority: 1,
            max_age: Duration::ZERO,
            start: None,
            end: None,
        };
        let missing = [
            (SubscribeResponse::Start(0), Version::Lite04),
            (SubscribeResponse::End(0), Version::Lite04),
            (SubscribeResponse::Ok(ok), Version::Lite05),
        ];
        for (response, version) in missing {
            let mut buf = BytesMut::new();
            response.put(&mut buf, version);
            assert!(buf.is_empty(), "{response:?} on {version}");
        }
    }
}
