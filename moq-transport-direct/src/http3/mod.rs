//! HTTP/3 and WebTransport as a server reads them, without I/O.
//!
//! Each reader takes a stream's bytes in any pieces, and looks at each byte once.

pub(crate) mod code;

mod fault;
mod frames;
mod varint;

mod fields;
mod huffman;
mod static_table;

mod answer;
mod request;

mod capsules;
mod control;
mod datagram;
mod head;
mod instructions;
mod settings;

pub(crate) use answer::answer;
pub(crate) use capsules::Capsules;
pub(crate) use control::Critical;
pub(crate) use datagram::datagram_stream;
pub(crate) use fault::Fault;
pub(crate) use head::{Head, Purpose};
pub(crate) use request::Asking;
pub(crate) use settings::our_settings;

#[cfg(test)]
mod tests;
