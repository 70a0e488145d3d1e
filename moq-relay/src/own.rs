//! The addresses that a relay listens on by itself.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use moq_session::Version;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::builder::Builder;
use crate::error::StartError;
use crate::listener::Engine;
use crate::listening::Served;
use crate::state::RESET_KEY;

/// The addresses, and what is listened with.
#[derive(Debug)]
pub(crate) struct Own {
    listen: Vec<SocketAddr>,
    engine: Engine,
    workers: NonZeroUsize,
    reset_key: Option<[u8; RESET_KEY]>,
    has_http: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            engine: Engine::default(),
            workers: NonZeroUsize::MIN,
            reset_key: None,
            has_http: true,
        }
    }
}

impl Builder {
    /// Listens on this address, by QUIC and WebTransport on UDP and by HTTP on the same port of TCP; may
    /// be repeated. Port 0 is any that is free on both.
    #[must_use]
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.own.listen.push(addr);
        self
    }

    /// What is listened with.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.own.engine = engine;
        self
    }

    /// How many threads serve the peers, if the engine can have several; more than there are cores are of
    /// no use.
    #[must_use]
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.own.workers = workers;
        self
    }

    /// Signs stateless resets with this key, so that peers of the relay's former life learn at once that it
    /// is over.
    #[must_use]
    pub fn reset_key(mut self, key: [u8; RESET_KEY]) -> Self {
        self.own.reset_key = Some(key);
        self
    }

    /// Answers no HTTP on the TCP ports of the addresses that the relay listens on by itself.
    #[must_use]
    pub fn without_http(mut self) -> Self {
        self.own.has_http = false;
        self
    }

    /// Listens on UDP, and on the same ports of TCP.
    pub(crate) fn bind(&mut self) -> Result<(), StartError> {
        if self.own.listen.is_empty() {
            return Ok(());
        }
        let open = |addr: &&SocketAddr| !addr.ip().is_loopback();
        if let (None, Some(addr)) = (&self.admission, self.own.listen.iter().find(open)) {
            return Err(StartError::Unprotected(*addr));
        }
        let is_any = self.own.listen.iter().any(|addr| addr.port() == 0);
        let mut attempts = if is_any { PORT_ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            let server = self.bind_udp()?;
            match self.bind_tcp(server.addrs()) {
                Ok(listeners) => {
                    self.http.extend(listeners);
                    self.listeners.push(server);
                    return Ok(());
                }
                // A port that is free on UDP may be in use on TCP.
                Err(_) if attempts > 0 => server.close(0, ""),
                Err(error) => return Err(error),
            }
        }
    }

    fn bind_udp(&self) -> Result<Box<dyn Served>, StartError> {
        let certificate = self.certificate.as_ref();
        let identity = certificate.ok_or(StartError::NoCertificate)?.identity();
        let mut config = moq_transport_common::quic::ServerConfig::default()
            .with_identity(identity.clone())
            .with_protocols(Version::alpns(&self.versions));
        for addr in &self.own.listen {
            config = config.with_listen(*addr);
        }
        if let Some(key) = self.own.reset_key {
            config = config.with_reset_key(key);
        }
        self.own.engine.bind(config, self.own.workers)
    }

    fn bind_tcp(&self, addrs: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
        let addrs = addrs.iter().filter(|_| self.own.has_http);
        let bind = |addr: &SocketAddr| {
            listen(*addr).map_err(|source| StartError::Address {
                protocol: "TCP",
                addr: *addr,
                source,
            })
        };
        addrs.map(bind).collect()
    }
}

/// Listens on a TCP address. Needs a tokio runtime.
///
/// # Errors
/// If the address is taken.
fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        // So that the same port can be had on both families.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// How often to look for a port that is free on both UDP and TCP.
const PORT_ATTEMPTS: usize = 16;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;
