//! What a peer does wrong, and what that costs.

use quinn_proto::VarInt;

/// Something that a peer has sent and may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: VarInt,
    /// Whether it ends the connection, or the stream alone.
    pub(crate) is_of_connection: bool,
    pub(crate) reason: &'static str,
}

impl Fault {
    /// Ends the connection.
    pub(super) const fn of_connection(code: VarInt, reason: &'static str) -> Self {
        Self {
            code,
            is_of_connection: true,
            reason,
        }
    }

    /// Ends the stream that it came on.
    pub(super) const fn of_stream(code: VarInt, reason: &'static str) -> Self {
        Self {
            code,
            is_of_connection: false,
            reason,
        }
    }
}
