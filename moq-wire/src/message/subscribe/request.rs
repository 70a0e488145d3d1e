//! What the subscriber sends.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::id::{GroupSequence, SubscribeId};
use crate::layout::message;
use crate::path::Path;
use crate::version::Version;

message! {
    /// Asks for a track's groups. First message on a Subscribe stream.
    ///
    /// Draft: SUBSCRIBE.
    pub struct Subscribe {
        /// Chosen by the subscriber, never reused within a session.
        pub id: SubscribeId,
        /// Absolute within the session.
        pub broadcast: Path,
        /// May be empty, may be anything.
        pub track: String,
        /// Higher is sent first.
        pub priority: u8 [then a zero byte where ordered_byte],
        /// How far behind the newest group a group is still wanted. Whole milliseconds.
        pub max_age: Duration where subscribe_range,
        /// The first group wanted.
        pub start: GroupStart where subscribe_range,
        /// The last group wanted; `None` for all there will be.
        pub last: Option<GroupSequence> where subscribe_range,
        /// The first frame wanted of the group that `start` names, counted from 0.
        pub frame_start: u64 where frame_bounds,
        /// The last frame wanted of the group that `last` names, which has to name one.
        pub frame_last: Option<u64> where frame_bounds,
    }
    check Subscribe::check;
}

impl Subscribe {
    fn check(&self) -> Result<(), DecodeError> {
        check_frame_last(self.last, self.frame_last)
    }
}

message! {
    /// Replaces what a subscription asks for. Any number may follow [`Subscribe`].
    ///
    /// Draft: SUBSCRIBE_UPDATE.
    pub struct SubscribeUpdate {
        /// Higher is sent first.
        pub priority: u8 [then a zero byte where ordered_byte],
        /// How far behind the newest group a group is still wanted. Whole milliseconds.
        pub max_age: Duration,
        /// The first group wanted.
        pub start: GroupStart,
        /// The last group wanted; `None` for all there will be.
        pub last: Option<GroupSequence>,
        /// The first frame wanted of the group that `start` names, counted from 0.
        pub frame_start: u64 where frame_bounds,
        /// The last frame wanted of the group that `last` names, which has to name one.
        pub frame_last: Option<u64> where frame_bounds,
    }
    check SubscribeUpdate::check;
}

impl SubscribeUpdate {
    fn check(&self) -> Result<(), DecodeError> {
        check_frame_last(self.last, self.frame_last)
    }
}

/// Where a subscription starts.
///
/// Draft: SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a start is named or it is not")]
pub enum GroupStart {
    /// At the newest group.
    ///
    /// Where the draft has only a floor this is not written. There, a `max_age` of zero with a floor of 0
    /// asks for the newest group.
    #[default]
    Latest,
    /// No earlier than this group.
    Floor(GroupSequence),
}

impl Encode for GroupStart {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        match (self, version.features().start_is_floor) {
            (Self::Latest, true) => Err(EncodeError::NotInVersion),
            (Self::Latest, false) => None::<GroupSequence>.encode(buf, version),
            (Self::Floor(group), true) => group.encode(buf, version),
            (&Self::Floor(group), false) => Some(group).encode(buf, version),
        }
    }
}

impl Decode for GroupStart {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        if version.features().start_is_floor {
            GroupSequence::decode(buf, version).map(Self::Floor)
        } else {
            Ok(Option::decode(buf, version)?.map_or(Self::Latest, Self::Floor))
        }
    }
}

fn check_frame_last(
    last: Option<GroupSequence>,
    frame_last: Option<u64>,
) -> Result<(), DecodeError> {
    match (last, frame_last) {
        (None, Some(_)) => Err(DecodeError::FrameLastWithoutGroup),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::decode_body;

    #[test]
    fn a_start_is_shifted_by_one_or_a_floor() {
        let floor = |group| GroupStart::Floor(GroupSequence(group));
        let written = |byte: u8| Ok(BytesMut::from(&[byte][..]));
        for (start, shifted) in [(GroupStart::Latest, 0), (floor(0), 1), (floor(4), 5)] {
            assert_eq!(encoded(start, Version::Lite05), written(shifted));
        }
        assert_eq!(encoded(floor(0), Version::Lite06), written(0));
        assert_eq!(encoded(floor(4), Version::Lite06), written(4));
        assert_eq!(
            decode_body(Bytes::from_static(&[0]), Version::Lite05),
            Ok(GroupStart::Latest)
        );
        assert_eq!(
            decode_body(Bytes::from_static(&[0]), Version::Lite06),
            Ok(floor(0))
        );
    }

    #[test]
    fn the_newest_group_is_not_written_as_any_group() {
        let refused = Err(EncodeError::NotInVersion);
        assert_eq!(encoded(GroupStart::Latest, Version::Lite06), refused);
        assert_eq!(encoded(GroupStart::Latest, Version::Lite07Wip), refused);
    }

    // spec: SUBSCRIBE, "a frame end without a group end is invalid"
    #[test]
    fn a_last_frame_needs_a_last_group() {
        let body = |last, frame_last| Bytes::from(vec![0, 0, 0, last, 0, frame_last]);
        let decode = |body| decode_body::<SubscribeUpdate>(body, Version::Lite06);
        assert!(decode(body(0, 0)).is_ok());
        let update = decode(body(1, 1)).unwrap();
        let written = SubscribeUpdate {
            last: None,
            ..update
        };
        assert_eq!(
            written.encode(&mut BytesMut::new(), Version::Lite06),
            Err(DecodeError::FrameLastWithoutGroup.into())
        );
        assert_eq!(decode(body(0, 1)), Err(DecodeError::FrameLastWithoutGroup));
    }

    // spec: SUBSCRIBE, "a frame end without a group end is invalid"
    #[test]
    fn a_last_frame_needs_a_last_group_from_the_start() {
        let body = |last, frame_last| Bytes::from(vec![0, 0, 0, 0, 0, 0, last, 0, frame_last]);
        let decode = |body| decode_body::<Subscribe>(body, Version::Lite06);
        let request = decode(body(1, 1)).unwrap();
        let written = Subscribe {
            last: None,
            ..request
        };
        assert_eq!(
            written.encode(&mut BytesMut::new(), Version::Lite06),
            Err(DecodeError::FrameLastWithoutGroup.into())
        );
        assert_eq!(decode(body(0, 1)), Err(DecodeError::FrameLastWithoutGroup));
    }

    #[test]
    fn the_byte_without_meaning_may_be_anything() {
        let update =
            decode_body::<SubscribeUpdate>(Bytes::from_static(&[9, 7, 0, 0, 0]), Version::Lite05);
        assert_eq!(update.unwrap().priority, 9);
    }

    fn encoded(start: GroupStart, version: Version) -> Result<BytesMut, EncodeError> {
        let mut buf = BytesMut::new();
        start.encode(&mut buf, version).map(|()| buf)
    }
}
