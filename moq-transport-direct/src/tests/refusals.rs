//! What a client sees of its refused streams.

use std::time::Duration;

use quinn_proto::{Dir, FrameStats};

use super::network::{Network, ONE_WAY};

/// What the server has sent.
fn sent(network: &Network) -> FrameStats {
    network.state(|state| state.quic.stats().frame_tx)
}

#[test]
fn a_client_is_stopped_when_it_has_the_answer() {
    let mut network = Network::connect_by("h3", || Duration::ZERO);
    let before = sent(&network);
    network.open(Dir::Bi, &GET);
    network.run(network.now + ONE_WAY);
    let answered = sent(&network);
    assert_eq!(answered.stream - before.stream, 1);
    assert_eq!(answered.stop_sending, 0);
    network.run(network.now + Duration::from_secs(1));
    assert_eq!(sent(&network).stop_sending, 1);
}

/// A request for a page: HEADERS with `GET`, `https` and `/` of the static table, and a host.
const GET: [u8; 10] = [1, 8, 0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, b'h'];
