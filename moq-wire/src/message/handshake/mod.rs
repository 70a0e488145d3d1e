//! The handshake inside a session, where the protocol name leaves the draft open.
//!
//! Client and server exchange one message each on the first bidirectional stream, which then stays
//! open for [`SessionInfo`].

mod exchange;
mod info;
mod parameter;
#[cfg(test)]
mod tests;

pub use exchange::{ClientSetup, ServerSetup};
pub use info::SessionInfo;
pub use parameter::{Parameter, ParameterValue};

use crate::version::Version;

/// No draft is settled during a handshake; integers are as in every draft it can settle.
const FORM: Version = Version::Lite01;
