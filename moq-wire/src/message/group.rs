//! The Group stream: one group of a subscription.

use crate::id::{GroupSequence, SubscribeId};
use crate::layout::message;

message! {
    /// Says which group a stream carries. First message on a Group stream; frames follow.
    ///
    /// Draft: GROUP.
    pub struct GroupHeader {
        /// The subscription it belongs to.
        pub subscribe_id: SubscribeId,
        /// Which group.
        pub sequence: GroupSequence,
        /// The number of the first frame on this stream.
        pub frame_start: u64 where frame_bounds,
    }
}
