//! What a server does, whichever engine moves its packets. The clients are quinn's.

mod connection;
mod failures;
mod handshake;
mod streams;
mod support;
