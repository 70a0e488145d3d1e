//! Who is woken. What nobody waited for is still there.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Context;

use futures_util::future::{Either, join, select};

use super::hands::{accept_bi, accept_uni, next, open_bi, open_uni, within, write};
use super::run::Ends;
use super::waits::{self, Wait};
use super::waker::Flag;
use crate::transport::{SendStream as _, Transport};

/// A handle that waits for a stream wakes the waker that it was polled with last.
pub async fn a_wait_for_a_stream_wakes_its_last_waker<N: Transport, F: Transport>(
    ends: Ends<N, F>,
) {
    wakes_last(waits::uni(&ends)).await;
}

/// A handle that waits for a request wakes the waker that it was polled with last.
pub async fn a_wait_for_a_request_wakes_its_last_waker<N: Transport, F: Transport>(
    ends: Ends<N, F>,
) {
    wakes_last(waits::bi(&ends)).await;
}

/// A handle that waits for a datagram wakes the waker that it was polled with last.
pub async fn a_wait_for_a_datagram_wakes_its_last_waker<N: Transport, F: Transport>(
    ends: Ends<N, F>,
) {
    if ends.near_can.datagrams {
        wakes_last(waits::received(&ends)).await;
    }
}

/// A handle that waits for the end wakes the waker that it was polled with last.
pub async fn a_wait_for_the_end_wakes_its_last_waker<N: Transport, F: Transport>(ends: Ends<N, F>) {
    wakes_last(waits::closing(&ends)).await;
}

/// A stream that waits for bytes wakes the waker that it was polled with last.
pub async fn a_wait_for_bytes_wakes_its_last_waker<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    wakes_last(waits::read_chunk(&mut ends).await).await;
}

/// A stream that waits for room wakes the waker that it was polled with last.
pub async fn a_wait_for_room_wakes_its_last_waker<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    wakes_last(waits::write_chunks(&mut ends).await).await;
}

/// A stream that waits to be acknowledged wakes the waker that it was polled with last.
pub async fn a_wait_for_an_acknowledgement_wakes_its_last_waker<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    wakes_last(waits::acknowledgement(&mut ends).await).await;
}

/// A handle that waits for stream credit wakes the waker that it was polled with last.
pub async fn a_wait_for_stream_credit_wakes_its_last_waker<N: Transport, F: Transport>(
    ends: Ends<N, F>,
) {
    wakes_last(waits::credit_uni(&ends).await).await;
}

/// A handle that waits for request credit wakes the waker that it was polled with last.
pub async fn a_wait_for_request_credit_wakes_its_last_waker<N: Transport, F: Transport>(
    ends: Ends<N, F>,
) {
    wakes_last(waits::credit_bi(&ends).await).await;
}

/// Each method keeps at most one waker for a handle, and none once the handle is dropped.
pub async fn one_waker_is_kept_for_each_wait<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for mut wait in waits::all(&mut ends).await.into_iter().rev() {
        let (first, second) = (Flag::new(), Flag::new());
        let name = wait.name;
        assert!((wait.poll)(&mut first.context()).is_pending(), "{name}");
        assert!((wait.poll)(&mut second.context()).is_pending(), "{name}");
        assert!(!first.is_held(), "{name}: the earlier waker is kept");
        assert!(second.is_held(), "{name}: the later waker is not kept");
        drop(wait.poll);
        drop(wait.end);
        assert!(!second.is_held(), "{name}: kept when nobody waits");
    }
}

/// What comes after a future was dropped is there for the next one, once.
pub async fn what_comes_after_a_wait_was_given_up_is_not_lost<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    for mut wait in waits::all(&mut ends).await.into_iter().rev() {
        if wait.name == "closed" {
            continue;
        }
        for _ in 0..3 {
            let given_up = Flag::new();
            assert!((wait.poll)(&mut given_up.context()).is_pending());
        }
        let name = wait.name;
        let came = poll_fn(|cx| (wait.poll)(cx));
        let ((), came) = join(wait.end, within(name, came)).await;
        assert!(came.is_ok(), "{name}: {came:?}");
    }
}

