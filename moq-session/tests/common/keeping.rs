//! A connection that is kept to a relay which can refuse, vanish and come back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{Config, Dial, DialError, OriginProducer, Session, Version};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What comes of a dial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("nobody listens")]
    Unreachable,
    #[error("the token is refused")]
    Refused,
}

/// Dials with a token.
#[derive(Debug, Clone)]
pub struct Dialer {
    version: Version,
    pub token: u32,
    /// What comes of the next dials; afterwards all succeed.
    pub faults: Arc<Mutex<VecDeque<Fault>>>,
    /// Fresh tokens.
    pub tokens: Arc<Mutex<VecDeque<u32>>>,
    dialled: mpsc::UnboundedSender<(u32, MemoryConnection)>,
}

impl Dial for Dialer {
    type Transport = MemoryConnection;
    type Error = Fault;

    async fn dial(&self) -> Result<MemoryConnection, Fault> {
        let fault = self.faults.lock().unwrap().pop_front();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let (client, server) = memory_pair(self.version);
        let dialled = self.dialled.send((self.token, server));
        dialled.map_err(|_| Fault::Unreachable)?;
        Ok(client)
    }

    fn is_terminal(error: &Fault) -> bool {
        *error == Fault::Refused
    }

    async fn renew(&self, _refused: &DialError<Fault>) -> Option<Self> {
        let token = self.tokens.lock().unwrap().pop_front()?;
        Some(Self {
            token,
            ..self.clone()
        })
    }
}

/// Where the dialer's connections arrive.
pub struct Door {
    pub dialled: mpsc::UnboundedReceiver<(u32, MemoryConnection)>,
}

/// A dialer with token 1 whose first dials fail like this, and where its connections arrive.
pub fn dialer(version: Version, faults: &[Fault]) -> (Dialer, Door) {
    let (sender, dialled) = mpsc::unbounded_channel();
    let dialer = Dialer {
        version,
        token: 1,
        faults: Arc::new(Mutex::new(faults.iter().cloned().collect())),
        tokens: Arc::default(),
        dialled: sender,
    };
    (dialer, Door { dialled })
}

/// What the client starts its sessions with.
pub fn config(version: Version) -> Config {
    Config::default().with_versions([version])
}

impl Door {
    /// Lets the next connection in, to this origin; tells its token.
    pub async fn accept(&mut self, origin: &OriginProducer) -> (u32, Session) {
        let dialled = timeout(Duration::from_secs(60), self.dialled.recv()).await;
        let (token, connection) = dialled.expect("nobody dials").unwrap();
        (token, testing::accept(connection, origin).await.unwrap())
    }

    /// No further connection comes for a while.
    pub async fn expect_none(&mut self) {
        let dialled = timeout(Duration::from_secs(60), self.dialled.recv()).await;
        assert!(!matches!(dialled, Ok(Some(_))), "somebody dials");
    }
}
