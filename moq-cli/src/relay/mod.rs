//! `moq relay`: many sessions on one origin, or on one for each worker.

mod auth;
mod banner;
mod http;
mod origins;
mod renew;
mod server;
mod sessions;
mod state;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{Limits, Version};
use moq_transport_quinn::tls::{Fingerprint, Identity};
use moq_transport_quinn::{BindError, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::args::{EngineArg, RelayArgs};
use crate::exit::{Exit, Failure};
use crate::progress::Console;
use crate::signal::Signals;
use origins::Origins;
use renew::Certificate;
use server::Server;
use state::State;

pub(crate) use auth::Public;
pub(crate) use server::DefaultServer;
pub(crate) use sessions::Rules;

/// Runs the command until a signal ends it.
pub(crate) async fn run(
    args: RelayArgs,
    console: &Console,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    match args.engine {
        #[cfg(unix)]
        EngineArg::Direct => serve::<moq_transport_direct::Server>(args, console, signals).await,
        EngineArg::Quinn => serve::<moq_transport_quinn::Server>(args, console, signals).await,
    }
}

async fn serve<S: Server>(
    args: RelayArgs,
    console: &Console,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let public = Public::new(&args.auth_public, &args.listen)?;
    let state = open_state(&args, console)?;
    let certificate = Certificate::obtain(&args.tls, state.clone())?;
    let reset_key = state.as_ref().map(State::reset_key).transpose()?;
    let listen: Vec<_> = args
        .listen
        .iter()
        .flat_map(|listen| listen.addrs())
        .collect();
    let mut relay = Relay::<S>::bind(RelayConfig {
        listen,
        identity: certificate.identity().clone(),
        reset_key,
        versions: args.versions().to_vec(),
        rules: Rules {
            public: public.clone(),
            web_origins: args.web_origin.clone(),
            sessions_per_address: args.max_sessions_per_address,
        },
        workers: args.workers,
        limits: args.limits(),
    })?;
    console.banner(&banner::text(&relay, &certificate, &public));
    let renewals = tokio::spawn(certificate.renew(relay.server.clone(), console.clone()));
    let served = relay.serve_until(signals.next()).await;
    renewals.abort();
    relay.close().await;
    served.map(|()| Exit::Ok)
}

/// The state directory; none if the user's own cannot be had and none was asked for.
fn open_state(args: &RelayArgs, console: &Console) -> anyhow::Result<Option<State>> {
    if let Some(dir) = &args.state {
        return State::open(dir).map(Some);
    }
    let opened = State::default_dir().context("there is no home directory");
    match opened.and_then(|dir| State::open(&dir)) {
        Ok(state) => Ok(Some(state)),
        Err(error) => {
            let line = crate::exit::line(&error);
            let why = line.strip_prefix("moq: ").unwrap_or(&line);
            console.note(format_args!(
                "nothing is kept for the next start: {why}; give --state DIR"
            ));
            Ok(None)
        }
    }
}

/// What a relay is made with.
#[derive(Debug)]
pub(crate) struct RelayConfig {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) identity: Identity,
    pub(crate) reset_key: Option<[u8; state::RESET_KEY]>,
    pub(crate) versions: Vec<Version>,
    pub(crate) rules: Rules,
    pub(crate) workers: NonZeroUsize,
    /// What each session may take.
    pub(crate) limits: Limits,
}

/// A relay that listens.
#[derive(Debug)]
pub(crate) struct Relay<S> {
    origins: Origins,
    server: S,
    listeners: Vec<TcpListener>,
    rules: Arc<Rules>,
}

impl<S: Server> Relay<S> {
    /// Listens. Needs a tokio runtime.
    ///
    /// # Errors
    /// If an address is taken.
    pub(crate) fn bind(config: RelayConfig) -> anyhow::Result<Self> {
        let (server, listeners) = bind_both::<S>(&config)?;
        let origins = Origins::new(&server.runtimes(), &config.versions, &config.limits);
        Ok(Self {
            server,
            listeners,
            origins,
            rules: Arc::new(config.rules),
        })
    }

    /// The addresses with their real ports.
    pub(crate) fn addrs(&self) -> &[SocketAddr] {
        self.server.local_addrs()
    }

