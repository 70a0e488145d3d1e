//! Connections on quinn's own interface, where each is a task: what a client uses, and what
//! [`Engine::Reference`](crate::Engine) has a server use.

mod connection;
mod credit;
mod link;
mod pending;
mod recv;
mod send;

pub(crate) use connection::Connection;
pub(crate) use link::{Link, negotiated_alpn, server_name};
pub(crate) use recv::RecvStream;
pub(crate) use send::SendStream;
