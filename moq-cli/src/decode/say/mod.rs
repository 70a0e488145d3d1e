//! What each kind of message says.

mod session;
mod track;

pub(crate) use session::{WholeSetup, route};
