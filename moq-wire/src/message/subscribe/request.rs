//! What the subscriber sends.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::DecodeError;
use crate::id::SubscribeId;
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
        /// The last group wanted.
        pub end: Option<u64> where subscribe_range,
        /// The first frame wanted of the group that `start` names.
        pub frame_start: u64 where frame_bounds,
        /// The last frame wanted of the group that `end` names, which has to name one.
        pub frame_end: Option<u64> where frame_bounds,
    }
    check Subscribe::check;
}

impl Subscribe {
    fn check(&self) -> Result<(), DecodeError> {
        check_frame_end(self.end, self.frame_end)
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
        /// The last group wanted.
        pub end: Option<u64>,
        /// The first frame wanted of the group that `start` names.
        pub frame_start: u64 where frame_bounds,
        /// The last frame wanted of the group that `end` names, which has to name one.
        pub frame_end: Option<u64> where frame_bounds,
    }
    check SubscribeUpdate::check;
}

impl SubscribeUpdate {
    fn check(&self) -> Result<(), DecodeError> {
        check_frame_end(self.end, self.frame_end)
    }
}

/// Where a subscription starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a start is named or it is not")]
pub enum GroupStart {
    /// At the newest group.
    ///
    /// Where the draft has only a floor this is written as 0 and reads as `Floor(0)`; there, a
    /// `max_age` of zero is what asks for the newest group.
    #[default]
    Latest,
    /// No earlier than this group.
    Floor(u64),
}

impl GroupStart {
    fn floor(self) -> Option<u64> {
        match self {
            Self::Latest => None,
            Self::Floor(group) => Some(group),
        }
    }
}

impl Encode for GroupStart {
    fn encode(&self, buf: &mut BytesMut, version: Version) {
        if version.features().start_is_floor {
            self.floor().unwrap_or(0).encode(buf, version);
        } else {
            self.floor().encode(buf, version);
        }
    }
}

impl Decode for GroupStart {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        if version.features().start_is_floor {
            u64::decode(buf, version).map(Self::Floor)
        } else {
            Ok(Option::decode(buf, version)?.map_or(Self::Latest, Self::Floor))
        }
    }
}

fn check_frame_end(end: Option<u64>, frame_end: Option<u64>) -> Result<(), DecodeError> {
    match (end, frame_end) {
        (None, Some(_)) => Err(DecodeError::FrameEndWithoutGroupEnd),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::decode_body;

    #[test]
    fn a_start_is_shifted_by_one_or_a_floor() {
        let cases = [
            (GroupStart::Latest, 0, 0),
            (GroupStart::Floor(0), 1, 0),
            (GroupStart::Floor(4), 5, 4),
        ];
        for (start, shifted, floor) in cases {
            assert_eq!(encoded(start, Version::Lite05), [shifted][..]);
            assert_eq!(encoded(start, Version::Lite06), [floor][..]);
        }
        assert_eq!(
            decode_body(Bytes::from_static(&[0]), Version::Lite05),
            Ok(GroupStart::Latest)
        );
        assert_eq!(
            decode_body(Bytes::from_static(&[0]), Version::Lite06),
            Ok(GroupStart::Floor(0))
        );
    }

    // spec: SUBSCRIBE, "a frame end without a group end is invalid"
    #[test]
    fn a_frame_end_needs_a_group_end() {
        let body = |end, frame_end| Bytes::from(vec![0, 0, 0, end, 0, frame_end]);
        let decode = |body| decode_body::<SubscribeUpdate>(body, Version::Lite06);
        assert!(decode(body(0, 0)).is_ok());
        assert!(decode(body(1, 1)).is_ok());
        assert_eq!(
            decode(body(0, 1)),
            Err(DecodeError::FrameEndWithoutGroupEnd)
        );
    }

    // spec: SUBSCRIBE, "a frame end without a group end is invalid"
    #[test]
    fn a_frame_end_needs_a_group_end_from_the_start() {
        let body = |end, frame_end| Bytes::from(vec![0, 0, 0, 0, 0, 0, end, 0, frame_end]);
        let decode = |body| decode_body::<Subscribe>(body, Version::Lite06);
        assert!(decode(body(1, 1)).is_ok());
        assert_eq!(
            decode(body(0, 1)),
            Err(DecodeError::FrameEndWithoutGroupEnd)
        );
    }

    #[test]
    fn the_byte_without_meaning_may_be_anything() {
        let update =
            decode_body::<SubscribeUpdate>(Bytes::from_static(&[9, 7, 0, 0, 0]), Version::Lite05);
        assert_eq!(update.unwrap().priority, 9);
    }

    fn encoded(start: GroupStart, version: Version) -> BytesMut {
        let mut buf = BytesMut::new();
        start.encode(&mut buf, version);
        buf
    }
}
