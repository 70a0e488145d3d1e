//! Connecting, staying connected, and being connected to.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{
    BroadcastPath, Config, Dial, Grant, OriginProducer, Reconnect, Session, Status, Version,
};
use moq_transport_quinn::tls::Identity;
use moq_transport_quinn::{
    Client, ClientConfig, ConnectError, Connection, IncomingConnection, Server, ServerConfig,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::Events;

/// A session to the other end, whoever dialled.
#[derive(Debug)]
pub(crate) struct Link {
    session: watch::Receiver<Option<Session>>,
    task: JoinHandle<()>,
}

impl Link {
    /// Dials, as often as it takes.
    pub(crate) fn connect(
        url: &str,
        fingerprint: &str,
        versions: &[Version],
        (publish, subscribe): (OriginProducer, OriginProducer),
        events: Events,
    ) -> anyhow::Result<Self> {
        let client = ClientConfig::default()
            .with_protocols(versions.iter().map(|version| version.alpn()))
            .with_fingerprint(fingerprint.parse().context("reading the fingerprint")?)
            .with_timeout(TIMEOUT);
        let dialer = Dialer {
            client: Client::new(client),
            url: url.parse().context("reading the URL")?,
        };
        let config = Config::default()
            .with_versions(versions)
            .with_answer_timeout(TIMEOUT)
            .with_publish(publish)
            .with_subscribe(subscribe);
        let (sender, session) = watch::channel(None);
        let task = tokio::spawn(follow(Reconnect::new(dialer, config), sender, events));
        Ok(Self { session, task })
    }

    /// Lets everybody in, one after the other.
    pub(crate) fn listen(
        versions: &[Version],
        (publish, subscribe): (OriginProducer, OriginProducer),
        events: Events,
    ) -> anyhow::Result<Self> {
        let identity = Identity::generate(&["localhost".into(), "127.0.0.1".into()])
            .context("generating a certificate")?;
        let server = ServerConfig::default()
            .with_identity(identity)
            .with_protocols(versions.iter().map(|version| version.alpn()))
            .with_listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let server = Server::bind(server).context("listening")?;
        let addr = *server
            .local_addrs()
            .first()
            .context("the server has no address")?;
        let fingerprint = *server
            .fingerprints()
            .first()
            .context("the server has no certificate")?;
        events.tell(format!("listening {} {fingerprint}", addr.port()));
        let config = Config::default()
            .with_versions(versions)
            .with_answer_timeout(TIMEOUT)
            .with_publish(publish)
            .with_subscribe(subscribe);
        let (sender, session) = watch::channel(None);
        let task = tokio::spawn(async move {
            while let Some(incoming) = server.accept().await {
                if let Err(error) = accept(incoming, &config, &sender, &events).await {
                    events.tell(format!("failed {error:#}"));
                }
            }
        });
        Ok(Self { session, task })
    }

    /// The session that is up.
    pub(crate) fn session(&self) -> Option<Session> {
        self.session.borrow().clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(session) = self.session() {
            session.close(0, "done");
        }
        self.task.abort();
    }
}

async fn follow(
    reconnect: Reconnect<Dialer>,
    session: watch::Sender<Option<Session>>,
    events: Events,
) {
    let mut status = reconnect.status();
    loop {
        let mut connected = None;
        match &*status.borrow_and_update() {
            Status::Connected(up) => connected = Some(up.clone()),
            Status::Failed(error) => return events.tell(format!("refused {error}")),
            Status::Waiting { error, .. } => events.tell(format!("disconnected {error}")),
            _ => {}
        }
        session.send_replace(connected.clone());
        if let Some(up) = connected {
            up.set_up().await;
            events.tell(format!("connected {}", up.version().name()));
            tokio::spawn(tell_goaway(up, events.clone()));
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Tells when the peer asks this end to leave, and where to.
async fn tell_goaway(session: Session, events: Events) {
    let mut asked = session.going_away();
    drop(session);
    let asked = asked.wait_for(Option::is_some).await;
    if let Ok(Some(uri)) = asked.as_deref() {
        let uri = if uri.is_empty() { "-" } else { uri };
        events.tell(format!("going-away {uri}"));
    }
}

async fn accept(
    incoming: IncomingConnection,
    config: &Config,
    session: &watch::Sender<Option<Session>>,
    events: &Events,
) -> anyhow::Result<()> {
    let request = Session::accept(incoming, config.clone()).await?;
    let up = request
        .accept(Grant::everything(BroadcastPath::root()))
        .await?;
    session.send_replace(Some(up.clone()));
    events.tell(format!("connected {}", up.version().name()));
    let events = events.clone();
    tokio::spawn(async move { events.tell(format!("disconnected {}", up.closed().await)) });
    Ok(())
}

/// Connects to one URL.
#[derive(Debug)]
struct Dialer {
    client: Client,
    url: Url,
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
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
