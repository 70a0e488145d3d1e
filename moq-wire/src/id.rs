//! Numbers that identify something.

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::version::Version;

/// Names a subscription, by a number of at most 62 bits. Chosen by the subscriber, never reused within a
/// session.
///
/// Draft: SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SubscribeId(pub u64);

/// A group's number within its track, from 0 up to 2^62 - 1.
///
/// Draft: GROUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct GroupSequence(pub u64);

/// Names a relay or endpoint on the way of an announcement, by a number of at most 62 bits.
///
/// Draft: Hop ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HopId(pub u64);

impl HopId {
    /// Nobody in particular: may repeat, and matches no other hop.
    pub const ANONYMOUS: Self = Self(0);

    /// Whether this identifies nobody.
    #[must_use]
    pub const fn is_anonymous(self) -> bool {
        self.0 == 0
    }
}

macro_rules! varint_id {
    ($($name:ident),*) => { $(
        impl Encode for $name {
            fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
                self.0.encode(buf, version)
            }
        }

        impl Decode for $name {
            fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
                u64::decode(buf, version).map(Self)
            }
        }
    )* };
}

varint_id!(SubscribeId, GroupSequence, HopId);

/// Written as `Option<u64>` is.
impl Encode for Option<GroupSequence> {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.map(|group| group.0).encode(buf, version)
    }
}

impl Decode for Option<GroupSequence> {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        Ok(Option::<u64>::decode(buf, version)?.map(GroupSequence))
    }
}
