//! What is known of a connection besides its bytes.

use super::hands::{begun, full, within};
use super::run::Ends;
use crate::transport::Transport;

/// A ping is answered by the peer's transport, and the answer is counted. A backend that cannot ping
/// counts nothing.
pub async fn a_ping_is_answered<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    begun(&mut ends.near, &mut ends.far).await;
    expect_answers(&ends).await;
}

/// A ping is answered though no byte can be sent on a stream.
pub async fn a_ping_is_answered_while_streams_are_full<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let _full = full(&mut ends.near, &mut ends.far).await;
    let _back = full(&mut ends.far, &mut ends.near).await;
    expect_answers(&ends).await;
}

/// Both ends say the same of what they speak, and of what carries it.
pub async fn both_ends_know_what_they_speak<N: Transport, F: Transport>(ends: Ends<N, F>) {
    let (near, far) = (ends.near.info(), ends.far.info());
    assert_eq!(near.kind, far.kind);
    assert_eq!(near.protocol, far.protocol);
    assert!(near.protocol.is_some());
    let clone = ends.near.clone();
    assert_eq!(clone.info().protocol, near.protocol);
}

/// A transport that measures tells a round-trip time and a rate, one that does not tells none.
pub async fn what_is_measured_is_told<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    begun(&mut ends.near, &mut ends.far).await;
    let stats = ends.near.stats();
    let is_told =
        stats.rtt.is_some_and(|rtt| !rtt.is_zero()) && stats.send_rate.is_some_and(|rate| rate > 0);
    assert_eq!(is_told, ends.near_can.measures, "{stats:?}");
}

/// More pings than a connection sends packets of its own accord.
async fn expect_answers<N: Transport, F: Transport>(ends: &Ends<N, F>) {
    if !ends.near_can.ping {
        ends.near.ping();
        assert_eq!(ends.near.heard(), None);
        return;
    }
    let heard = || ends.near.heard().expect("it counts what comes");
    for index in 0..50 {
        let before = heard();
        ends.near.ping();
        let answered = async {
            while heard() == before {
                tokio::task::yield_now().await;
            }
        };
        within(&format!("the answer to ping {index}"), answered).await;
    }
}
