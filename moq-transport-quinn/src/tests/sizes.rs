//! Which sizes of packets a path is found to carry, shown by a congestion controller that tells.

use std::any::Any;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use moq_session::transport::Incoming as _;
use moq_transport_common::quic::{Listening, SERVER};
use quinn::congestion::{Controller, ControllerFactory};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use url::Url;

use crate::tls::Identity;
use crate::{Client, ClientConfig, Congestion, Server, ServerConfig};

/// Tells of each larger size that is found.
#[derive(Clone)]
struct Watcher(mpsc::UnboundedSender<u16>);

impl Controller for Watcher {
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}

    fn on_mtu_update(&mut self, size: u16) {
        self.0.send(size).unwrap();
    }

    fn window(&self) -> u64 {
        self.initial_window()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        1 << 20
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl ControllerFactory for Watcher {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn Controller> {
        self.clone_box()
    }
}

/// An address whose way to the server loses packets of more than `most` bytes.
async fn narrow(server: SocketAddr, most: usize) -> SocketAddr {
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = near.local_addr().unwrap();
    far.connect(server).await.unwrap();
    tokio::spawn(async move {
        let (mut up, mut down) = ([0; 2048], [0; 2048]);
        let mut client = address;
        loop {
            tokio::select! {
                received = near.recv_from(&mut up) => {
                    let (size, from) = received.unwrap();
                    client = from;
                    if size <= most {
                        far.send(&up[..size]).await.unwrap();
                    }
                }
                received = far.recv(&mut down) => {
                    let size = received.unwrap();
                    if size <= most {
                        near.send_to(&down[..size], client).await.unwrap();
                    }
                }
            }
        }
    });
    address
}

/// The first size beyond the least one that a server finds a path to carry.
async fn first_found(most: usize) -> u16 {
    let config = ServerConfig::default()
        .with_listen(SocketAddr::from(([127, 0, 0, 1], 0)))
        .with_identity(Identity::generate(&["127.0.0.1".into()]).unwrap());
    let (sender, mut found) = mpsc::unbounded_channel();
    let mut transport = SERVER.transport(Congestion::default());
    transport.congestion_controller_factory(Arc::new(Watcher(sender)));
    let mut listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
    listening.quic.transport_config(Arc::new(transport));
    let server = Server::start(listening).unwrap();

    let address = narrow(server.local_addrs()[0], most).await;
    let client = Client::new(ClientConfig::default().with_fingerprint(server.fingerprints()[0]));
    let connect = client.connect(Url::parse(&format!("moqt://{address}/")).unwrap());
    let accept = async { server.accept().await.unwrap().accept(None).await };
    let (connected, accepted) = tokio::join!(connect, accept);
    let _open = (connected.unwrap(), accepted.unwrap());
    found.recv().await.unwrap()
}

#[tokio::test]
async fn the_largest_size_is_found_at_once() {
    assert_eq!(first_found(1500).await, 1452);
}

#[tokio::test]
async fn a_narrow_path_gets_the_size_in_the_middle() {
    assert_eq!(first_found(1400).await, 1325);
}
