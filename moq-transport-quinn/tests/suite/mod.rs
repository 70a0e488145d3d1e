//! What a server does, whichever crate it is of. The clients are those of moq-transport-quinn.

mod conformance;
mod connection;
mod failures;
mod handshake;
mod streams;
mod support;
