//! A connection before there is a session.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use moq_transport_common::quic::H3_NO_ERROR;
use quinn_proto::crypto::rustls::HandshakeData;
use quinn_proto::{ConnectionError, VarInt};
use tokio::time::timeout;
use web_transport_proto::http::StatusCode;
use web_transport_proto::{ConnectRequest, ConnectResponse};

use super::core::{ConnectionCore, State};

/// Owns a connection: it is closed when this is dropped.
pub(crate) struct ConnectionGuard {
    pub(crate) core: Arc<ConnectionCore>,
}

impl ConnectionGuard {
    pub(crate) fn new(core: Arc<ConnectionCore>) -> Self {
        Self { core }
    }

    /// Waits for the handshake, and gives the protocol name that TLS settled on. Cancel safe.
    pub(crate) async fn connected(&self) -> Result<Option<String>, ConnectionError> {
        let is_done = |quic: &quinn_proto::Connection| !quic.is_handshaking() && !quic.is_closed();
        self.stage(|state| is_done(&state.quic).then_some(()))
            .await?;
        Ok(alpn(&self.core.lock().quic))
    }

    /// Waits for the CONNECT request of a WebTransport client. Cancel safe.
    pub(crate) async fn request(&self) -> Result<ConnectRequest, ConnectionError> {
        self.stage(|state| state.web.as_mut().and_then(|web| web.take_request()))
            .await
    }

    /// Answers the CONNECT request, and says whether that could be written.
    pub(crate) fn respond(&self, response: &ConnectResponse) -> bool {
        let written = self.core.with(|state| {
            let web = state.web.as_ref().filter(|_| state.ended.is_none())?;
            let written = web.respond(&mut state.quic, response);
            self.core.call(state);
            Some(written)
        });
        written.flatten().unwrap_or(false)
    }

    /// Refuses the CONNECT request, and gives the client a while to read that.
    pub(crate) async fn reject(&self, status: StatusCode, patience: Duration) {
        if self.respond(&ConnectResponse::new(status)) {
            let _ = self.core.with(|state| {
                if let Some(web) = state.web.as_ref().filter(|_| state.ended.is_none()) {
                    web.finish(&mut state.quic);
                    self.core.call(state);
                }
            });
        }
        let closed = self.stage(|_| None::<()>);
        let _ = timeout(patience, closed).await.is_ok();
        self.core.close(H3_NO_ERROR, b"");
    }

    pub(crate) fn close(&self, code: u32, reason: &str) {
        self.core.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// The peer's address.
    pub(crate) fn remote(&self) -> SocketAddr {
        self.core.lock().quic.remote_address()
    }

    /// The name that the client asked for in TLS.
    pub(crate) fn server_name(&self) -> Option<String> {
        handshake(&self.core.lock().quic)?.server_name
    }

    /// Why the connection has ended.
    pub(crate) fn ended(&self) -> Option<ConnectionError> {
        self.core.lock().ended.clone()
    }

    async fn stage<T>(
        &self,
        mut ready: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, ConnectionError> {
        let handle = self.core.lock().waits.new_handle();
        poll_fn(|cx| -> Poll<Result<T, ConnectionError>> {
            self.core.lock().poll_stage(handle, cx, &mut ready)
        })
        .await
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let state = self.core.lock();
        let (is_ending, is_web) = (state.deadlines.is_waiting(), state.web.is_some());
        drop(state);
        // An end of the session that is on its way must not be cut short.
        if !is_ending {
            let code = if is_web {
                H3_NO_ERROR
            } else {
                VarInt::from_u32(0)
            };
            self.core.close(code, b"dropped");
        }
    }
}

/// The protocol name that TLS settled on.
pub(crate) fn alpn(quic: &quinn_proto::Connection) -> Option<String> {
    String::from_utf8(handshake(quic)?.protocol?).ok()
}

fn handshake(quic: &quinn_proto::Connection) -> Option<Box<HandshakeData>> {
    let data = quic.crypto_session().handshake_data()?;
    data.downcast::<HandshakeData>().ok()
}
