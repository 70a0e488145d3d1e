//! What a server shows to prove who it is.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Fingerprint, der, pem};

/// A certificate chain and its private key. A clone shares both.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Reads a chain, leaf first, and its key from PEM files. Blocks on the file system.
    ///
    /// # Errors
    /// [`IdentityError`] if a file cannot be read or the two do not make an identity.
    pub fn load(cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, IdentityError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| IdentityError::Read {
                path: path.to_owned(),
                source,
            })
        };
        Self::from_pem(&read(cert.as_ref())?, &read(key.as_ref())?)
    }

    /// Reads a chain, leaf first, and its key from PEM text.
    ///
    /// # Errors
    /// [`IdentityError`] if either does not parse, or the key is not the leaf's.
    pub fn from_pem(cert: &str, key: &str) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(cert.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| IdentityError::Certificate(Box::new(source)))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|source| IdentityError::Key(Box::new(source)))?;
        Self::new(chain, key)
    }

    /// Makes a self-signed certificate for some host names and addresses, for development and for
    /// pinning.
    ///
    /// It is an ECDSA P-256 one and lasts 13 days, since browsers pin none that lasts more than 14.
    ///
    /// # Errors
    /// [`IdentityError::Generate`] if a host name is not one.
    pub fn generate(hosts: &[String]) -> Result<Self, IdentityError> {
        let generate = |source| IdentityError::Generate(Box::new(source));
        let mut params = CertificateParams::new(hosts).map_err(generate)?;
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let not_before = now.saturating_sub(CLOCK_SKEW);
        params.not_before = epoch + not_before;
        params.not_after = epoch + (not_before + LIFETIME);
        if let Some(host) = hosts.first() {
            params.distinguished_name.push(DnType::CommonName, host);
        }
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ServerAuth);

        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(generate)?;
        let certificate = params.self_signed(&key).map_err(generate)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|reason| IdentityError::Key(reason.into()))?;
        Self::new(vec![certificate.der().clone()], key)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, IdentityError> {
        if chain.is_empty() {
            return Err(IdentityError::Certificate(
                "there is no certificate in it".into(),
            ));
        }
        let provider = rustls::crypto::ring::default_provider();
        let certified = CertifiedKey::from_der(chain, key.clone_key(), &provider)
            .map_err(|source| IdentityError::Key(Box::new(source)))?;
        Ok(Self {
            certified: Arc::new(certified),
            key: Arc::new(key),
        })
    }

    /// The SHA-256 of the leaf certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.leaf())
    }

    /// When the leaf certificate ends; `None` if its dates cannot be read.
    #[must_use]
    pub fn not_after(&self) -> Option<SystemTime> {
        der::not_after(self.leaf())
    }

    /// The chain and the key as PEM text, for [`Self::from_pem`]. The second is a secret.
    #[must_use]
    pub fn to_pem(&self) -> (String, String) {
        let chain = self
            .certified
            .cert
            .iter()
            .map(|cert| pem::encode("CERTIFICATE", cert));
        let label = match &*self.key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        (chain.collect(), pem::encode(label, self.key.secret_der()))
    }

    pub(crate) fn leaf(&self) -> &CertificateDer<'static> {
        // `new` refuses an empty chain.
        &self.certified.cert[0]
    }

    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The chain is not one or more certificates in PEM form.
    #[error("the certificate chain does not parse")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key does not parse, is of an unknown kind, or belongs to another certificate.
    #[error("the private key cannot be used with this certificate")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No certificate can be made for these hosts.
    #[error("cannot make a certificate for these hosts")]
    Generate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How far a client's clock may be behind.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// How long a generated certificate lasts in all.
const LIFETIME: Duration = Duration::from_secs(13 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_identity_survives_pem_and_lasts_less_than_two_weeks() {
        let identity = Identity::generate(&["localhost".into(), "::1".into()]).unwrap();
        let left = identity
            .not_after()
            .unwrap()
            .duration_since(SystemTime::now())
            .unwrap();
        assert!(left <= LIFETIME && left + CLOCK_SKEW + Duration::from_secs(60) > LIFETIME);

        let (cert, key) = identity.to_pem();
        let read = Identity::from_pem(&cert, &key).unwrap();
        assert_eq!(read.fingerprint(), identity.fingerprint());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (cert, _) = Identity::generate(&["localhost".into()]).unwrap().to_pem();
        let (_, key) = Identity::generate(&["localhost".into()]).unwrap().to_pem();
        assert!(matches!(
            Identity::from_pem(&cert, &key),
            Err(IdentityError::Key(_))
        ));
        assert!(matches!(
            Identity::from_pem("", &key),
            Err(IdentityError::Certificate(_))
        ));
    }
}
