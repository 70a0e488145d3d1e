//! Which packets are answered with stateless resets.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;

use moq_transport_common::quic::Listening;
use quinn::ConnectionIdGenerator as _;
use quinn_proto::HashedConnectionIdGenerator;
use tokio::net::UdpSocket;

use crate::tls::Identity;
use crate::{Server, ServerConfig};

/// Each former peer of a server that was killed is told so, even if all ask at once: the clock
/// stands still.
#[tokio::test(start_paused = true)]
async fn each_id_of_a_former_life_is_reset() {
    let config = ServerConfig::default()
        .with_listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .with_identity(Identity::generate(&["127.0.0.1".into()]).unwrap())
        .with_reset_key([7; 64]);
    let listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
    let addr = listening.sockets[0].1;
    let key = listening.reset_keys.endpoint(addr).id_key.unwrap();
    let mut former = HashedConnectionIdGenerator::from_key(key);
    let _server = Server::start(listening).unwrap();

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(addr).await.unwrap();
    // No server speaks this version. Its answer shows that all earlier packets were seen.
    let mut last = [0; 1200];
    last[..7].copy_from_slice(&[0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1]);
    last[14] = 8;
    for number in 0..100 {
        let packet = [&[0x40][..], &former.generate_cid(), &[0; 40]].concat();
        socket.send(&packet).await.unwrap();
        socket.send(&last).await.unwrap();
        let mut answer = [0; 2048];
        socket.recv(&mut answer).await.unwrap();
        assert_eq!(answer[0] & 0x80, 0, "{number} is reset");
        socket.recv(&mut answer).await.unwrap();
        assert_eq!(answer[0] & 0x80, 0x80, "the version is refused");
    }
}
