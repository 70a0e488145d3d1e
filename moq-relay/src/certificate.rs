//! The certificate that a relay shows, and the next one.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use crate::state::{self, State, StateError};
use crate::tls::{Identity, IdentityError};

/// A certificate, and where the next one comes from.
#[derive(Debug, Clone)]
pub struct Certificate {
    identity: Identity,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// Files of the user, who also renews them.
    Files,
    /// Made here for these hosts, and kept if there is a place.
    Generated {
        hosts: Vec<String>,
        state: Option<State>,
    },
}

impl Certificate {
    /// Loads PEM files of a chain and its key.
    ///
    /// # Errors
    /// [`IdentityError`] if they cannot be read, or do not belong together.
    pub fn load(cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, IdentityError> {
        Ok(Self {
            identity: Identity::load(cert, key)?,
            source: Source::Files,
        })
    }

    /// Takes the one for these hosts that the state keeps, or generates one. It is renewed before it ends.
    ///
    /// # Errors
    /// [`StateError`] if none can be made or kept.
    pub fn generate(hosts: &[String], state: Option<State>) -> Result<Self, StateError> {
        Ok(Self {
            identity: generate(hosts, state.as_ref())?,
            source: Source::Generated {
                hosts: hosts.to_vec(),
                state,
            },
        })
    }

    /// The certificate and its key.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The hosts that it was generated for, if it was.
    #[must_use]
    pub fn generated_for(&self) -> Option<&[String]> {
        match &self.source {
            Source::Files => None,
            Source::Generated { hosts, .. } => Some(hosts),
        }
    }

    /// Where it is kept for the next start, if it is.
    #[must_use]
    pub fn kept_in(&self) -> Option<&State> {
        match &self.source {
            Source::Files => None,
            Source::Generated { state, .. } => state.as_ref(),
        }
    }

    /// Shows another one before this one ends, and so on for ever. The old one is shown until then.
    pub(crate) async fn renew(self, show: impl Fn(Identity)) {
        let Source::Generated { hosts, state } = self.source else {
            return;
        };
        let mut identity = self.identity;
        loop {
            // A machine that sleeps stops this clock, so the date is looked at often.
            sleep(LOOK).await;
            if !state::is_due(&identity, SystemTime::now()) {
                continue;
            }
            match generate(&hosts, state.as_ref()) {
                Ok(next) => {
                    tracing::info!(sha256 = %next.fingerprint(), "new certificate");
                    show(next.clone());
                    identity = next;
                }
                Err(error) => tracing::warn!(%error, "cannot renew the certificate"),
            }
        }
    }
}

fn generate(hosts: &[String], state: Option<&State>) -> Result<Identity, StateError> {
    match state {
        Some(state) => state.identity(hosts),
        None => Ok(Identity::generate(hosts)?),
    }
}

/// How often to look at the date.
const LOOK: Duration = Duration::from_secs(60 * 60);
