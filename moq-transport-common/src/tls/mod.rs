//! Certificates: a server's [`Identity`], the [`Fingerprint`] that a client may pin, and whom it trusts.

mod der;
mod fingerprint;
mod identity;
mod pem;
mod resolver;
mod verifier;

pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{Identity, IdentityError};
pub use resolver::Resolver;
pub use verifier::{Problem, Trust, Verifier};
