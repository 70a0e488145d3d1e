//! Upper bounds on what a peer may send, as far as the wire format itself can enforce them.

/// The body of a message, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// Parameters in one SETUP, as many as deployed peers accept.
pub const MAX_SETUP_PARAMETERS: usize = 64;

/// Versions offered in the handshake inside a session.
pub const MAX_HANDSHAKE_VERSIONS: u64 = 128;

/// Parameters of one message of the handshake inside a session.
pub const MAX_HANDSHAKE_PARAMETERS: u64 = 64;

/// The URI of GOAWAY, in bytes.
pub const MAX_GOAWAY_URI: usize = 8 * 1024;

/// A normalised path, in bytes.
pub const MAX_PATH_BYTES: usize = 1024;

/// Segments of a path.
pub const MAX_PATH_SEGMENTS: usize = 32;

/// Entries of a hop chain.
pub const MAX_HOPS: usize = 32;
