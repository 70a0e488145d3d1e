//! Connections on quinn-proto itself, all those of a socket in one task.
//!
//! quinn gives each connection a task, a timer and two queues, which at a packet or two per wake
//! cost more than the packets. Here one [`driver`] moves a socket's packets, and handles work on a
//! connection's state under its lock; what they leave to send goes out in the driver's next pass.

mod arrivals;
#[cfg(target_os = "linux")]
mod batch;
mod capsules;
mod conn;
mod connection;
mod deadlines;
mod driver;
mod drivers;
mod hub;
mod ids;
mod link;
mod outgoing;
mod owner;
mod pass;
mod purpose;
mod read;
mod recv;
mod send;
mod socket;
mod timers;
mod waiters;
mod waits;
mod web;
mod workers;

#[cfg(test)]
mod tests;

pub(crate) use connection::Connection;
pub(crate) use drivers::{Drivers, Setup};
pub(crate) use link::Link;
pub(crate) use owner::Owner;
pub(crate) use recv::RecvStream;
pub(crate) use send::SendStream;
pub(crate) use workers::Workers;
