//! What a client trusts, offers and waits for.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use moq_transport_common::ConnectError;
use moq_transport_common::protocols;
use moq_transport_common::quic::{Congestion, StreamLimits};
use moq_transport_common::tls::{Fingerprint, Trust};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The settings of a [`Client`](crate::Client).
///
/// By default it trusts the system's roots and offers every draft that a session speaks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    pub(crate) protocols: Vec<String>,
    pub(crate) root_files: Vec<PathBuf>,
    pub(crate) system_roots: Option<bool>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) insecure: bool,
    pub(crate) timeout: Duration,
    pub(crate) congestion: Congestion,
    pub(crate) stream_limits: StreamLimits,
    pub(crate) bind: Option<IpAddr>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            protocols: protocols::spoken(),
            root_files: Vec::new(),
            system_roots: None,
            fingerprints: Vec::new(),
            insecure: false,
            timeout: Duration::from_secs(10),
            congestion: Congestion::default(),
            stream_limits: StreamLimits::default(),
            bind: None,
        }
    }
}

impl ClientConfig {
    /// Offers these protocol names, most wanted first.
    #[must_use]
    pub fn with_protocols(self, protocols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            protocols: protocols.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Trusts the roots in a PEM file, too. The system's roots are then left out, unless
    /// [`Self::with_system_roots`] asks for them.
    #[must_use]
    pub fn with_root_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_files.push(path.into());
        self
    }

    /// Whether the system's roots are trusted. The default: if there is no root file.
    #[must_use]
    pub fn with_system_roots(self, trusted: bool) -> Self {
        Self {
            system_roots: Some(trusted),
            ..self
        }
    }

    /// Trusts a server by the fingerprint of its certificate, too. Roots, names and dates then
    /// count for nothing.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprints.push(fingerprint);
        self
    }

    /// Trusts any server at all. Whoever sits in between can read and change everything.
    #[must_use]
    pub fn with_insecure(self, insecure: bool) -> Self {
        Self { insecure, ..self }
    }

    /// Bounds a whole attempt to connect; 10 s by default.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Chooses how the send rate follows the network.
    #[must_use]
    pub fn with_congestion(self, congestion: Congestion) -> Self {
        Self { congestion, ..self }
    }

    /// Bounds the streams that a server may have open at once; by default as many
    /// bidirectional ones as the session can hold, and 1024 unidirectional ones.
    #[must_use]
    pub fn with_stream_limits(self, limits: StreamLimits) -> Self {
        Self {
            stream_limits: limits,
            ..self
        }
    }

    /// Connects from this address only, and so only to servers of its family.
    #[must_use]
    pub fn with_bind(self, address: IpAddr) -> Self {
        Self {
            bind: Some(address),
            ..self
        }
    }

    /// Gathers what is trusted. Blocks on the file system if roots have to be read.
    pub(crate) fn trust(&self) -> Result<Trust, ConnectError> {
        if self.insecure {
            tracing::warn!(
                "certificates are NOT checked: anybody in between can pose as the server"
            );
            return Ok(Trust::Anything);
        }
        if !self.fingerprints.is_empty() {
            return Ok(Trust::Pinned(self.fingerprints.clone()));
        }
        let mut roots = RootCertStore::empty();
        for path in &self.root_files {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|source| bad_root(path, source))?;
            for certificate in certificates {
                roots
                    .add(certificate)
                    .map_err(|source| bad_root(path, source))?;
            }
        }
        if self.system_roots.unwrap_or(self.root_files.is_empty()) {
            let system = rustls_native_certs::load_native_certs();
            for error in system.errors {
                tracing::debug!(%error, "a system root certificate cannot be read");
            }
            let (added, ignored) = roots.add_parsable_certificates(system.certs);
            tracing::debug!(added, ignored, "loaded the system's root certificates");
        }
        Ok(Trust::Roots(roots))
    }
}

fn bad_root(
    path: &std::path::Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> ConnectError {
    ConnectError::Roots(format!("{}: {source}", path.display()).into())
}
