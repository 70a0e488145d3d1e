//! From a URL to a connected transport.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moq_transport_common::pin;
use moq_transport_common::quic::{CLIENT, Profile};
use moq_transport_common::quic::{H3_NO_ERROR, raw_error};
use moq_transport_common::tls::Trust;
use moq_transport_common::{Binding, Target};
use moq_transport_common::{ConnectError, Phase};
use quinn::{ConnectionError, TransportErrorCode};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use url::Url;
use web_transport_quinn::proto::{ConnectError as ProtoError, ConnectRequest};
use web_transport_quinn::{ClientError, ConnectError as HttpError};

use crate::client_config::ClientConfig;
use crate::client_tls::Tls;
use crate::connection::Connection;
use crate::connection::ConnectionInner;
use crate::dial;
use crate::endpoint::ClientEndpoints;

/// Connects to servers. A clone shares sockets, roots and session tickets.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: ClientConfig,
    profile: Profile,
    endpoints: ClientEndpoints,
    /// Made when first needed, since reading the system's roots takes a while.
    tls: OnceCell<Tls>,
}

/// When an attempt has to be over.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    after: Duration,
}

impl Client {
    /// Makes a client; sockets are opened and roots read when the first connection needs them.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        let profile = CLIENT.within(config.stream_limits);
        let (endpoints, tls) = (ClientEndpoints::default(), OnceCell::new());
        Self {
            inner: Arc::new(Inner {
                config,
                profile,
                endpoints,
                tls,
            }),
        }
    }

    /// Connects to the server that a URL names, port 443 if it names none.
    ///
    /// `https://` is WebTransport, `moqt://` and `moql://` are raw QUIC, and `http://` first
    /// fetches `/certificate.sha256` over plain HTTP and then is WebTransport pinned to it, unless
    /// fingerprints are configured. All addresses of the host are tried, IPv6 first, each 250 ms
    /// after the one before.
    ///
    /// # Errors
    /// [`ConnectError`]; [`ConnectError::Timeout`] once the configured time is over.
    ///
    /// Cancel safe: what was begun is dropped.
    pub async fn connect(&self, url: Url) -> Result<Connection, ConnectError> {
        let deadline = Deadline::after(self.inner.config.timeout);
        let target = Target::new(&url)?;
        let tls = self.inner.tls_for(&target, deadline).await?;
        let addrs = deadline.bound(Phase::Resolve, resolve(&target)).await?;
        let quic = deadline
            .bound(
                Phase::Handshake,
                dial::race(addrs, |addr| self.attempt(&target, &tls, addr)),
            )
            .await?;
        let limits = self.inner.config.stream_limits;
        let connection = match target.binding {
            Binding::Quic => {
                ConnectionInner::quic(quic, target.setup_path, self.inner.profile, limits)
            }
            Binding::Web | Binding::FetchedWeb => {
                let request = ConnectRequest::new(target.https)
                    .with_protocols(self.inner.config.protocols.iter().cloned());
                let session = deadline
                    .bound(Phase::Request, request_session(quic, request))
                    .await?;
                ConnectionInner::web(session, self.inner.profile, limits)
            }
        };
        tracing::debug!(kind = %connection.info.kind, remote = ?connection.info.remote, "connected");
        Ok(Connection::new(connection))
    }

    /// Waits until all connections are gone and their servers were told, which takes a few round
    /// trips after the last one was closed. Without it, a process that ends at once leaves its
    /// servers to their idle timeout. Cancel safe.
    pub async fn wait_idle(&self) {
        self.inner.endpoints.wait_idle().await;
    }

    /// Tries one address.
    fn attempt(
        &self,
        target: &Target,
        tls: &Tls,
        addr: SocketAddr,
    ) -> impl Future<Output = Result<quinn::Connection, ConnectError>> + Send + 'static {
        let (inner, tls) = (self.inner.clone(), tls.clone());
        let (host, name) = (target.host.clone(), target.name.clone());
        let config = match target.binding {
            Binding::Quic => tls.quic.clone(),
            Binding::Web | Binding::FetchedWeb => tls.web.clone(),
        };
        async move {
            let bind = inner.config.bind;
            if bind.is_some_and(|bind| bind.is_ipv4() != addr.is_ipv4()) {
                let source = std::io::ErrorKind::AddrNotAvailable.into();
                return Err(ConnectError::Unreachable { addr, source });
            }
            let endpoint = inner
                .endpoints
                .toward(addr, bind)
                .map_err(ConnectError::Socket)?;
            let connecting = endpoint
                .connect_with(config, addr, &host)
                .map_err(|error| ConnectError::Tls(Box::new(error)))?;
            let handshake = async {
                connecting.await.map_err(|error| {
                    if let Some((problem, fingerprint)) = tls.verifier.problem(&name)
                        && is_certificate_alert(&error)
                    {
                        return ConnectError::Certificate {
                            host,
                            problem,
                            fingerprint,
                        };
                    }
                    handshake_error(error, inner.config.timeout)
                })
            };
            dial::unless_refused(handshake, addr, bind).await
        }
    }
}

