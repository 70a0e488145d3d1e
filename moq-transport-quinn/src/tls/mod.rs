//! Certificates: a server's [`Identity`], and the [`Fingerprint`] a client may pin.

mod der;
mod fingerprint;
mod identity;
mod pem;
mod resolver;
mod verifier;

pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{Identity, IdentityError};

pub(crate) use resolver::Resolver;
pub(crate) use verifier::{Trust, Verifier};
