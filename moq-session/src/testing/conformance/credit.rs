//! How many streams the peer lets this end open, and how many bytes.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use moq_model::platform::clock;

use super::hands::{
    MUCH, accept_uni, acknowledged, begun, begun_bi, next, once, open_uni, read, read_whole,
    within, write,
};
use super::run::Ends;
use super::waits::{self, exhaust_bi, exhaust_uni};
use crate::transport::{RecvStream as _, SendError, SendStream as _, Transport};

/// A unidirectional stream waits for credit, and opens once the peer has read others.
pub async fn streams_wait_for_credit<N: Transport, F: Transport>(ends: Ends<N, F>) {
    let mut wait = waits::credit_uni(&ends).await;
    assert!(once(|cx| (wait.poll)(cx)).is_pending());
    wait.end.await;
    let opened = within("credit", poll_fn(|cx| (wait.poll)(cx))).await;
    opened.expect("the connection is there");
}

/// A bidirectional stream waits for credit, and opens once the peer is done with others.
pub async fn requests_wait_for_credit<N: Transport, F: Transport>(ends: Ends<N, F>) {
    let mut wait = waits::credit_bi(&ends).await;
    assert!(once(|cx| (wait.poll)(cx)).is_pending());
    wait.end.await;
    let opened = within("credit", poll_fn(|cx| (wait.poll)(cx))).await;
    opened.expect("the connection is there");
}

/// Unidirectional streams use up none of the credit for bidirectional ones, and the reverse.
pub async fn kinds_have_credit_of_their_own<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let open = exhaust_uni(&mut ends.near).await;
    begun_bi(&mut ends.near, &mut ends.far).await;
    for _ in 0..open.len() {
        accept_uni(&mut ends.far).await;
    }
    drop(open);
    let _open = exhaust_bi(&mut ends.near).await;
    begun(&mut ends.near, &mut ends.far).await;
}

/// The credit of streams that were reset comes back.
pub async fn credit_of_reset_streams_comes_back<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for index in 0..TURNOVER {
        let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
        send.reset(index);
        assert!(read(&mut recv).await.1.is_err());
    }
}

/// The credit of streams that the peer stopped comes back once they are finished here.
pub async fn credit_of_stopped_streams_comes_back<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    for index in 0..TURNOVER {
        let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
        recv.stop(index);
        let end = acknowledged(&mut send).await;
        assert!(matches!(end, Err(SendError::Stopped(_))), "{end:?}");
        send.finish();
    }
}

/// The credit of streams that have arrived whole comes back when they are stopped, without a packet
/// that is sent for another reason.
pub async fn credit_of_whole_streams_that_are_stopped_comes_back<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let mut whole = Vec::new();
    // Credit may grow while streams are accepted.
    while whole.len() < MOST {
        let mut open = exhaust_uni(&mut ends.near).await;
        for send in &mut open {
            send.finish();
            let mut recv = accept_uni(&mut ends.far).await;
            assert_eq!(next(&mut recv).await, b"x"[..]);
            whole.push(recv);
        }
        for send in &mut open {
            acknowledged(send).await.expect("it has arrived");
        }
        if open.is_empty() {
            break;
        }
    }
    for mut recv in whole {
        recv.stop(1);
    }
    let credit = poll_fn(|cx| ends.near.poll_open_uni(cx));
    let opened = clock::timeout(SOON, credit).await;
    opened
        .expect("credit comes at once")
        .expect("the connection is there");
}

/// A peer may open as many bidirectional streams as the session says that it can hold.
pub async fn a_peer_opens_as_many_requests_as_the_session_can_hold<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    ends.far.set_stream_limit(HELD);
    let count = if ends.far_can.stream_limit { HELD } else { 10 };
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(begun_bi(&mut ends.near, &mut ends.far).await);
    }
    assert_eq!(held.len(), count);
}

/// Streams that are left unread on purpose do not use up what all share.
pub async fn paused_streams_leave_room_for_others<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    ends.far.set_paused_streams(PAUSED);
    let count = if ends.far_can.paused_streams {
        PAUSED
    } else {
        1
    };
    let mut paused = Vec::new();
    for _ in 0..count {
        let (mut send, recv) = begun(&mut ends.near, &mut ends.far).await;
        let mut chunks = [Bytes::from(vec![0; MUCH])];
        let full = poll_fn(|cx| {
            while send.poll_write_chunks(cx, &mut chunks).is_ready() {}
            Poll::Ready(())
        });
        within("fill a stream", full).await;
        paused.push((send, recv));
    }
    let mut send = open_uni(&mut ends.near).await;
    write(&mut send, &b"through"[..]).await;
    send.finish();
    let mut recv = accept_uni(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, b"through");
    ends.far.set_paused_streams(0);
    drop(paused);
}

/// More streams than may be open at one time.
const TURNOVER: u32 = 700;

/// More requests than a peer may open before the session has said anything.
const HELD: usize = 1_100;

/// More unidirectional streams than a peer allows another at one time.
const MOST: usize = 3_000;

/// So many full streams use up what all share.
const PAUSED: usize = 8;

/// Sooner than a connection is kept alive.
const SOON: Duration = Duration::from_millis(2_500);
