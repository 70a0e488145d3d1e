//! The Subscribe stream: a track's groups as they come.

mod request;
mod response;

pub use request::{GroupStart, Subscribe, SubscribeUpdate};
pub use response::{SubscribeOk, SubscribeResponse};
