//! The handshake inside a session, with one end driven by hand.

use bytes::BytesMut;
use moq_session::testing::{MemoryConnection, Peer, Script, memory_pair};
use moq_session::{
    AcceptError, BroadcastPath, Config, ConnectError, Established, Grant, OriginProducer, Request,
    Session, Version,
};
use moq_wire::{ClientSetup, ServerSetup};
use tokio::task::JoinHandle;

use super::for_each_with;
use super::scripts::enter;

/// Runs a test for each version that a handshake settles.
pub fn for_each_with_handshake<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.handshake, test);
}

pub type Accepted = Result<Request<Established<MemoryConnection>>, AcceptError>;

/// A peer in a client's place, and what becomes of its request.
pub fn client(version: Version, acceptable: &[Version]) -> (Peer, JoinHandle<Accepted>) {
    let (client, server) = memory_pair(version);
    let config = Config::default().with_versions(acceptable);
    let accepted = Session::accept(Established::new(server), config);
    (Peer::new(client, version), tokio::spawn(accepted))
}

/// A peer in a server's place, and what becomes of the client's session.
pub fn server(
    version: Version,
    acceptable: &[Version],
) -> (Peer, JoinHandle<Result<Session, ConnectError>>) {
    let (client, server) = memory_pair(version);
    let config = Config::default().with_versions(acceptable);
    let connected = Session::connect_with(client, config);
    (Peer::new(server, version), tokio::spawn(connected))
}

pub async fn let_in(request: Request<Established<MemoryConnection>>) -> Session {
    let grant = Grant::everything(BroadcastPath::root());
    request.accept(grant).await.unwrap()
}

/// Offers these code points on a stream of its own.
pub async fn offer(peer: &mut Peer, versions: &[u64]) -> Script {
    let mut stream = peer.open_raw_bi().await;
    let setup = ClientSetup {
        versions: versions.to_vec(),
        parameters: Vec::new(),
    };
    let mut bytes = BytesMut::new();
    setup.put(&mut bytes).expect("it can be written");
    stream.send_bytes(bytes).await;
    stream
}

pub async fn answer(stream: &mut Script) -> ServerSetup {
    let split = |buf: &mut BytesMut, _| ServerSetup::split(buf);
    stream.take("SETUP", split).await
}

/// A session of either role, and its peer, with hands shaken.
pub async fn shaken(version: Version, is_server: bool) -> (Session, Peer) {
    if is_server {
        let (peer, session) = enter(version, &OriginProducer::new()).await;
        (session, peer)
    } else {
        Peer::server(version).await
    }
}
