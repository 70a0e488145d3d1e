//! The Fetch stream: one group from the cache.

use crate::id::GroupSequence;
use crate::layout::message;
use crate::path::Path;

message! {
    /// Asks for one group. The only message on a Fetch stream; the answer is a run of frames.
    ///
    /// Draft: FETCH.
    pub struct Fetch {
        /// Absolute within the session.
        pub broadcast: Path,
        /// May be empty, may be anything.
        pub track: String,
        /// Higher is sent first.
        pub priority: u8,
        /// Which group.
        pub group: GroupSequence,
        /// The first frame wanted, counted from 0.
        pub frame_start: u64 where frame_bounds,
        /// The last frame wanted; `None` for all there will be.
        pub frame_last: Option<u64> where frame_bounds,
    }
}
