//! The transports that a relay can listen by itself with.

use std::num::NonZeroUsize;

use moq_transport_common::BindError;
use moq_transport_common::quic::ServerConfig;

use crate::error::StartError;
use crate::listening::{Served, serving};

/// What a relay listens with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// moq-transport-direct: many viewers, few cores.
    #[cfg(all(unix, feature = "direct"))]
    #[default]
    Direct,
    /// moq-transport-quinn, which has one worker.
    #[cfg(feature = "quinn")]
    #[cfg_attr(not(all(unix, feature = "direct")), default)]
    Quinn,
}

impl Engine {
    /// Listens, with so many workers if the server can have several.
    pub(crate) fn bind(
        self,
        config: ServerConfig,
        workers: NonZeroUsize,
    ) -> Result<Box<dyn Served>, StartError> {
        match self {
            #[cfg(all(unix, feature = "direct"))]
            Self::Direct => {
                let server = moq_transport_direct::Server::bind(config, workers);
                server.map(serving).map_err(into_start)
            }
            #[cfg(feature = "quinn")]
            Self::Quinn => {
                if workers > NonZeroUsize::MIN {
                    tracing::warn!("this engine has one worker, whatever --workers asks for");
                }
                let server = moq_transport_quinn::Server::bind(config);
                server.map(serving).map_err(into_start)
            }
        }
    }
}

fn into_start(error: BindError) -> StartError {
    match error {
        BindError::Socket { addr, source } => StartError::Address {
            protocol: "UDP",
            addr,
            source,
        },
        error => StartError::Server(error.into()),
    }
}
