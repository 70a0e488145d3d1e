//! What the transports of moq-lite share.
//!
//! Programs depend on a transport, such as moq-transport-quinn, which shows what they need of this
//! crate. [`tls`] has certificates and whom a client trusts, [`Target`] is a URL taken apart, and
//! [`Admission`] bounds the handshakes of a server. The feature `quic` adds what transports over
//! QUIC have in common, which needs quinn-proto.

pub mod tls;

mod error;
mod target;

pub mod pin;
pub mod protocols;

mod handshake;
mod live;
mod places;

#[cfg(feature = "quic")]
pub mod quic;

pub use error::{BindError, CertificateProblem, ConnectError, Phase};
pub use handshake::{Admission, Backlog, HandshakeError, Room, Unvalidated, Verdict};
pub use live::{Closable, Live, Place};
pub use target::{Binding, Target};
