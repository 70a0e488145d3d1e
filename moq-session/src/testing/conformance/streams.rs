//! What streams carry.

use std::collections::BTreeSet;
use std::future::poll_fn;

use bytes::Bytes;
use futures_util::future::join;

use super::hands::{
    accept_bi, accept_uni, acknowledged, begun_bi, full, next, open_bi, open_uni, pattern, read,
    read_whole, within, write,
};
use super::run::Ends;
use crate::transport::{RecvStream as _, SendError, SendStream as _, Transport};

/// A unidirectional stream of the near end carries its bytes in order, up to its end.
pub async fn uni_streams_carry_bytes_in_order<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let mut send = open_uni(&mut ends.near).await;
    let mut chunks = [&b"one"[..], b"", b"two"].map(Bytes::from_static);
    while chunks.iter().any(|chunk| !chunk.is_empty()) {
        let written = poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks));
        within("write", written).await.expect("it is open");
    }
    send.finish();
    let mut recv = accept_uni(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, b"onetwo");
}

/// A bidirectional stream of the near end carries bytes both ways, in turns.
pub async fn bidirectional_streams_carry_bytes_both_ways<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let ((mut ask, mut answer), (mut reply, mut asked)) =
        begun_bi(&mut ends.near, &mut ends.far).await;
    for turn in 0..10 {
        let (question, word) = (pattern(100, turn), pattern(100, turn + 50));
        write(&mut ask, question.clone()).await;
        let mut got = Vec::new();
        while got.len() < 100 {
            got.extend_from_slice(&next(&mut asked).await);
        }
        assert_eq!(got, question);
        write(&mut reply, word.clone()).await;
        got.clear();
        while got.len() < 100 {
            got.extend_from_slice(&next(&mut answer).await);
        }
        assert_eq!(got, word);
    }
    ask.finish();
    assert_eq!(read_whole(&mut asked).await, b"");
    reply.finish();
    assert_eq!(read_whole(&mut answer).await, b"");
}

/// A stream that ends without a byte is a stream.
pub async fn an_empty_stream_arrives_with_its_end<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    open_uni(&mut ends.near).await.finish();
    assert_eq!(read_whole(&mut accept_uni(&mut ends.far).await).await, b"");
    let (mut send, mut back) = open_bi(&mut ends.near).await;
    send.finish();
    let (mut answer, mut recv) = accept_bi(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, b"");
    answer.finish();
    assert_eq!(read_whole(&mut back).await, b"");
    acknowledged(&mut send).await.expect("it was read");
}

/// Each half of a bidirectional stream has an end of its own.
pub async fn the_halves_of_a_stream_end_on_their_own<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let ((mut ask, mut answer), (mut reply, mut asked)) =
        begun_bi(&mut ends.near, &mut ends.far).await;
    ask.finish();
    assert_eq!(read_whole(&mut asked).await, b"");
    drop(ask);
    drop(asked);
    write(&mut reply, &b"later"[..]).await;
    reply.finish();
    assert_eq!(read_whole(&mut answer).await, b"later");

    let ((mut ask, answer), (mut reply, mut asked)) = begun_bi(&mut ends.near, &mut ends.far).await;
    drop(answer);
    let stopped = acknowledged(&mut reply).await;
    assert!(matches!(stopped, Err(SendError::Stopped(0))), "{stopped:?}");
    reply.reset(1);
    write(&mut ask, &b"more"[..]).await;
    ask.finish();
    assert_eq!(read_whole(&mut asked).await, b"more");
}

/// Many streams arrive, each of them once and with its own bytes.
pub async fn many_streams_arrive_each_once<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (near, far) = (&mut ends.near, &mut ends.far);
    let sent = async {
        for index in 0..MANY {
            let mut send = open_uni(near).await;
            write(&mut send, index.to_be_bytes().to_vec()).await;
            send.finish();
        }
    };
    let received = async {
        let mut seen = BTreeSet::new();
        for _ in 0..MANY {
            let bytes = read_whole(&mut accept_uni(far).await).await;
            assert!(seen.insert(bytes), "a stream came twice");
        }
        seen
    };
    let ((), seen) = join(sent, received).await;
    let all: BTreeSet<_> = (0..MANY)
        .map(|index| index.to_be_bytes().to_vec())
        .collect();
    assert_eq!(seen, all);
}

/// A body larger than every window arrives whole, in both directions of a stream at once.
pub async fn large_bodies_arrive_whole_both_ways<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let ((mut ask, mut answer), (mut reply, mut asked)) =
        begun_bi(&mut ends.near, &mut ends.far).await;
    let (there, back) = (pattern(LARGE, 1), pattern(LARGE, 2));
    let (out, home) = (Bytes::from(there.clone()), Bytes::from(back.clone()));
    let sent = async {
        write(&mut ask, out).await;
        ask.finish();
    };
    let replied = async {
        write(&mut reply, home).await;
        reply.finish();
    };
    let sending = join(sent, replied);
    let reading = join(read(&mut asked), read(&mut answer));
    let (_, (question, reply)) = join(sending, reading).await;
    assert!(
        question.1.is_ok() && question.0 == there,
        "{:?}",
        question.1
    );
    assert!(reply.1.is_ok() && reply.0 == back, "{:?}", reply.1);
}

/// Streams that both ends open at the same time come to the other one.
pub async fn streams_of_both_ends_cross<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for round in 0..20 {
        let mut here = open_uni(&mut ends.near).await;
        let mut there = open_uni(&mut ends.far).await;
        write(&mut here, pattern(100, round)).await;
        write(&mut there, pattern(200, round)).await;
        here.finish();
        there.finish();
        let from_far = read_whole(&mut accept_uni(&mut ends.near).await).await;
        let from_near = read_whole(&mut accept_uni(&mut ends.far).await).await;
        assert_eq!(from_far, pattern(200, round));
        assert_eq!(from_near, pattern(100, round));
    }
}

/// A stream that nobody reads leaves the others their way.
pub async fn a_full_stream_holds_up_no_other<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (_send, mut unread, filled) = full(&mut ends.near, &mut ends.far).await;
    for round in 0..10 {
        let mut send = open_uni(&mut ends.near).await;
        write(&mut send, pattern(1_000, round)).await;
        send.finish();
        let bytes = read_whole(&mut accept_uni(&mut ends.far).await).await;
        assert_eq!(bytes, pattern(1_000, round));
    }
    let mut taken = 0;
    while taken < filled {
        taken += next(&mut unread).await.len();
    }
    assert_eq!(taken, filled);
}

/// As many streams may be open at one time as the backend tells.
pub async fn as_many_streams_are_open_at_once_as_told<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut opened, mut received) = (Vec::new(), Vec::new());
    for _ in 0..ends.far_can.open_streams {
        let mut send = open_uni(&mut ends.near).await;
        write(&mut send, &b"x"[..]).await;
        let mut recv = accept_uni(&mut ends.far).await;
        assert_eq!(next(&mut recv).await, b"x"[..]);
        opened.push(send);
        received.push(recv);
    }
    assert_eq!(opened.len(), ends.far_can.open_streams);
    for (mut send, mut recv) in opened.into_iter().zip(received) {
        send.finish();
        assert_eq!(read_whole(&mut recv).await, b"");
        recv.stop(0);
    }
}

/// More streams than may be open at one time.
const MANY: u32 = 1_500;

/// More bytes than may be on their way on one stream.
const LARGE: usize = 6 << 20;
