//! Bodies of fuzz targets, for whatever makes up the input: a fuzzer, a seeded loop, a corpus.
//!
//! The first byte of an input picks one of [`Version::ALL`](crate::Version::ALL), the rest is what a
//! peer sends after the type of the stream. A target panics if one of these does not hold:
//!
//! - what was decoded is the same once encoded and decoded again, and is encoded the same again;
//! - each item appears with its last byte, as it was received and as it is encoded: a strict prefix
//!   is neither an item nor an error, or an error that says so where all bytes are there at once;
//! - to decode an item takes at most 4 KiB and the input's length of memory, if [`measure_with`] was
//!   told how to find out;
//! - nothing panics.

mod check;
mod messages;
mod streams;

pub use check::{Meter, measure_with};
pub use messages::{announce_request, goaway, path, probe, setup, subscribe, track, varint};
pub use streams::{announce, datagram, fetch, group, handshake, response};

/// Takes an input and panics if it finds something wrong.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("varint", varint),
    ("path", path),
    ("handshake", handshake),
    ("setup", setup),
    ("announce_request", announce_request),
    ("announce", announce),
    ("subscribe", subscribe),
    ("response", response),
    ("track", track),
    ("fetch", fetch),
    ("group", group),
    ("datagram", datagram),
    ("probe", probe),
    ("goaway", goaway),
];
