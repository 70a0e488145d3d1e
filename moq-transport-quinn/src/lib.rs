//! QUIC and WebTransport for moq-lite sessions, on one UDP port, by quinn.
//!
//! A [`Client`] turns a URL into a [`Connection`]; a [`Server`] yields [`IncomingConnection`]s that
//! the caller accepts or refuses. Both bindings become the same [`Connection`] type, and none of
//! the types of the libraries below shows. Protocol names arrive as strings: this crate knows no
//! message of moq-lite.
//!
//! Everything here needs a tokio runtime with its I/O and time drivers enabled.

pub mod tls;

mod client;
mod client_config;
mod client_tls;
mod dial;
mod endpoint;
mod error;
mod pin;
mod target;

mod handshake;
mod incoming;
mod listener;
mod live;
mod server;
mod server_config;

mod direct;
mod reference;

mod closing;
mod code;
mod connection;
mod packet_size;
mod protocols;
mod recv;
mod send;
mod transport_config;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use client::Client;
pub use client_config::ClientConfig;
pub use code::stream_code;
pub use connection::Connection;
pub use error::{BindError, CertificateProblem, ConnectError, Phase};
pub use incoming::IncomingConnection;
pub use recv::RecvStream;
pub use send::SendStream;
pub use server::Server;
pub use server_config::{Engine, ServerConfig};
pub use transport_config::{Congestion, StreamLimits};
