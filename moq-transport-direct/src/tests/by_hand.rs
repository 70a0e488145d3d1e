//! A driver whose passes are made by hand, in a runtime that asks the system for nothing meanwhile.

use std::future::Future as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use bytes::Bytes;
use moq_transport_common::Admission;
use moq_transport_common::Live;
use moq_transport_common::quic::Listening;
use moq_transport_quinn::{Client, ClientConfig};
use quinn_proto::{Dir, Endpoint, EndpointConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use url::Url;

use super::defects::{Defective, Moment, with_defect};
use super::network::client_config;
use super::{config, send};
use crate::connection::ConnectionCore;
use crate::driver::Driver;
use crate::drivers::{Setup, Siblings};
use crate::handshake::Begun;
use crate::hub::{Hub, Stray};
use crate::incoming;

struct ByHand {
    driver: Driver,
    begun: mpsc::UnboundedReceiver<Begun>,
    listening: SocketAddr,
    /// The driver's socket.
    socket: UdpSocket,
    fingerprint: moq_transport_common::tls::Fingerprint,
    runtime: Runtime,
    clients: Runtime,
}

/// A client's connection, and the server's end of it.
struct Pair {
    client: moq_transport_quinn::Connection,
    begun: Begun,
}

impl ByHand {
    /// The first connection has the defect.
    fn new(first: Defective) -> Self {
        let config = config([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
        let mut listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
        with_defect(&mut listening, first);
        let (mut sockets, addr) = listening.sockets.remove(0);
        let socket = sockets.remove(0);
        let own = socket.try_clone().unwrap();
        let setup = Setup {
            server: Arc::new(listening.quic),
            admission: Admission::new(listening.max_handshakes).0,
            incoming: Arc::new(incoming::Setup {
                live: Arc::new(Live::default()),
                profile: listening.profile,
            }),
            limits: listening.limits,
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = listening.reset_keys.endpoint(addr).config;
        let (begin, begun) = mpsc::unbounded_channel();
        let driver = {
            let _context = runtime.enter();
            Driver::new(socket, Siblings::alone(), endpoint, setup, begin).unwrap()
        };
        Self {
            driver,
            begun,
            listening: addr,
            socket: own,
            fingerprint: listening.resolver.fingerprints()[0],
            runtime,
            clients: Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    /// Connects a client, while the driver runs by itself.
    fn pair(&mut self) -> Pair {
        let url = Url::parse(&format!("moqt://{}/", self.listening)).unwrap();
        let client = ClientConfig::default().with_fingerprint(self.fingerprint);
        let connect = async move { Client::new(client).connect(url).await };
        let connecting = self.clients.spawn(connect);
        let (driver, begun) = (&mut self.driver, &mut self.begun);
        self.runtime.block_on(async {
            let paired = async {
                let begun = begun.recv().await.unwrap();
                begun.guard.connected().await.unwrap();
                let client = connecting.await.unwrap().unwrap();
                Pair { client, begun }
            };
            tokio::select! {
                () = driver => panic!("the driver goes on"),
                pair = paired => pair,
            }
        })
    }

    /// Has the client send something.
    fn send(&self, pair: &mut Pair) {
        self.clients.block_on(send(&mut pair.client));
    }

    fn pass(&mut self) {
        let _context = self.runtime.enter();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut self.driver).poll(cx).is_pending());
    }

    /// Waits until something has come to the driver's socket.
    fn wait(&self) {
        while self.socket.peek(&mut [0]).is_err() {
            std::thread::yield_now();
        }
    }

    /// Takes the next datagram of a client off the driver's socket.
    fn take(&self, remote: SocketAddr) -> Stray {
        let mut bytes = [0; 2048];
        loop {
            self.wait();
            let (size, from) = self.socket.recv_from(&mut bytes).unwrap();
            if from == remote {
                return Stray {
                    remote,
                    local: None,
                    ecn: None,
                    bytes: bytes[..size].into(),
                };
            }
        }
    }
}

impl Pair {
    fn connection(&self) -> &Arc<ConnectionCore> {
        &self.begun.guard.core
    }

    /// How many acknowledgements have come.
    fn acknowledgements(&self) -> u64 {
        self.connection().lock().quic.stats().frame_rx.acks
    }

    /// How many packets have come.
    fn heard(&self) -> u64 {
        self.connection().lock().quic.stats().udp_rx.datagrams
    }

    /// Has the server send more than the client waits for with its acknowledgement.
    fn write(&self) {
        let connection = self.connection();
        let written = connection.with(|state| {
            let id = state.quic.streams().open(Dir::Uni).unwrap();
            let mut chunks = [Bytes::from_static(&[7; 20_000])];
            let mut stream = state.quic.send_stream(id);
            stream.write_chunks(&mut chunks).unwrap();
            connection.call(state);
        });
        assert!(written.is_some());
    }
}

/// Connections of which each has something to send.
fn viewers(count: usize, hub: &Arc<Hub>, first_key: usize) -> Vec<Arc<ConnectionCore>> {
    let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let peer = sink.local_addr().unwrap();
    let identity = moq_transport_common::tls::Identity::generate(&["localhost".into()]).unwrap();
    let config = client_config(&identity, "moq-lite-06");
    let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), None, true, None);
    let viewer = |key| {
        let now = crate::connection::now();
        let (_, quic) = endpoint
            .connect(now, config.clone(), peer, "localhost")
            .unwrap();
        ConnectionCore::new(hub.clone(), first_key + key, quic, Default::default())
    };
    (0..count).map(viewer).collect()
}

/// The runtime tells of arrivals only now and then while many tasks are woken, or a pass follows
/// another.
#[test]
fn an_acknowledgement_is_seen_within_two_passes_though_thousands_have_something_to_send() {
    let mut by_hand = ByHand::new(Defective::new(Moment::Sent, Arc::default()));
    let pair = by_hand.pair();
    pair.write();
    by_hand.pass();
    let before = pair.acknowledgements();
    by_hand.wait();

    let hub = by_hand.driver.hub().clone();
    for viewer in viewers(5_000, &hub, pair.connection().key + 1) {
        by_hand.driver.insert(viewer);
    }
    by_hand.pass();
    assert!(by_hand.driver.table.has_ready(), "not all in one pass");
    by_hand.pass();
    assert!(pair.acknowledgements() > before);
    assert!(by_hand.driver.table.has_ready());
}

#[test]
fn a_batch_goes_on_behind_a_packet_that_meets_a_defect() {
    let is_armed = Arc::new(AtomicBool::new(false));
    let mut by_hand = ByHand::new(Defective::new(Moment::Acknowledged, is_armed.clone()));
    let (bad, mut good) = (by_hand.pair(), by_hand.pair());
    let remote = |pair: &Pair| pair.begun.guard.remote();
    bad.write();
    by_hand.pass();
    let mut batch = vec![by_hand.take(remote(&bad))];
    by_hand.send(&mut good);
    batch.push(by_hand.take(remote(&good)));
    let before = good.heard();

    is_armed.store(true, Ordering::SeqCst);
    for stray in batch {
        by_hand.driver.hub().pass(stray);
    }
    by_hand.pass();
    assert!(bad.connection().lock().is_broken);
    assert_eq!(good.heard(), before + 1);
}
