//! Who may do what.

mod applicant;
mod public;
mod web_origin;

use std::future::Future;

use futures_util::future::BoxFuture;
use moq_session::{Grant, Refusal};

pub use applicant::Applicant;
pub use public::Public;
pub use web_origin::WebOrigin;

/// Decides what each peer may do.
///
/// ```
/// use moq_relay::{Admission, Applicant, Denial};
/// use moq_session::{Grant, Refusal};
///
/// struct Password;
///
/// impl Admission for Password {
///     async fn admit(&self, applicant: &Applicant) -> Result<Grant, Denial> {
///         if applicant.query() != Some("password=x") {
///             return Err(Denial::new(Refusal::Unauthorized, "wrong password"));
///         }
///         Ok(Grant::everything(applicant.root()?))
///     }
/// }
/// ```
pub trait Admission: Send + Sync + 'static {
    /// Answers one peer. The session ends when its grant does.
    ///
    /// # Errors
    /// A [`Denial`], when the peer is to be turned away.
    ///
    /// Cancel safe: after 10 seconds the relay drops the future and refuses the peer.
    fn admit(&self, applicant: &Applicant) -> impl Future<Output = Result<Grant, Denial>> + Send;
}

/// Why a peer is turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct Denial {
    /// What the peer is told.
    pub refusal: Refusal,
    /// What the log is told; it must hold no credential.
    pub reason: String,
}

impl Denial {
    /// A refusal, and why, for the log.
    pub fn new(refusal: Refusal, reason: impl Into<String>) -> Self {
        Self {
            refusal,
            reason: reason.into(),
        }
    }
}

/// [`Admission`] for any kind of it.
pub(crate) trait Desk: Send + Sync {
    fn answer<'a>(&'a self, applicant: &'a Applicant) -> BoxFuture<'a, Result<Grant, Denial>>;
}

impl<A: Admission> Desk for A {
    fn answer<'a>(&'a self, applicant: &'a Applicant) -> BoxFuture<'a, Result<Grant, Denial>> {
        Box::pin(self.admit(applicant))
    }
}
