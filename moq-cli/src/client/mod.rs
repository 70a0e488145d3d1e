//! Connecting, staying connected, and saying what is wrong where that fails.

mod failure;
mod reader;

use std::time::Duration;

use moq_session::{Config, Dial, Reconnect, Session, SessionError, Sessions, Status, Version};
use moq_transport_quinn::{Client, ClientConfig, ConnectError, Connection};
use tokio::sync::watch;
use tokio::time::timeout;
use url::Url;

use crate::args::ClientArgs;
use crate::progress::Console;
use failure::is_unauthorized;

pub(crate) use failure::{ended, failed, no_capacity};
pub(crate) use reader::{reader, unread};

/// What a session of these arguments starts with.
pub(crate) fn config(args: &ClientArgs) -> Config {
    Config::default()
        .with_versions(args.versions())
        .with_answer_timeout(args.timeout())
}

/// Connects to one URL.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    client: Client,
    url: Url,
}

impl Dialer {
    /// A dialer with what the arguments trust and offer.
    pub(crate) fn new(args: &ClientArgs) -> Self {
        Self {
            client: Client::new(Self::config(args)),
            url: args.url.clone(),
        }
    }

    /// Dialers that share nothing, not even a socket.
    pub(crate) fn several(args: &ClientArgs, count: u32) -> Vec<Self> {
        let config = Self::config(args);
        let dialers = (0..count).map(|_| Self {
            client: Client::new(config.clone()),
            url: args.url.clone(),
        });
        dialers.collect()
    }

    fn config(args: &ClientArgs) -> ClientConfig {
        let mut config = ClientConfig::default()
            .with_protocols(Version::alpns(args.versions()))
            .with_timeout(args.timeout())
            .with_insecure(args.tls_insecure);
        if let Some(file) = &args.tls_root {
            config = config.with_root_file(file);
        }
        if let Some(fingerprint) = args.tls_fingerprint {
            config = config.with_fingerprint(fingerprint);
        }
        config
    }
}

impl Dial for Dialer {
    type Transport = Connection;
    type Error = ConnectError;

    async fn dial(&self) -> Result<Connection, ConnectError> {
        self.client.connect(self.url.clone()).await
    }

    fn is_terminal(error: &ConnectError) -> bool {
        error.is_terminal()
    }

    fn uri(&self) -> Option<String> {
        Some(self.url.to_string())
    }

    fn at(&self, uri: &str) -> Option<Self> {
        Some(Self {
            client: self.client.clone(),
            url: Url::parse(uri).ok()?,
        })
    }
}

/// A connection that is made again whenever it is lost.
#[derive(Debug)]
pub(crate) struct Link {
    /// Connects for as long as it lives.
    reconnect: Reconnect<Dialer>,
    status: watch::Receiver<Status<ConnectError>>,
    session: Option<Session>,
    /// The session before it, which its peer has asked to leave and which may serve a while longer.
    former: Option<Session>,
    url: Url,
    may_reconnect: bool,
    console: Console,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// What failed, with exit code and advice.
    pub(crate) async fn connect(
        args: &ClientArgs,
        config: Config,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let reconnect = Reconnect::new(Dialer::new(args), config);
        let mut link = Self {
            status: reconnect.status(),
            reconnect,
            session: None,
            former: None,
            url: args.url.clone(),
            may_reconnect: !args.no_reconnect,
            console: console.clone(),
        };
        link.connected().await?;
        Ok(link)
    }

    /// The session, unless it is lost.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref().filter(|session| session.is_open())
    }

    /// The sessions that may serve readers: the current one, and the one before it until that ends.
    pub(crate) fn serving(&self) -> impl Iterator<Item = &Session> {
        let sessions = self.former.iter().chain(&self.session);
        sessions.filter(|session| session.is_open())
    }

    /// The sessions, one after the other.
    pub(crate) fn sessions(&self) -> Sessions {
        self.reconnect.sessions()
    }

    /// The URL, fit for showing.
    pub(crate) fn shown_url(&self) -> String {
        shown(&self.url)
    }

    /// Waits until the session is lost or, if it is, until there is another one.
    ///
    /// # Errors
    /// If the session ended for good.
    ///
    /// Cancel safe.
    pub(crate) async fn event(&mut self) -> anyhow::Result<()> {
        if self.session.is_none() {
            self.connected().await?;
            self.console
                .note(format_args!("connected to {} again", self.shown_url()));
            return Ok(());
        }
        let error = self.lost().await;
        self.session = None;
        if !self.may_reconnect || is_unauthorized(&error) {
            return Err(ended(&self.url, error));
        }
        self.console.note(format_args!(
            "lost the connection to {}: {error}; connecting again",
            self.shown_url()
        ));
        Ok(())
    }

    /// Waits until there will be no further session, and says why.
    ///
    /// Cancel safe.
    pub(crate) async fn over(&mut self) -> anyhow::Error {
        loop {
            if let Err(reason) = self.event().await {
                return reason;
            }
        }
    }

    /// Waits until the session is lost, or the one that it has moved to; says why.
    async fn lost(&mut self) -> SessionError {
        while let Some(session) = &self.session {
            tokio::select! {
                biased;
                error = session.closed() => return error,
                Ok(()) = self.status.changed() => {}
            }
            if let Status::Connected(next) = &*self.status.borrow_and_update() {
                self.former = self.session.replace(next.clone());
            }
        }
        SessionError::Closed
    }

    async fn connected(&mut self) -> anyhow::Result<()> {
        loop {
            match &*self.status.borrow_and_update() {
                Status::Connected(session) if session.is_open() => {
                    self.session = Some(session.clone());
                    return Ok(());
                }
                Status::Failed(error) => return Err(failed(&self.url, error.clone())),
                _ => {}
            }
            if self.status.changed().await.is_err() {
                anyhow::bail!("connecting to {} has stopped", self.shown_url());
            }
        }
    }
}

/// Makes sure that announcements did not only come to their end with the session: a refused one
/// has nothing to announce.
///
/// # Errors
/// If the session has ended.
pub(crate) async fn confirm(url: &Url, session: &Session) -> anyhow::Result<()> {
    match timeout(CONFIRM, session.closed()).await {
        Ok(error) => Err(ended(url, error)),
        Err(_) => Ok(()),
    }
}

/// How long the end of a session may come after that of its announcements.
const CONFIRM: Duration = Duration::from_millis(10);

/// The URL without what may be a secret.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let path = if url.path() == "/" { "" } else { url.path() };
    format!("{}://{host}{port}{path}", url.scheme())
}
