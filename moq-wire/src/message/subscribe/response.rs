//! What the publisher answers on the Subscribe stream.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_body};
use crate::envelope::{put_message, split_message, split_typed_message};
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
            Self::End(group) if features.start_end => put_typed(END, group, buf, version),
            &Self::Drop { start, end, code } => {
                if let Some(kind) = features.drop_type {
                    put_typed(kind, &SubscribeDrop(start, end, code), buf, version);
                }
            }
            Self::Ok(_) | Self::Start(_) | Self::End(_) => {}
        }
    }

    /// Takes one answer off the front of `buf`.
    ///
    /// `Ok(None)` means that more bytes are needed; nothing is taken then.
    ///
    /// # Errors
    /// [`DecodeError::UnknownResponse`], or what is wrong with the message itself.
    pub fn split(buf: &mut BytesMut, version: Version) -> Result<Option<Self>, DecodeError> {
        if version.features().typed_response {
            let message = split_typed_message(buf, MAX_MESSAGE, version)?;
            message
                .map(|(kind, body)| Self::decode(kind, body, version))
                .transpose()
        } else {
            let message = split_message(buf, MAX_MESSAGE, version)?;
            message
                .map(|body| decode_body(body, version).map(Self::Ok))
                .transpose()
        }
    }

    fn decode(kind: u64, body: Bytes, version: Version) -> Result<Self, DecodeError> {
        let features = version.features();
        match kind {
            OK if features.subscribe_ok => decode_body(body, version).map(Self::Ok),
            START if features.start_end => decode_body(body, version).map(Self::Start),
            END if features.start_end => decode_body(body, version).map(Self::End),
            _ if features.drop_type == Some(kind) => {
                let SubscribeDrop(start, end, code) = decode_body(body, version)?;
                Ok(Self::Drop { start, end, code })
            }
            _ => Err(DecodeError::UnknownResponse(kind)),
        }
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
        assert_eq!(split(&[9, 1], Version::Lite06), Ok(None));
        assert_eq!(
            split(&[9, 1, 0], Version::Lite06),
            Err(DecodeError::UnknownResponse(9))
        );
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
