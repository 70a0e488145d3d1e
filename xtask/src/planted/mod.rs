//! Planted bugs: patches to the sources, each of which a test has to notice.

mod copy;
mod suite;

pub(crate) use suite::Suite;
