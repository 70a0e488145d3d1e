//! QUIC and WebTransport for moq-lite sessions, on one UDP port, by quinn.
//!
//! A [`Client`] turns a URL into a [`Connection`]; a [`Server`] yields [`IncomingConnection`]s that
//! the caller accepts or refuses. Both bindings become the same [`Connection`] type, and none of
//! the types of the libraries below shows. Protocol names arrive as strings: this crate knows no
//! message of moq-lite.
//!
//! Each connection is a task, which suits clients and small servers. moq-transport-direct is a
//! server for many viewers on few cores.
//!
//! Everything here needs a tokio runtime with its I/O and time drivers enabled.

mod client;
mod client_config;
mod client_tls;
mod dial;
mod endpoint;

mod incoming;
mod server;

mod connection;
mod credit;
mod pending;
mod recv;
mod send;

#[cfg(test)]
mod tests;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use client::Client;
pub use client_config::ClientConfig;
pub use connection::Connection;
pub use incoming::IncomingConnection;
pub use moq_transport_common::quic::code::stream_code;
pub use moq_transport_common::quic::{Congestion, ServerConfig, StreamLimits};
pub use moq_transport_common::{BindError, CertificateProblem, ConnectError, Phase, tls};
pub use recv::RecvStream;
pub use send::SendStream;
pub use server::Server;
