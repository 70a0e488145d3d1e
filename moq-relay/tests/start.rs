//! What a relay starts with, and when it stops.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moq_relay::tls::{Fingerprint, Identity};
use moq_relay::{Admission, Applicant, Arrival, Denial, Listener, Public, Relay, StartError};
use moq_session::memory::{MemoryConnection, memory_pair};
use moq_session::{Established, Grant, Session, Version};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// Nothing takes this long, unless it hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server without sockets, whose peers are in this process.
#[derive(Debug, Clone)]
struct Door {
    addrs: [SocketAddr; 1],
    arrivals: Arc<Mutex<Receiver<MemoryConnection>>>,
}

impl Door {
    fn at(addr: &str) -> (Self, Sender<MemoryConnection>) {
        let (sender, arrivals) = channel(1);
        let door = Self {
            addrs: [addr.parse().unwrap()],
            arrivals: Arc::new(Mutex::new(arrivals)),
        };
        (door, sender)
    }
}

impl Listener for Door {
    type Incoming = Established<MemoryConnection>;

    fn local_addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    async fn accept(&self) -> Option<Arrival<Self::Incoming>> {
        let connection = self.arrivals.lock().await.recv().await?;
        Some(Arrival {
            incoming: Established::new(connection),
            remote: self.addrs[0],
            worker: 0,
        })
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        Vec::new()
    }

    fn set_certificate(&self, _: Identity) {}

    fn close(&self, _: u32, _: &str) {}

    async fn wait_idle(&self) {}
}

#[tokio::test]
async fn any_listener_serves_and_its_end_is_told() {
    let (door, peers) = Door::at("127.0.0.1:1");
    let mut relay = Relay::builder().listener(door).start().unwrap();
    let (client, server) = memory_pair(Version::Lite06);
    peers.send(server).await.unwrap();
    let session = timeout(DEADLINE, Session::connect(client)).await.unwrap();
    assert!(session.unwrap().is_open());
    drop(peers);
    timeout(DEADLINE, relay.stopped()).await.unwrap();
}

/// An admission that never answers.
struct Silent;

impl Admission for Silent {
    async fn admit(&self, _: &Applicant) -> Result<Grant, Denial> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_admission_is_a_refusal() {
    let (door, peers) = Door::at("192.0.2.1:1");
    let _relay = Relay::builder()
        .listener(door)
        .admission(Silent)
        .start()
        .unwrap();
    let (client, server) = memory_pair(Version::Lite06);
    peers.send(server).await.unwrap();
    let refused = async {
        match Session::connect(client).await {
            Ok(session) => session.closed().await.to_string(),
            Err(error) => error.to_string(),
        }
    };
    let refused = timeout(DEADLINE, refused).await.unwrap();
    assert!(refused.contains("unavailable"), "{refused}");
}

#[tokio::test]
async fn without_an_admission_only_this_machine_may_connect() {
    let (door, _peers) = Door::at("192.0.2.1:1");
    let unprotected = Relay::builder().listener(door.clone()).start();
    assert!(matches!(unprotected, Err(StartError::Unprotected(addr)) if addr == door.addrs[0]));
    let public = Relay::builder()
        .listener(door)
        .admission(Public::everything());
    assert!(public.start().is_ok());
}

#[tokio::test]
async fn a_relay_has_a_listener_and_a_certificate_for_its_own() {
    let nothing = Relay::builder().start();
    assert!(matches!(nothing, Err(StartError::NoListener)));
    let bare = Relay::builder().listen("127.0.0.1:0".parse().unwrap());
    assert!(matches!(bare.start(), Err(StartError::NoCertificate)));
}
