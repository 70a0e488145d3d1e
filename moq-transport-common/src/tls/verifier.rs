//! Whether a client trusts a server, and if not, why.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::Fingerprint;
use crate::error::CertificateProblem;

/// What makes a server's certificate good.
#[derive(Debug)]
#[non_exhaustive]
pub enum Trust {
    /// A chain to one of these roots, the right name, the right time.
    Roots(RootCertStore),
    /// Being one of these, whatever is in it.
    Pinned(Vec<Fingerprint>),
    /// Nothing is asked for.
    Anything,
}

/// Checks certificates, and remembers per server name what was wrong.
///
/// The handshake only reports an alert, which tells neither the fingerprint nor the reason.
pub struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
    problems: Mutex<HashMap<ServerName<'static>, Problem>>,
}

/// Tells what was wrong with the certificate of a fingerprint.
pub type Problem = (CertificateProblem, Fingerprint);

enum Check {
    Roots(Arc<WebPkiServerVerifier>),
    NoRoots,
    Pinned(Vec<Fingerprint>),
    Anything,
}

impl Verifier {
    /// Makes a verifier that checks signatures with `provider`.
    ///
    /// # Errors
    /// rustls' error, if the roots cannot be used.
    pub fn new(trust: Trust, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let check = match trust {
            Trust::Roots(roots) if roots.is_empty() => Check::NoRoots,
            Trust::Roots(roots) => Check::Roots(
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                    .build()
                    .map_err(|error| Error::General(error.to_string()))?,
            ),
            Trust::Pinned(fingerprints) => Check::Pinned(fingerprints),
            Trust::Anything => Check::Anything,
        };
        Ok(Self {
            check,
            provider,
            problems: Mutex::default(),
        })
    }

    /// What was wrong when a server of this name was last refused.
    #[must_use]
    pub fn problem(&self, name: &ServerName<'_>) -> Option<Problem> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.get(&name.to_owned()).cloned()
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        match &self.check {
            Check::Roots(verifier) => verifier
                .verify_server_cert(leaf, intermediates, name, &[], now)
                .map(|_| ()),
            Check::Pinned(pins) if pins.contains(&Fingerprint::of(leaf)) => Ok(()),
            Check::NoRoots | Check::Pinned(_) => Err(CertificateError::UnknownIssuer.into()),
            Check::Anything => Ok(()),
        }
    }

    fn describe(&self, error: &Error) -> CertificateProblem {
        let Error::InvalidCertificate(error) = error else {
            return CertificateProblem::Malformed;
        };
        match error {
            CertificateError::UnknownIssuer if matches!(self.check, Check::Pinned(_)) => {
                CertificateProblem::NotPinned
            }
            // A root of the same name but with another key counts as unknown, too.
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                CertificateProblem::UnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                CertificateProblem::OtherName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                CertificateProblem::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                CertificateProblem::NotYetValid
            }
            CertificateError::BadEncoding => CertificateProblem::Malformed,
            other => CertificateProblem::Other(other.to_string()),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = self.check(leaf, intermediates, name, now);
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        match checked {
            Ok(()) => {
                problems.remove(&name.to_owned());
                Ok(ServerCertVerified::assertion())
            }
            Err(error) => {
                if problems.len() >= MAX_PROBLEMS {
                    problems.clear();
                }
                let problem = (self.describe(&error), Fingerprint::of(leaf));
                problems.insert(name.to_owned(), problem);
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// Server names whose problems are remembered at a time.
const MAX_PROBLEMS: usize = 64;
