//! A connection over a simulated network, whose server's timers are late.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use moq_transport_common::quic::{self as profile, Listening};
use moq_transport_common::tls::Identity;
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, EndpointConfig,
    StreamId, Transmit,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::ServerConfig;
use crate::connection::ConnectionGuard;
use crate::connection::ConnectionInner;
use crate::connection::{ConnectionCore, State};
use crate::hub::Hub;

/// The two ends of a connection, and what is on its way between them.
pub(super) struct Network {
    pub(super) now: Instant,
    server: Endpoint,
    client: Endpoint,
    connection: Option<Arc<ConnectionCore>>,
    peer: Connection,
    peer_key: ConnectionHandle,
    /// By the time of arrival, then in order: whether it is for the server, and what.
    flying: BTreeMap<(Instant, u64), (bool, BytesMut)>,
    sent: u64,
    /// The server's deadline, and when that is noticed.
    alarm: Option<(Instant, Instant)>,
    /// How late a deadline is noticed.
    lateness: Box<dyn FnMut() -> Duration>,
    /// Streams that the client reads.
    open: Vec<StreamId>,
    /// When streams have come to their ends at the client.
    pub(super) finished: Vec<Instant>,
}

impl Network {
    /// A connection whose handshake is done.
    pub(super) fn connect(lateness: impl FnMut() -> Duration + 'static) -> Self {
        Self::connect_by("moq-lite-06", lateness)
    }

    /// The same, by this protocol's name.
    pub(super) fn connect_by(alpn: &str, lateness: impl FnMut() -> Duration + 'static) -> Self {
        let identity = Identity::generate(&["127.0.0.1".into()]).unwrap();
        let config = ServerConfig::default()
            .with_listen((Ipv4Addr::LOCALHOST, 0).into())
            .with_identity(identity.clone());
        let listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
        let endpoint =
            |server| Endpoint::new(Arc::new(EndpointConfig::default()), server, true, None);
        let mut client = endpoint(None);
        let now = Instant::now();
        let config = client_config(&identity, alpn);
        let (peer_key, peer) = client.connect(now, config, SERVER, "127.0.0.1").unwrap();
        let mut network = Self {
            now,
            server: endpoint(Some(Arc::new(listening.quic))),
            client,
            connection: None,
            peer,
            peer_key,
            flying: BTreeMap::new(),
            sent: 0,
            alarm: None,
            lateness: Box::new(lateness),
            open: Vec::new(),
            finished: Vec::new(),
        };
        network.run(now + Duration::from_secs(1));
        assert!(network.state(|state| !state.quic.is_handshaking()));
        network
    }

