//! A server of QUIC and WebTransport for relays: many viewers, few cores. Unix only.
//!
//! It drives quinn-proto itself. quinn gives each connection a task, a timer and two queues, which
//! at a packet or two per wake cost more than the packets. Here one task moves a socket's
//! packets, and handles work on a connection's state under its lock; what they leave to send goes
//! out in that task's next pass.
//!
//! A [`Server`] yields [`IncomingConnection`]s that the caller accepts or refuses, as those of
//! moq-transport-quinn do. That crate has the clients.
#![cfg(unix)]

mod handshake;
mod incoming;
mod server;

mod arrivals;
#[cfg(target_os = "linux")]
mod batch;
mod connection;
mod credit;
mod deadlines;
mod driver;
mod drivers;
mod ending;
mod http3;
mod hub;
mod ids;
mod limit;
mod outgoing;
mod pass;
mod purpose;
mod read;
mod recv;
mod refusals;
mod resets;
mod send;
mod sending;
mod socket;
mod table;
mod timers;
mod waiters;
mod waits;
mod web;
mod workers;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use incoming::IncomingConnection;
pub use moq_transport_common::quic::{Congestion, ServerConfig, StreamLimits};
pub use moq_transport_common::{BindError, tls};
pub use recv::RecvStream;
pub use send::SendStream;
pub use server::Server;
