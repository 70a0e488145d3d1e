//! Messages on streams.

mod gate;
mod patience;
mod reader;
mod writer;

pub(crate) use gate::Gate;
pub(crate) use reader::{Announced, Intake, Reader};
pub(crate) use writer::Writer;
