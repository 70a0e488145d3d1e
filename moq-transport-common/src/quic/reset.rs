//! The keys by which a server resets connections that it does not know (RFC 9000 §10.3).

use std::net::SocketAddr;
use std::sync::Arc;

use quinn_proto::{EndpointConfig, HashedConnectionIdGenerator};
use ring::hmac;

/// The keys of a server's endpoints, different for each address that it listens on.
///
/// An endpoint answers an id that it does not know with the token that resets the id's connection.
/// If another endpoint signed with the same key, that token would end a connection that lives there
/// (RFC 9000 §21.11).
#[derive(Debug, Clone)]
pub struct ResetKeys {
    secret: Option<hmac::Key>,
}

/// The settings of the endpoints on one address.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndpointSettings {
    /// Signs stateless resets with the address's key.
    pub config: EndpointConfig,
    /// The key by which the connection ids of the process's former lives are recognised, so that
    /// their connections are reset. `None` where the keys do not outlive the process.
    pub id_key: Option<u64>,
}

impl ResetKeys {
    /// Keys that are made from a secret, or at random if there is none.
    pub(super) fn new(secret: Option<&[u8; 64]>) -> Self {
        let secret = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret));
        Self { secret }
    }

    /// The settings of the endpoints that share an address and its port.
    #[must_use]
    pub fn endpoint(&self, addr: SocketAddr) -> EndpointSettings {
        // Has a random key.
        let mut config = EndpointConfig::default();
        let id_key = self.secret.as_ref().map(|secret| {
            config.reset_key(Arc::new(derive(secret, "stateless resets", addr)));
            let ids = hmac::sign(&derive(secret, "connection ids", addr), &[]);
            let first = ids.as_ref().first_chunk();
            first.map_or(0, |bytes| u64::from_be_bytes(*bytes))
        });
        EndpointSettings { config, id_key }
    }
}

impl EndpointSettings {
    /// The settings of an endpoint whose connection ids are recognised in another life of the
    /// process.
    #[must_use]
    pub fn recognising(mut self) -> EndpointConfig {
        if let Some(key) = self.id_key {
            let ids = move || Box::new(HashedConnectionIdGenerator::from_key(key)) as _;
            self.config.cid_generator(ids);
        }
        self.config
    }
}

fn derive(secret: &hmac::Key, purpose: &str, addr: SocketAddr) -> hmac::Key {
    let label = format!("{purpose} of {addr}");
    hmac::Key::new(
        hmac::HMAC_SHA256,
        hmac::sign(secret, label.as_bytes()).as_ref(),
    )
}
