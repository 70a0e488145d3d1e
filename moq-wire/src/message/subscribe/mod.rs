//! The Subscribe stream: a track's groups as they come.

mod request;
mod response;
#[cfg(test)]
mod tests;

pub use request::{GroupStart, Subscribe, SubscribeUpdate};
pub use response::{SubscribeOk, SubscribeResponse};
