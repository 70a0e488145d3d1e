//! Datagrams.

use std::task::Poll;

use bytes::Bytes;

use super::hands::{begun, datagram, once, pattern};
use super::run::Ends;
use crate::transport::Transport;

/// A datagram arrives whole, from the shortest to the longest that the transport can carry.
pub async fn datagrams_arrive_whole<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    if !ends.near_can.datagrams {
        return;
    }
    // What the transport can carry may grow while the path is measured.
    begun(&mut ends.near, &mut ends.far).await;
    let longest = ends.near.max_datagram_size();
    assert!(longest >= 1_100, "at most {longest} bytes");
    for len in [1, 0, 2, 100, 1_000, longest - 1, longest] {
        let sent = Bytes::from(pattern(len, len));
        ends.near.send_datagram(sent.clone());
        assert_eq!(datagram(&mut ends.far).await, sent, "{len} bytes");
    }
}

/// Datagrams that came before anybody asked for them are kept, as far as there is room.
pub async fn datagrams_wait_to_be_received<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    if !ends.near_can.datagrams {
        return;
    }
    for index in 0..4 {
        ends.near.send_datagram(Bytes::from(pattern(100, index)));
    }
    begun(&mut ends.near, &mut ends.far).await;
    for index in 0..4 {
        assert_eq!(datagram(&mut ends.far).await, pattern(100, index));
    }
}

/// A payload longer than the transport can carry is lost, and nothing else is.
pub async fn what_is_too_long_is_lost<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    if !ends.near_can.datagrams {
        return;
    }
    // Longer than it may become while the path is measured.
    for len in [4_096, 70_000] {
        assert!(ends.near.max_datagram_size() < len);
        ends.near.send_datagram(Bytes::from(vec![1; len]));
        ends.near.send_datagram(Bytes::from_static(b"short"));
        assert_eq!(datagram(&mut ends.far).await, b"short"[..]);
    }
    begun(&mut ends.near, &mut ends.far).await;
}

/// Datagrams that nobody receives are lost at last, and harm no stream.
pub async fn datagrams_that_nobody_receives_harm_nothing<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    for _ in 0..20 {
        for _ in 0..500 {
            ends.near.send_datagram(Bytes::from(vec![0; 1_000]));
        }
        begun(&mut ends.near, &mut ends.far).await;
    }
    let mut count = 0;
    while let Poll::Ready(received) = once(|cx| ends.far.poll_recv_datagram(cx)) {
        assert_eq!(received.expect("the connection is there").len(), 1_000);
        count += 1;
    }
    assert!(count < 10_000, "all {count} are kept");
    assert_eq!(count > 0, ends.near_can.datagrams);
}

/// A transport without datagrams carries 0 bytes of them, and one with them says how many.
pub async fn a_transport_without_datagrams_says_so<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    begun(&mut ends.near, &mut ends.far).await;
    assert_eq!(ends.near.max_datagram_size() > 0, ends.near_can.datagrams);
    assert_eq!(ends.far.max_datagram_size() > 0, ends.far_can.datagrams);
    if !ends.near_can.datagrams {
        ends.near.send_datagram(Bytes::from_static(b"x"));
        begun(&mut ends.near, &mut ends.far).await;
        assert!(once(|cx| ends.far.poll_recv_datagram(cx)).is_pending());
    }
}
