//! Append-only runs of frames.

mod consumer;
mod producer;

pub use consumer::{GroupConsumer, GroupRead};
pub use producer::GroupProducer;
