//! Connections that need no answer.

use crate::transport::{Incoming, Transport, TransportError, TransportInfo};

/// A transport that needs no answer, as an [`Incoming`].
#[derive(Debug)]
pub struct Established<T> {
    transport: T,
    protocols: Vec<String>,
}

impl<T: Transport> Established<T> {
    /// Wraps a connection whose protocol is agreed on.
    #[must_use]
    pub fn new(transport: T) -> Self {
        let protocols = transport.info().protocol.clone().into_iter().collect();
        Self {
            transport,
            protocols,
        }
    }
}

impl<T: Transport> Incoming for Established<T> {
    type Transport = T;

    fn request_path(&self) -> Option<&str> {
        None
    }

    fn protocols(&self) -> &[String] {
        &self.protocols
    }

    fn info(&self) -> TransportInfo {
        self.transport.info().clone()
    }

    async fn accept(self, _protocol: Option<&str>) -> Result<T, TransportError> {
        Ok(self.transport)
    }

    async fn refuse(mut self, _status: u16, close_code: u32) {
        self.transport.close(close_code, "refused");
    }
}
