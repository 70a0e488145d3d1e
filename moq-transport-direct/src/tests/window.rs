//! How much a client may send before anybody reads it.

use std::time::Duration;

use super::network::Network;

#[test]
fn a_connection_that_was_not_accepted_holds_little() {
    let mut network = Network::connect(|| Duration::ZERO);
    let before: usize = (0..10).map(|_| network.fill()).sum();
    assert_eq!(before, 256 << 10);
    let _link = network.accept();
    network.run(network.now + Duration::from_secs(10));
    let after: usize = (0..5).map(|_| network.fill()).sum();
    assert!(after > 4 << 20, "{after}");
}
