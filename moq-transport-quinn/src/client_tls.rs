//! A client's side of TLS.

use std::sync::Arc;

use moq_transport_common::ConnectError;
use moq_transport_common::quic::Profile;
use moq_transport_common::tls::{Trust, Verifier};
use quinn::crypto::rustls::QuicClientConfig;

use crate::client_config::ClientConfig;

/// What a handshake needs, for either binding.
#[derive(Clone)]
pub(crate) struct Tls {
    /// Tells what was wrong with a certificate.
    pub(crate) verifier: Arc<Verifier>,
    /// Offers HTTP/3.
    pub(crate) web: quinn::ClientConfig,
    /// Offers the configured names.
    pub(crate) quic: quinn::ClientConfig,
}

impl Tls {
    /// Sets up TLS 1.3 with some trust.
    ///
    /// # Errors
    /// [`ConnectError::Tls`].
    pub(crate) fn new(
        trust: Trust,
        profile: Profile,
        config: &ClientConfig,
    ) -> Result<Self, ConnectError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Verifier::new(trust, provider.clone()).map_err(failed)?);
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let transport = Arc::new(profile.transport(config.congestion));
        let with_names = |names| {
            let mut tls = tls.clone();
            tls.alpn_protocols = names;
            let crypto = QuicClientConfig::try_from(tls).map_err(failed)?;
            let mut config = quinn::ClientConfig::new(Arc::new(crypto));
            config.transport_config(transport.clone());
            Ok::<_, ConnectError>(config)
        };
        let names = config
            .protocols
            .iter()
            .map(|name| name.clone().into_bytes());
        let quic = with_names(names.collect())?;
        let web = with_names(vec![web_transport_quinn::ALPN.into()])?;
        Ok(Self {
            verifier,
            web,
            quic,
        })
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> ConnectError {
    ConnectError::Tls(Box::new(error))
}
