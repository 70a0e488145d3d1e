//! Which stream goes first.

use std::task::Poll;

use super::hands::{accept_uni, begun, once, open_uni, read_whole, write};
use super::run::Ends;
use crate::transport::{RecvStream as _, SendStream as _, Transport};

/// Of two streams, the one of higher order is sent first, even if the other has begun. Where there is
/// no order, both arrive.
pub async fn a_stream_of_higher_order_overtakes_one_that_has_begun<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut low, mut unread) = begun(&mut ends.near, &mut ends.far).await;
    low.set_priority(1);
    let mut chunks = [bytes::Bytes::from(vec![7; LONG])];
    let Poll::Ready(Ok(filled)) = once(|cx| low.poll_write_chunks(cx, &mut chunks)) else {
        panic!("there is room on a new stream")
    };
    low.finish();
    let mut high = open_uni(&mut ends.near).await;
    high.set_priority(2);
    write(&mut high, &b"urgent"[..]).await;
    high.finish();
    let mut recv = accept_uni(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, b"urgent");
    // Were it sent behind the other one, all of that would be here.
    let mut here = 0;
    while let Poll::Ready(Ok(Some(chunk))) = once(|cx| unread.poll_read_chunk(cx)) {
        here += chunk.len();
    }
    if ends.near_can.priorities {
        assert!(here < filled, "{here} bytes came first");
    }
    let rest = read_whole(&mut unread).await;
    assert_eq!(here + rest.len(), filled);
}

/// As much as may be on its way on one stream, and more than a packet train.
const LONG: usize = 2 << 20;