impl Inner {
    async fn tls_for(&self, target: &Target, deadline: Deadline) -> Result<Tls, ConnectError> {
        // What the caller trusts by itself needs no word over plain HTTP.
        let told = self.config.insecure || !self.config.fingerprints.is_empty();
        if target.binding == Binding::FetchedWeb && !told {
            let host = target.authority();
            let fetched = async {
                let fetched = pin::fetch(&target.host, target.port, &host).await;
                fetched.map_err(|source| ConnectError::FetchFingerprint {
                    host: host.clone(),
                    source,
                })
            };
            let fingerprint = deadline.bound(Phase::Fingerprint, fetched).await?;
            return Tls::new(Trust::Pinned(vec![fingerprint]), self.profile, &self.config);
        }
        let made = self.tls.get_or_try_init(|| async {
            let config = self.config.clone();
            let trust = tokio::task::spawn_blocking(move || config.trust())
                .await
                .map_err(|error| ConnectError::Roots(Box::new(error)))?;
            Tls::new(trust?, self.profile, &self.config)
        });
        made.await.cloned()
    }
}

impl Deadline {
    fn after(after: Duration) -> Self {
        // A sum past the clock's end would panic.
        let at = Instant::now() + after.min(LONGEST);
        Self { at, after }
    }

    async fn bound<T>(
        self,
        phase: Phase,
        future: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let timeout = |_| ConnectError::Timeout {
            phase,
            after: self.after,
        };
        timeout_at(self.at, future).await.map_err(timeout)?
    }
}

async fn resolve(target: &Target) -> Result<std::collections::VecDeque<SocketAddr>, ConnectError> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let addrs = found
        .map(dial::interleave)
        .and_then(|addrs| match addrs.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(addrs),
        });
    addrs.map_err(|source| ConnectError::Resolve {
        host: target.host.clone(),
        source,
    })
}

/// Asks for a WebTransport session on a connection made for it.
async fn request_session(
    quic: quinn::Connection,
    request: ConnectRequest,
) -> Result<web_transport_quinn::Session, ConnectError> {
    let session = web_transport_quinn::Session::connect(quic.clone(), request).await;
    session.map_err(|error| {
        let lost = quic.close_reason();
        quic.close(H3_NO_ERROR, b"");
        match (error, lost) {
            (ClientError::HttpError(HttpError::ErrorStatus(status)), _)
            | (
                ClientError::HttpError(HttpError::ProtoError(ProtoError::WrongStatus(Some(
                    status,
                )))),
                _,
            ) => ConnectError::Rejected {
                status: status.as_u16(),
            },
            (_, Some(lost)) => ConnectError::Transport(raw_error(lost)),
            (error, None) => ConnectError::WebTransport(Box::new(error)),
        }
    })
}

fn handshake_error(error: ConnectionError, after: Duration) -> ConnectError {
    let code = match &error {
        ConnectionError::TransportError(error) => error.code,
        ConnectionError::ConnectionClosed(close) => close.error_code,
        ConnectionError::TimedOut => {
            return ConnectError::Timeout {
                phase: Phase::Handshake,
                after,
            };
        }
        _ => return ConnectError::Transport(raw_error(error)),
    };
    if code == TransportErrorCode::crypto(ALERT_NO_APPLICATION_PROTOCOL) {
        ConnectError::NoCommonVersion
    } else if ALERTS.contains(&u64::from(code)) {
        ConnectError::Tls(Box::new(error))
    } else {
        ConnectError::Transport(raw_error(error))
    }
}

/// Whether this end gave up for a reason that concerns certificates.
fn is_certificate_alert(error: &ConnectionError) -> bool {
    let ConnectionError::TransportError(error) = error else {
        return false;
    };
    CERTIFICATE_ALERTS.contains(&u64::from(error.code))
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// As good as no deadline.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// QUIC's error codes that hold a TLS alert.
const ALERTS: std::ops::Range<u64> = 0x100..0x200;

/// Those from `bad_certificate` to `decrypt_error`.
const CERTIFICATE_ALERTS: std::ops::RangeInclusive<u64> = 0x100 + 42..=0x100 + 51;

/// TLS: the ends have no protocol name in common.
const ALERT_NO_APPLICATION_PROTOCOL: u8 = 120;
