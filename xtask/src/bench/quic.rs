//! QUIC endpoints for the generator and for the bare fan-out.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AckFrequencyConfig, ClientConfig, Endpoint, EndpointConfig, ServerConfig};
use quinn::{TokioRuntime, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

/// An endpoint that dials, with room in its socket for many connections.
pub(super) fn client_endpoint() -> anyhow::Result<Endpoint> {
    endpoint((Ipv4Addr::LOCALHOST, 0).into(), None)
}

/// How to dial with one protocol name, whatever the certificate: everything is on loopback.
pub(super) fn client_config(alpn: &[u8]) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("choosing TLS 1.3")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    let mut transport = common_transport();
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(1024))
        .stream_receive_window(VarInt::from_u32(4 << 20))
        .receive_window(VarInt::from_u32(32 << 20))
        .send_window(8 << 20)
        .keep_alive_interval(Some(Duration::from_secs(3)));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// An endpoint that accepts, tuned as the relay's is.
pub(super) fn server_endpoint(address: SocketAddr, alpns: &[&[u8]]) -> anyhow::Result<Endpoint> {
    let identity = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .context("generating a certificate")?;
    let key = PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der());
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("choosing TLS 1.3")?
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key.into())
        .context("taking the certificate")?;
    tls.alpn_protocols = alpns.iter().map(|alpn| alpn.to_vec()).collect();
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(8))
        .max_ack_delay(Some(Duration::from_millis(25)))
        .reordering_threshold(VarInt::from_u32(3));
    let mut transport = common_transport();
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(32))
        .stream_receive_window(VarInt::from_u32(2 << 20))
        .receive_window(VarInt::from_u32(16 << 20))
        .send_window(2 << 20)
        .ack_frequency_config(Some(acks));
    config.transport_config(Arc::new(transport));
    endpoint(address, Some(config))
}

fn common_transport() -> TransportConfig {
    let mut cubic = CubicConfig::default();
    cubic.initial_window(32 * 1452);
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(64))
        .send_fairness(false)
        .max_idle_timeout(Some(VarInt::from_u32(10_000).into()))
        .initial_rtt(Duration::from_millis(100))
        .congestion_controller_factory(Arc::new(cubic));
    transport
}

fn endpoint(address: SocketAddr, server: Option<ServerConfig>) -> anyhow::Result<Endpoint> {
    let socket = UdpSocket::bind(address).with_context(|| format!("binding {address}"))?;
    // The kernel may grant less, which then shows as lost packets.
    let options = socket2::SockRef::from(&socket);
    options
        .set_recv_buffer_size(SOCKET_BUFFER)
        .context("sizing a socket's buffer")?;
    options
        .set_send_buffer_size(SOCKET_BUFFER)
        .context("sizing a socket's buffer")?;
    Endpoint::new(
        EndpointConfig::default(),
        server,
        socket,
        Arc::new(TokioRuntime),
    )
    .context("starting an endpoint")
}

/// One cipher only, so that every subject spends the same on it.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        ..rustls::crypto::ring::default_provider()
    }
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

const SOCKET_BUFFER: usize = 4 << 20;