    /// Works on the server's end.
    pub(super) fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.connection.as_ref().unwrap().lock())
    }

    /// Has the server send a stream of so many bytes.
    pub(super) fn send(&mut self, size: usize) {
        self.state(|state| {
            let id = state.quic.streams().open(Dir::Uni).unwrap();
            let mut stream = state.quic.send_stream(id);
            assert_eq!(stream.write(&vec![0; size]).unwrap(), size);
            stream.finish().unwrap();
        });
        self.pass();
    }

    /// The handle of the server's end, as if the connection had been accepted.
    pub(super) fn accept(&self) -> Arc<ConnectionInner> {
        let guard = ConnectionGuard::new(self.connection.clone().unwrap());
        ConnectionInner::new(guard, None, profile::SERVER)
    }

    /// Has the client open a stream, and says how many bytes there is credit for, of a few MiB.
    pub(super) fn fill(&mut self) -> usize {
        let id = self.peer.streams().open(Dir::Uni).unwrap();
        let written = self.peer.send_stream(id).write(&[0; 4 << 20]);
        written.unwrap_or(0)
    }

    /// Has the client open a stream that begins with these bytes.
    pub(super) fn open(&mut self, dir: Dir, bytes: &[u8]) -> StreamId {
        let id = self.peer.streams().open(dir).unwrap();
        let written = self.peer.send_stream(id).write(bytes);
        assert_eq!(written, Ok(bytes.len()));
        id
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, until: Instant) {
        self.pass();
        loop {
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let noticed = self.alarm.map(|(_, noticed)| noticed);
            let next = [arrival, noticed, self.peer.poll_timeout()];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = next.max(self.now);
            self.arrive();
            if self.peer.poll_timeout().is_some_and(|at| at <= self.now) {
                self.peer.handle_timeout(self.now);
            }
            self.pass();
        }
        self.now = until;
    }

    /// Gives both ends what has arrived.
    fn arrive(&mut self) {
        while let Some(entry) = self.flying.first_entry()
            && entry.key().0 <= self.now
        {
            let (is_for_server, bytes) = entry.remove();
            let (endpoint, from) = match is_for_server {
                true => (&mut self.server, CLIENT),
                false => (&mut self.client, SERVER),
            };
            let mut answer = Vec::new();
            match endpoint.handle(self.now, from, None, None, bytes, &mut answer) {
                Some(DatagramEvent::ConnectionEvent(_, event)) if is_for_server => {
                    self.state(|state| state.quic.handle_event(event));
                }
                Some(DatagramEvent::ConnectionEvent(_, event)) => self.peer.handle_event(event),
                Some(DatagramEvent::NewConnection(incoming)) => {
                    let accepted = self.server.accept(incoming, self.now, &mut answer, None);
                    let (key, quic) = accepted.unwrap_or_else(|_| panic!("it is accepted"));
                    let limits = Default::default();
                    self.connection = Some(ConnectionCore::new(
                        Arc::<Hub>::default(),
                        key.0,
                        quic,
                        limits,
                    ));
                }
                Some(DatagramEvent::Response(_)) | None => {}
            }
        }
    }

    /// What the server's driver and the client do when anything has happened.
    fn pass(&mut self) {
        let now = self.now;
        if let Some(connection) = self.connection.clone() {
            self.pass_server(&mut connection.lock(), ConnectionHandle(connection.key));
        }
        let mut bytes = Vec::new();
        while let Some(transmit) = self.peer.poll_transmit(now, 1, &mut bytes) {
            self.fly(true, &transmit, &bytes);
            bytes.clear();
        }
        while let Some(event) = self.peer.poll_endpoint_events() {
            if let Some(event) = self.client.handle_event(self.peer_key, event) {
                self.peer.handle_event(event);
            }
        }
        while self.peer.poll().is_some() {}
        self.read();
    }

    fn pass_server(&mut self, state: &mut State, key: ConnectionHandle) {
        let now = self.now;
        let is_noticed = self.alarm.is_some_and(|(_, noticed)| noticed <= now);
        if is_noticed || state.deadline().is_some_and(|at| at <= now) {
            state.expire(now, &mut Vec::new());
        }
        state.take_events(now, &mut Vec::new());
        let mut bytes = Vec::new();
        while let Some(transmit) = state.poll_transmit(now, 32, &mut bytes) {
            self.fly(false, &transmit, &bytes);
            bytes.clear();
        }
        while let Some(event) = state.quic.poll_endpoint_events() {
            if let Some(event) = self.server.handle_event(key, event) {
                state.quic.handle_event(event);
            }
        }
        let deadline = state.deadline();
        if self.alarm.map(|(at, _)| at) != deadline {
            self.alarm = deadline.map(|at| (at, at + (self.lateness)()));
        }
    }

    fn fly(&mut self, is_for_server: bool, transmit: &Transmit, bytes: &[u8]) {
        let bytes = &bytes[..transmit.size];
        for datagram in bytes.chunks(transmit.segment_size.unwrap_or(transmit.size)) {
            self.sent += 1;
            let key = (self.now + ONE_WAY, self.sent);
            self.flying.insert(key, (is_for_server, datagram.into()));
        }
    }

    fn read(&mut self) {
        while let Some(id) = self.peer.streams().accept(Dir::Uni) {
            self.open.push(id);
        }
        for id in std::mem::take(&mut self.open) {
            let mut stream = self.peer.recv_stream(id);
            let mut chunks = stream.read(true).unwrap();
            let end = loop {
                match chunks.next(usize::MAX) {
                    Ok(Some(_)) => {}
                    end => break end,
                }
            };
            let _ = chunks.finalize();
            match end {
                Ok(_) => self.finished.push(self.now),
                Err(_) => self.open.push(id),
            }
        }
    }
}

pub(super) fn client_config(identity: &Identity, alpn: &str) -> ClientConfig {
    let (certificate, _) = identity.to_pem();
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
    roots.add(certificate.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.into()];
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// Half a round trip.
pub(super) const ONE_WAY: Duration = Duration::from_millis(10);

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4443);
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
