//! The built program in real processes, over real QUIC on ephemeral ports.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod addresses;
mod bench;
mod decode;
mod failures;
mod flows;
mod hello;
mod media;
mod program;
mod restarts;