/// A clone that is dropped, woken or not, takes nobody else's wake with it.
pub async fn a_dropped_clone_leaves_the_others_their_wake<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    for is_clone_first in [false, true] {
        for is_dropped_late in [false, true] {
            let (mut handle, mut clone) = (ends.near.clone(), ends.near.clone());
            let (flag, other) = (Flag::new(), Flag::new());
            if is_clone_first {
                assert!(clone.poll_accept_uni(&mut other.context()).is_pending());
                assert!(clone.poll_accept_bi(&mut other.context()).is_pending());
            }
            assert!(handle.poll_accept_uni(&mut flag.context()).is_pending());
            assert!(handle.poll_accept_bi(&mut flag.context()).is_pending());
            if !is_clone_first {
                assert!(clone.poll_accept_uni(&mut other.context()).is_pending());
                assert!(clone.poll_accept_bi(&mut other.context()).is_pending());
            }
            let mut clone = Some(clone).take_if(|_| is_dropped_late);
            let mut send = open_uni(&mut ends.far).await;
            write(&mut send, &b"x"[..]).await;
            let what = format!("clone first: {is_clone_first}, late: {is_dropped_late}");
            let mut poll = |cx: &mut Context<'_>| handle.poll_accept_uni(cx);
            let came = if is_dropped_late {
                let (mine, others) = (pin!(flag.woken(&what)), pin!(other.woken(&what)));
                let told = select(mine, others).await;
                clone.take();
                match told {
                    Either::Left(_) => within(&what, poll_fn(poll)).await,
                    Either::Right(_) => flag.ready(&what, &mut poll).await,
                }
            } else {
                flag.ready(&what, &mut poll).await
            };
            assert_eq!(next(&mut came.expect("it is there")).await, b"x"[..]);
            let (mut send, _back) = open_bi(&mut ends.far).await;
            write(&mut send, &b"y"[..]).await;
            let came = flag.ready(&what, |cx| handle.poll_accept_bi(cx)).await;
            assert_eq!(next(&mut came.expect("it is there").1).await, b"y"[..]);
        }
    }
}

/// Two clones that wait for the same are both woken, if there is something for each.
pub async fn clones_wait_each_for_their_own<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut first, mut second) = (ends.near.clone(), ends.near.clone());
    let (mut third, mut fourth) = (ends.near.clone(), ends.near.clone());
    let waiting = join(
        join(accept_uni(&mut first), accept_uni(&mut second)),
        join(accept_bi(&mut third), accept_bi(&mut fourth)),
    );
    let sent = async {
        let mut open = Vec::new();
        for byte in [&b"a"[..], b"b"] {
            let mut send = open_uni(&mut ends.far).await;
            write(&mut send, byte).await;
            send.finish();
            let (mut ask, back) = open_bi(&mut ends.far).await;
            write(&mut ask, byte).await;
            open.push((send, ask, back));
        }
        open
    };
    let (((mut one, mut two), (mut three, mut four)), _open) = join(waiting, sent).await;
    let mut unis = [next(&mut one).await, next(&mut two).await];
    unis.sort();
    assert_eq!(unis, [&b"a"[..], b"b"]);
    let mut requests = [next(&mut three.1).await, next(&mut four.1).await];
    requests.sort();
    assert_eq!(requests, [&b"a"[..], b"b"]);
}

/// Polls with one waker, then with another, and expects the other to be woken.
async fn wakes_last(mut wait: Wait) {
    let (first, last) = (Flag::new(), Flag::new());
    assert!((wait.poll)(&mut first.context()).is_pending());
    assert!((wait.poll)(&mut last.context()).is_pending());
    let came = last.ready(wait.name, |cx| (wait.poll)(cx));
    let ((), came) = join(wait.end, came).await;
    assert!(came.is_ok(), "{}: {came:?}", wait.name);
}
