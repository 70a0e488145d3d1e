//! A client that keeps a session to a relay, wherever that sends it.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    Dial, OriginProducer, Publication, Reconnect, Redirects, Session, Status, Version,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::{finished, speaking};

/// Where the client dials first.
pub const HOME: &str = "https://relay.example/room?jwt=secret";

/// Connects to whoever takes the other end.
#[derive(Clone)]
struct Dialer {
    uri: String,
    version: Version,
    dialled: mpsc::UnboundedSender<(String, MemoryConnection)>,
    unreachable: Arc<Mutex<BTreeSet<String>>>,
}

impl Dial for Dialer {
    type Transport = MemoryConnection;
    type Error = io::Error;

    async fn dial(&self) -> io::Result<MemoryConnection> {
        if self.unreachable.lock().unwrap().contains(&self.uri) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (client, server) = memory_pair(self.version);
        let dialled = self.dialled.send((self.uri.clone(), server));
        dialled.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        Ok(client)
    }

    fn is_terminal(_error: &io::Error) -> bool {
        false
    }

    fn uri(&self) -> Option<String> {
        Some(self.uri.clone())
    }

    fn at(&self, uri: &str) -> Option<Self> {
        Some(Self {
            uri: uri.to_owned(),
            ..self.clone()
        })
    }
}

/// A relay with the broadcast `room`, and a client that keeps a session to it.
pub struct Stage {
    pub relay: OriginProducer,
    pub origin: OriginProducer,
    pub dialled: mpsc::UnboundedReceiver<(String, MemoryConnection)>,
    pub status: watch::Receiver<Status<io::Error>>,
    pub unreachable: Arc<Mutex<BTreeSet<String>>>,
    _reconnect: Reconnect<Dialer>,
    _room: Publication,
}

impl Stage {
    pub fn new(version: Version, redirects: Redirects, unreachable: &[&str]) -> Self {
        let relay = OriginProducer::new();
        let room = relay.publish(&"room".parse().unwrap(), finished(&[]).consume());
        let (sender, dialled) = mpsc::unbounded_channel();
        let unreachable = unreachable.iter().map(|&uri| uri.to_owned()).collect();
        let unreachable = Arc::new(Mutex::new(unreachable));
        let dialer = Dialer {
            uri: HOME.to_owned(),
            version,
            dialled: sender,
            unreachable: unreachable.clone(),
        };
        let origin = OriginProducer::new();
        let config = speaking(version)
            .with_subscribe(origin.clone())
            .with_redirects(redirects);
        let reconnect = Reconnect::new(dialer, config);
        Self {
            relay,
            origin,
            dialled,
            status: reconnect.status(),
            unreachable,
            _reconnect: reconnect,
            _room: room,
        }
    }

    /// Lets the client in; says where it dialled.
    pub async fn accept(&mut self) -> (String, Session) {
        let dialled = timeout(Duration::from_secs(60), self.dialled.recv()).await;
        let (uri, connection) = dialled.unwrap().unwrap();
        let session = testing::accept(connection, &self.relay).await;
        (uri, session.unwrap())
    }

    /// The client's session, once it is another one than `old`.
    pub async fn session(&mut self) -> Session {
        self.status.borrow_and_update();
        loop {
            let session = self.status.borrow_and_update().session().cloned();
            match session {
                Some(session) => return session,
                None => self.status.changed().await.unwrap(),
            }
        }
    }
}
