//! How these clients speak TLS.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moq_transport_common::tls::{Trust, Verifier};
use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, TransportConfig};
use rustls::crypto::ring;

/// Dials with one protocol name, whatever the certificate: everything is on loopback.
pub(super) fn config(alpn: &str) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(Trust::Anything, provider.clone())?;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("choosing TLS 1.3")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.into()];
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    let mut cubic = CubicConfig::default();
    // What is to leave in one packet does, whatever was lost before.
    cubic.initial_window(64 << 20);
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(Duration::from_secs(30).try_into()?))
        .mtu_discovery_config(None)
        .congestion_controller_factory(Arc::new(cubic));
    config.transport_config(Arc::new(transport));
    Ok(config)
}
