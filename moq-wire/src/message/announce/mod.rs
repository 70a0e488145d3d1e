//! The Announce stream: which broadcasts exist under a prefix.

mod decoder;
mod encoder;
mod event;
mod request;
#[cfg(test)]
mod tests;

pub use decoder::AnnounceDecoder;
pub use encoder::AnnounceEncoder;
pub use event::{AnnounceEvent, Route};
pub use request::{AnnounceOk, AnnounceRequest};
