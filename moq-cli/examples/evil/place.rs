//! Where the relay is, and how it is dialled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use bytes::BytesMut;
use moq_session::transport::Transport as _;
use moq_session::{Dial, Version};
use moq_transport_quinn::{Client, ClientConfig, ConnectError, Connection, StreamLimits};
use moq_wire::{Setup, UniStream, put_message};
use url::Url;

use crate::raw::Target;

/// Where the relay is, and what is spoken with it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    url: Url,
    config: ClientConfig,
    pub(crate) version: Version,
    /// The connections that were made.
    dialled: Arc<Mutex<Vec<Connection>>>,
}

impl Place {
    pub(crate) fn new(url: &str, fingerprint: &str, version: &str) -> anyhow::Result<Self> {
        let mut offered = Version::OFFERED.iter();
        let version = *offered
            .find(|offered| offered.name() == version)
            .context("no such draft")?;
        let config = ClientConfig::default()
            .with_protocols([version.alpn()])
            .with_fingerprint(fingerprint.parse().context("reading the fingerprint")?);
        let url = url.parse().context("reading the URL")?;
        Ok(Self {
            url,
            config,
            version,
            dialled: Arc::default(),
        })
    }

    /// The same place, from which nothing was dialled.
    pub(crate) fn anew(&self) -> Self {
        let dialled = Arc::default();
        Self {
            dialled,
            ..self.clone()
        }
    }

    /// Dials the relay each time from a socket of its own.
    pub(crate) fn dialer(&self) -> Dialer {
        Dialer {
            client: Client::new(self.config.clone()),
            url: self.url.clone(),
        }
    }

    /// The relay's address, for those who dial without a transport.
    pub(crate) fn target(&self) -> anyhow::Result<Target> {
        let addrs = self
            .url
            .socket_addrs(|| None)
            .context("reading an address")?;
        Ok(Target {
            addr: *addrs.first().context("the URL has no address")?,
            alpn: self.version.alpn(),
            setup: setup(self.version)?.unwrap_or_default().freeze(),
        })
    }

    /// Closes all connections.
    pub(crate) fn close(&self) {
        for mut connection in self.dialled().drain(..) {
            connection.close(0, "done");
        }
    }

    fn dialled(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.dialled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, with credit for so many unidirectional streams of the relay.
    pub(crate) async fn dial(&self, uni: u32) -> anyhow::Result<Connection> {
        let streams = StreamLimits {
            uni,
            ..StreamLimits::default()
        };
        let client = Client::new(self.config.clone().with_stream_limits(streams));
        let connection = client.connect(self.url.clone()).await;
        let connection = connection.context("connecting")?;
        self.dialled().push(connection.clone());
        Ok(connection)
    }
}

/// Dials the relay for a session that is kept.
#[derive(Debug)]
pub(crate) struct Dialer {
    client: Client,
    url: Url,
}

impl Dial for Dialer {
    type Transport = Connection;
    type Error = ConnectError;

    async fn dial(&self) -> Result<Connection, ConnectError> {
        self.client.connect(self.url.clone()).await
    }

    fn is_terminal(_error: &ConnectError) -> bool {
        false
    }
}

/// The stream that a session begins with, if the draft has one.
pub(crate) fn setup(version: Version) -> anyhow::Result<Option<BytesMut>> {
    if !version.features().setup_stream {
        return Ok(None);
    }
    let mut setup = BytesMut::new();
    UniStream::Setup.put(&mut setup, version)?;
    put_message(&Setup::default(), &mut setup, version)?;
    Ok(Some(setup))
}
