//! The Announce stream: which broadcasts exist under a prefix.

mod by_id;
mod by_path;
mod decoder;
mod encoder;
mod event;
mod init;
mod reference;
mod request;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_list;
#[cfg(test)]
mod tests_reference;
#[cfg(test)]
mod tests_refused;

pub use decoder::AnnounceDecoder;
pub use encoder::AnnounceEncoder;
pub use event::{AnnounceEvent, AnnounceItem, Route};
pub use request::{AnnounceOk, AnnounceRequest};
