//! What all clients take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use moq_session::Version;
use moq_transport_quinn::tls::Fingerprint;
use url::Url;

use super::values;

/// Where to connect, whom to trust, how long to wait.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientArgs {
    /// The server: https:// for WebTransport, moqt:// or moql:// for raw QUIC, http:// for
    /// WebTransport pinned to the certificate that the server shows over plain HTTP
    #[arg(value_parser = values::url)]
    pub(crate) url: Url,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(
        long,
        value_name = "FILE",
        env = "MOQ_TLS_ROOT",
        hide_env_values = true
    )]
    pub(crate) tls_root: Option<PathBuf>,
    /// Trust the certificate with this SHA-256, whatever else is wrong with it
    #[arg(
        long,
        value_name = "HEX",
        env = "MOQ_TLS_FINGERPRINT",
        hide_env_values = true
    )]
    pub(crate) tls_fingerprint: Option<Fingerprint>,
    /// Trust any certificate. Whoever sits in between can read and change everything
    #[arg(long, env = "MOQ_TLS_INSECURE", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) tls_insecure: bool,
    /// Offer this protocol version, such as moq-lite-06; may be repeated, most wanted first
    #[arg(long = "version", value_name = "VERSION", value_delimiter = ',')]
    #[arg(env = "MOQ_VERSION", hide_env_values = true, value_parser = values::version)]
    version: Vec<Version>,
    /// How long connecting and each answer may take [default: 10s]
    #[arg(long, value_parser = values::duration, env = "MOQ_TIMEOUT", hide_env_values = true)]
    pub(crate) timeout: Option<Duration>,
    /// End when the connection is lost, instead of connecting again
    #[arg(long, env = "MOQ_NO_RECONNECT", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) no_reconnect: bool,
}

impl ClientArgs {
    /// The versions to offer, most wanted first.
    pub(crate) fn versions(&self) -> &[Version] {
        if self.version.is_empty() {
            Version::OFFERED
        } else {
            &self.version
        }
    }

    /// How long connecting and each answer may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// For a server in this process: no flags, and a pinned certificate.
    pub(crate) fn pinned(url: Url, fingerprint: Fingerprint) -> Self {
        Self {
            url,
            tls_root: None,
            tls_fingerprint: Some(fingerprint),
            tls_insecure: false,
            version: Vec::new(),
            timeout: None,
            no_reconnect: true,
        }
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
