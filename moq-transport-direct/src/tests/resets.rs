//! Which packets are answered with stateless resets.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moq_session::transport::Transport as _;
use moq_transport_common::quic::Listening;
use quinn_proto::ConnectionIdGenerator as _;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{config, pair, pair_by, receive, send};
use crate::Server;
use crate::ids::{LONG_HEADER, SteeredIds};

/// What the client of a connection sends and receives goes through here.
struct Tap {
    addr: SocketAddr,
    to_client: Arc<UdpSocket>,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    client: Option<SocketAddr>,
    /// What the client has sent.
    packets: Vec<Vec<u8>>,
}

impl Tap {
    async fn on(server: SocketAddr) -> Self {
        let to_client = Arc::new(UdpSocket::bind((server.ip(), 0)).await.unwrap());
        let to_server = UdpSocket::bind((server.ip(), 0)).await.unwrap();
        to_server.connect(server).await.unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let task = pass_on(to_client.clone(), to_server, seen.clone());
        Self {
            addr: to_client.local_addr().unwrap(),
            to_client,
            seen,
            task: tokio::spawn(task),
        }
    }

    /// Short packets of the client, one for each connection id that it has used.
    fn packets(&self) -> Vec<Vec<u8>> {
        let mut ids = BTreeSet::new();
        let mut packets = self.seen.lock().unwrap().packets.clone();
        packets.retain(|packet| is_short(packet) && packet.len() > 50);
        packets.retain(|packet| ids.insert(packet[1..10].to_vec()));
        packets
    }

    async fn inject(&self, packet: &[u8]) {
        let client = self.seen.lock().unwrap().client.unwrap();
        self.to_client.send_to(packet, client).await.unwrap();
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(to_client: Arc<UdpSocket>, to_server: UdpSocket, seen: Arc<Mutex<Seen>>) {
    let (mut up, mut down) = ([0; 2048], [0; 2048]);
    loop {
        tokio::select! {
            received = to_client.recv_from(&mut up) => {
                let (size, client) = received.unwrap();
                // By an empty one, from a socket of its own, the client asks whether anybody listens.
                if size == 0 {
                    continue;
                }
                seen.lock().unwrap().client = Some(client);
                seen.lock().unwrap().packets.push(up[..size].to_vec());
                to_server.send(&up[..size]).await.unwrap();
            }
            received = to_server.recv(&mut down) => {
                let size = received.unwrap();
                let client = seen.lock().unwrap().client.unwrap();
                to_client.send_to(&down[..size], client).await.unwrap();
            }
        }
    }
}

/// A packet with a live connection's id that comes to another listener than the connection's is not
/// answered with what resets the connection.
async fn no_listener_tells_a_token(ips: [IpAddr; 2], key: Option<[u8; 64]>) {
    let mut config = config(ips.map(|ip| SocketAddr::new(ip, 0)));
    if let Some(key) = key {
        config = config.with_reset_key(key);
    }
    let server = Server::bind(config, NonZeroUsize::MIN).unwrap();
    let addrs = server.local_addrs().to_vec();
    for (own, other) in [(addrs[0], addrs[1]), (addrs[1], addrs[0])] {
        let tap = Tap::on(own).await;
        let (mut client, mut accepted) = pair_by(&server, tap.addr).await;
        send(&mut client).await;
        assert!(receive(&mut accepted).await.is_some());

        let packets = tap.packets();
        assert!(!packets.is_empty(), "the client has used its id");
        for answer in answers(&packets, other).await {
            tap.inject(&answer).await;
        }
        send(&mut accepted).await;
        assert!(receive(&mut client).await.is_some(), "it lives");
    }
}

/// What packets are answered with.
async fn answers(packets: &[Vec<u8>], by: SocketAddr) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind((by.ip(), 0)).await.unwrap();
    for packet in packets {
        socket.send_to(packet, by).await.unwrap();
    }
    // No server speaks this version. Its answer shows that all earlier packets were seen.
    let mut last = vec![0; 1200];
    last[..7].copy_from_slice(&[0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1]);
    last[14] = 8;
    socket.send_to(&last, by).await.unwrap();
    let mut answers = Vec::new();
    loop {
        let answer = next(&socket).await;
        if !is_short(&answer) {
            return answers;
        }
        answers.push(answer);
    }
}

async fn next(socket: &UdpSocket) -> Vec<u8> {
    let mut answer = [0; 2048];
    let received = timeout(PATIENCE, socket.recv(&mut answer)).await;
    let size = received.expect("an answer").unwrap();
    answer[..size].to_vec()
}

fn is_short(packet: &[u8]) -> bool {
    packet[0] & LONG_HEADER == 0
}

#[tokio::test]
async fn no_listener_tells_a_token_of_another() {
    let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    for ips in [[v4, v4], [v4, v6], [v6, v6]] {
        no_listener_tells_a_token(ips, Some([7; 64])).await;
        no_listener_tells_a_token(ips, None).await;
    }
}

/// Thousands of peers of a server that was killed learn of it as fast as they ask.
#[tokio::test]
async fn each_id_of_a_former_life_is_reset() {
    let config = config([(Ipv4Addr::LOCALHOST, 0).into()]).with_reset_key([7; 64]);
    let listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
    let addr = listening.sockets[0].1;
    let id_key = listening.reset_keys.endpoint(addr).id_key;
    let mut former = SteeredIds::new(0, id_key);
    let _server = Server::start(listening, NonZeroUsize::MIN).unwrap();

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (mut ids, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..5_000 / WINDOW {
        for _ in 0..WINDOW {
            let packet = [&[0x40][..], &former.generate_cid(), &[0; 40]].concat();
            ids.insert(packet[1..10].to_vec());
            socket.send_to(&packet, addr).await.unwrap();
        }
        for _ in 0..WINDOW {
            let answer = next(&socket).await;
            assert!(is_short(&answer) && answer.len() < 50);
            tokens.insert(answer[answer.len() - 16..].to_vec());
        }
    }
    assert_eq!(tokens.len(), ids.len(), "a token for each");
}

/// A peer of a server that was killed learns of that by its first packet to the next one.
#[tokio::test]
async fn a_restarted_server_resets_what_it_had() {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = {
        let _context = runtime.enter();
        let config = config([any]).with_reset_key([7; 64]);
        Server::bind(config, NonZeroUsize::MIN).unwrap()
    };
    let addr = server.local_addrs()[0];
    let (mut client, _accepted) = pair(&server).await;
    runtime.shutdown_background();
    server.wait_idle().await;

    let config = config([addr]).with_reset_key([7; 64]);
    let _next = Server::bind(config, NonZeroUsize::MIN).unwrap();
    send(&mut client).await;
    let end = poll_fn(|cx| client.poll_closed(cx)).await;
    assert!(end.to_string().contains("reset"), "{end}");
}

/// Packets on the way at once, which any socket has room for.
const WINDOW: usize = 50;

const PATIENCE: Duration = Duration::from_secs(10);
