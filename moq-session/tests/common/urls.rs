//! A connection whose request came outside of the session.

use moq_session::Version;
use moq_session::testing::MemoryConnection;
use moq_session::transport::{Incoming, Transport, TransportError, TransportInfo, TransportKind};

/// An incoming connection whose request came outside of the session, as over WebTransport.
pub struct WithUrl {
    pub connection: MemoryConnection,
    pub path: String,
    pub protocols: Vec<String>,
}

impl WithUrl {
    pub fn new(connection: MemoryConnection, path: &str, version: Version) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            protocols: vec![version.alpn().to_owned()],
        }
    }
}

impl Incoming for WithUrl {
    type Transport = MemoryConnection;

    fn request_path(&self) -> Option<&str> {
        Some(&self.path)
    }

    fn protocols(&self) -> &[String] {
        &self.protocols
    }

    fn info(&self) -> TransportInfo {
        let mut info = TransportInfo::default();
        info.kind = TransportKind::WebTransport;
        info.remote = Some(([192, 0, 2, 7], 4443).into());
        info.authority = Some("relay.example".to_owned());
        info.origin = Some("https://page.example".to_owned());
        info.fingerprint = Some("00ff".to_owned());
        info
    }

    async fn accept(self, _protocol: Option<&str>) -> Result<MemoryConnection, TransportError> {
        Ok(self.connection)
    }

    async fn refuse(mut self, status: u16, _close_code: u32) {
        // Where there is no session yet, this is what the peer sees.
        self.connection.close(u32::from(status), "refused");
    }
}
