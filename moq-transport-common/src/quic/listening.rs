//! What a server is made of.

use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::Arc;

use quinn_proto::crypto::rustls::QuicServerConfig;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;

use super::addresses::Addresses;
use super::reset::ResetKeys;
use super::{H3, Profile, SERVER, ServerConfig, StreamLimits};
use crate::BindError;
use crate::tls::Resolver;

/// Open sockets, and the settings of what is to serve them.
#[non_exhaustive]
#[derive(Debug)]
pub struct Listening {
    /// The sockets of each address: as many as were asked for, on one port.
    pub sockets: Vec<(Vec<UdpSocket>, SocketAddr)>,
    /// The addresses of the configuration whose family this machine does not have.
    pub missing: Vec<SocketAddr>,
    /// Which certificate is shown.
    pub resolver: Arc<Resolver>,
    /// The settings of connections.
    pub quic: quinn_proto::ServerConfig,
    /// What the endpoints of an address sign resets with.
    pub reset_keys: ResetKeys,
    /// What a server's end of a connection allows.
    pub profile: Profile,
    /// How many streams a client may have open at once, in the end.
    pub limits: StreamLimits,
    /// How many handshakes there may be at once.
    pub max_handshakes: NonZeroUsize,
}

impl Listening {
    /// Opens as many sockets for each address of the configuration, which all share its port.
    ///
    /// More than one socket needs Linux, which shares out the peers among them.
    ///
    /// # Errors
    /// [`BindError`]; no socket stays open then.
    pub fn open(config: &ServerConfig, count: NonZeroUsize) -> Result<Self, BindError> {
        if config.identities.is_empty() {
            return Err(BindError::NoIdentity);
        }
        let resolver = Arc::new(Resolver::new(config.identities.clone()));
        let quic = connections(config, resolver.clone()).map_err(BindError::Tls)?;
        let Addresses { open, missing } = Addresses::open(&config.listen, count)?;
        Ok(Self {
            sockets: open,
            missing,
            resolver,
            quic,
            reset_keys: ResetKeys::new(config.reset_key.as_ref()),
            profile: SERVER.within(config.stream_limits),
            limits: config.stream_limits,
            max_handshakes: config.max_handshakes,
        })
    }
}

fn connections(
    config: &ServerConfig,
    resolver: Arc<Resolver>,
) -> Result<quinn_proto::ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    tls.ignore_client_order = true;
    tls.ticketer = rustls::crypto::ring::Ticketer::new()?;
    let names = config.protocols.iter().map(String::as_str);
    tls.alpn_protocols = names
        .chain([H3])
        .map(|name| name.as_bytes().to_vec())
        .collect();

    let crypto = QuicServerConfig::try_from(tls)?;
    let profile = SERVER.within(config.stream_limits);
    let mut quic = quinn_proto::ServerConfig::with_crypto(Arc::new(crypto));
    quic.transport_config(Arc::new(profile.transport(config.congestion)))
        // Initial packets that nobody has looked at: bounded in number and in bytes.
        .max_incoming(4096)
        .incoming_buffer_size(64 << 10)
        .incoming_buffer_size_total(16 << 20);
    Ok(quic)
}

/// ring, with the cheapest cipher first.
fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}
