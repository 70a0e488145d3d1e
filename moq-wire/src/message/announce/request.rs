//! The first message of either direction.

use crate::id::HopId;
use crate::layout::message;
use crate::path::Path;

message! {
    /// Asks which broadcasts exist under a prefix. First message on an Announce stream.
    ///
    /// Draft: ANNOUNCE_REQUEST.
    pub struct AnnounceRequest {
        /// Empty for everything there is.
        pub prefix: Path,
        /// Routes whose chain contains this hop are not wanted. The anonymous hop excludes nothing.
        pub exclude_hop: HopId where exclude_hop,
        /// Whether names with a segment that starts with a dot are wanted too.
        pub include_hidden: bool where include_hidden,
    }
}

message! {
    /// Starts the answer to an announce request.
    ///
    /// Draft: ANNOUNCE_OK.
    pub struct AnnounceOk {
        /// Who answers, at most 62 bits. The receiver appends it to every chain on this stream.
        pub hop: HopId,
        /// How many announcements follow at once as the initial set.
        pub active: u64,
    }
}
