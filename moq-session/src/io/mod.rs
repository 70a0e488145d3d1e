//! Messages on streams.

mod reader;
mod writer;

pub(crate) use reader::{Announced, Reader};
pub(crate) use writer::Writer;
