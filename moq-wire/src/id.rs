//! Numbers that identify something.

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode};
use crate::error::DecodeError;
use crate::version::Version;

/// Names a subscription. Chosen by the subscriber, never reused within a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SubscribeId(pub u64);

/// A group's number within its track. Bounds of ranges are plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct GroupSequence(pub u64);

/// Names a relay or endpoint on the way of an announcement.
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
            fn encode(&self, buf: &mut BytesMut, version: Version) {
                self.0.encode(buf, version);
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
