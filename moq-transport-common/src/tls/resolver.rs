//! Which certificate a server shows.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{Fingerprint, Identity};

/// Chooses the identity that a server shows; all may be replaced at any time.
pub struct Resolver(RwLock<Arc<[Identity]>>);

impl Resolver {
    /// Makes a resolver of some identities.
    #[must_use]
    pub fn new(identities: Vec<Identity>) -> Self {
        Self(RwLock::new(identities.into()))
    }

    /// Replaces all identities, for handshakes that begin from here on.
    pub fn set(&self, identities: Vec<Identity>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identities.into();
    }

    /// The fingerprints of the identities, in their order.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.current().iter().map(Identity::fingerprint).collect()
    }

    fn current(&self) -> Arc<[Identity]> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ResolvesServerCert for Resolver {
    /// The first identity that is valid for the name asked for, else the first of all.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identities = self.current();
        let name = hello
            .server_name()
            .and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| identities.iter().find(|one| is_for(one, &name)));
        named
            .or_else(|| identities.first())
            .map(|one| one.certified().clone())
    }
}

fn is_for(identity: &Identity, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(identity.leaf())
        .is_ok_and(|leaf| verify_server_name(&leaf, name).is_ok())
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Resolver")
            .field(&self.fingerprints())
            .finish()
    }
}