    /// The addresses that are not listened on, because this machine lacks their family.
    pub(crate) fn missing_addrs(&self) -> &[SocketAddr] {
        self.server.missing_addrs()
    }

    /// The fingerprint of the certificate that is shown.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        self.server.fingerprints().first().copied()
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// If it stops serving by itself.
    async fn serve_until(&mut self, stop: impl Future) -> anyhow::Result<()> {
        tokio::select! {
            _ = stop => Ok(()),
            () = self.run() => {
                let failure = Failure::new(Exit::Failed, "the relay cannot serve any longer");
                Err(failure.with_hint("start it again").into())
            }
        }
    }

    /// Serves until it is dropped, or takes in no connection any more.
    pub(crate) async fn run(&mut self) {
        let mut tasks = JoinSet::new();
        let connections = Arc::new(Semaphore::new(http::MAX_CONNECTIONS));
        for listener in std::mem::take(&mut self.listeners) {
            tasks.spawn(http::serve(
                listener,
                self.server.clone(),
                connections.clone(),
            ));
        }
        sessions::serve(&self.server, &self.origins, &self.rules).await;
    }

    /// Closes all sessions, and waits a moment for their peers to learn of it.
    pub(crate) async fn close(self) {
        self.server.close(0, "the relay is going down");
        // The workers are about to lose each other.
        drop(self.origins);
        // Peers that are gone already would make this wait for long.
        let _ = timeout(FAREWELL, self.server.wait_idle()).await;
    }
}

/// Listens on UDP, and on the same ports of TCP.
fn bind_both<S: Server>(config: &RelayConfig) -> anyhow::Result<(S, Vec<TcpListener>)> {
    let is_any = config.listen.iter().any(|addr| addr.port() == 0);
    let mut attempts = if is_any { PORT_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        let server: S = bind_udp(config)?;
        let listeners = server
            .local_addrs()
            .iter()
            .map(|addr| http::listen(*addr).with_context(|| cannot_listen("TCP", *addr)));
        match listeners.collect() {
            Ok(listeners) => return Ok((server, listeners)),
            // A port that is free on UDP may be in use on TCP.
            Err(_) if attempts > 0 => server.close(0, ""),
            Err(error) => return Err(error),
        }
    }
}

fn bind_udp<S: Server>(config: &RelayConfig) -> anyhow::Result<S> {
    let mut server = ServerConfig::default()
        .with_identity(config.identity.clone())
        .with_protocols(Version::alpns(&config.versions));
    for addr in &config.listen {
        server = server.with_listen(*addr);
    }
    if let Some(key) = config.reset_key {
        server = server.with_reset_key(key);
    }
    S::bind(server, config.workers).map_err(|error| match error {
        BindError::Socket { addr, source } => {
            anyhow::Error::new(source).context(cannot_listen("UDP", addr))
        }
        error => anyhow::Error::new(error).context("cannot start the server"),
    })
}

fn cannot_listen(protocol: &str, addr: SocketAddr) -> Failure {
    Failure::new(Exit::Failed, format!("cannot listen on {protocol} {addr}"))
        .with_hint("choose another address with --listen, or stop what listens there")
}

/// How often to look for a port that is free on both UDP and TCP.
const PORT_ATTEMPTS: usize = 16;

/// How long peers have to learn that the relay goes down.
const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_relay_that_stops_by_itself_has_failed() {
        let mut relay = Relay::<DefaultServer>::bind(RelayConfig {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            identity: Identity::generate(&["localhost".into()]).unwrap(),
            reset_key: None,
            versions: Version::OFFERED.to_vec(),
            rules: Rules::open(),
            workers: NonZeroUsize::MIN,
            limits: Limits::default(),
        })
        .unwrap();
        assert!(relay.serve_until(std::future::ready(())).await.is_ok());
        relay.server.close(0, "");
        let stopped = timeout(FAREWELL, relay.serve_until(std::future::pending::<()>()));
        let error = stopped.await.unwrap().unwrap_err();
        assert!(crate::exit::line(&error).contains("cannot serve any longer"));
    }
}
