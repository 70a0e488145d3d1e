//! How streams end well, and what a drop does.

use futures_util::future::join;

use super::hands::{
    accept_bi, accept_uni, acknowledged, begun, begun_bi, once, open_bi, open_uni, pattern, read,
    read_whole, write,
};
use super::run::Ends;
use super::waker::Flag;
use crate::transport::{RecvError, RecvStream as _, SendError, SendStream as _, Transport};

/// A stream is acknowledged once it is finished and the peer has everything, and not before.
pub async fn a_finished_stream_is_acknowledged<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    write(&mut send, pattern(5_000, 0)).await;
    let flag = Flag::new();
    assert!(send.poll_closed(&mut flag.context()).is_pending());
    send.finish();
    let ended = flag.ready("an acknowledgement", |cx| send.poll_closed(cx));
    let (ended, bytes) = join(ended, read_whole(&mut recv)).await;
    ended.expect("it was read");
    assert_eq!(bytes, pattern(5_000, 0));
    acknowledged(&mut send).await.expect("it stays so");
}

/// What was written before the end is delivered, though the handle is dropped at once.
pub async fn what_was_written_before_the_end_is_delivered<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let body = pattern(60_000, 1);
    let mut send = open_uni(&mut ends.near).await;
    write(&mut send, body.clone()).await;
    send.finish();
    drop(send);
    let (mut send, _back) = open_bi(&mut ends.near).await;
    write(&mut send, body.clone()).await;
    send.finish();
    drop(send);
    let mut recv = accept_uni(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, body);
    let (_answer, mut recv) = accept_bi(&mut ends.far).await;
    assert_eq!(read_whole(&mut recv).await, body);
}

/// Whoever reads on after the end is told the end again.
pub async fn an_end_is_told_again<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    send.finish();
    for _ in 0..3 {
        assert_eq!(read_whole(&mut recv).await, b"");
    }
}

/// A stream that is finished twice ends once.
pub async fn a_second_end_changes_nothing<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    write(&mut send, &b"all"[..]).await;
    send.finish();
    send.finish();
    assert_eq!(read_whole(&mut recv).await, b"all");
    acknowledged(&mut send).await.expect("it was read");
    send.finish();
    acknowledged(&mut send).await.expect("it stays so");
    assert_eq!(read_whole(&mut recv).await, b"");
}

/// The order of a stream may be set at any time, and harms nothing.
pub async fn an_ended_stream_takes_any_priority<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    for order in [i32::MIN, -1, 0, 1, i32::MAX] {
        send.set_priority(order);
        write(&mut send, &b"x"[..]).await;
    }
    send.finish();
    send.set_priority(3);
    assert_eq!(read_whole(&mut recv).await, b"xxxxx");
    acknowledged(&mut send).await.expect("it was read");
    send.set_priority(4);
    let (mut send, _recv) = begun(&mut ends.near, &mut ends.far).await;
    send.reset(1);
    send.set_priority(5);
    begun(&mut ends.near, &mut ends.far).await;
}

/// A send half that is dropped before it was finished or reset resets the stream with code 0.
pub async fn what_is_dropped_never_looks_complete<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    drop(send);
    let (bytes, end) = read(&mut recv).await;
    assert_eq!(bytes, b"");
    assert!(matches!(end, Err(RecvError::Reset(0))), "{end:?}");

    let ((ask, mut answer), (mut reply, mut asked)) = begun_bi(&mut ends.near, &mut ends.far).await;
    drop(ask);
    let (_, end) = read(&mut asked).await;
    assert!(matches!(end, Err(RecvError::Reset(0))), "{end:?}");
    write(&mut reply, &b"still"[..]).await;
    reply.finish();
    assert_eq!(read_whole(&mut answer).await, b"still");
}

/// A receiving half that is dropped before its end stops the stream with code 0.
pub async fn what_is_dropped_unread_is_stopped<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, recv) = begun(&mut ends.far, &mut ends.near).await;
    drop(recv);
    let end = acknowledged(&mut send).await;
    assert!(matches!(end, Err(SendError::Stopped(0))), "{end:?}");
}

/// A dropped stream does no harm to others.
pub async fn dropped_streams_harm_no_other<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    for _ in 0..50 {
        drop(begun(&mut ends.near, &mut ends.far).await);
        drop(begun_bi(&mut ends.near, &mut ends.far).await);
        let (waiting, mut unread) = begun(&mut ends.far, &mut ends.near).await;
        assert!(once(|cx| unread.poll_read_chunk(cx)).is_pending());
        drop((waiting, unread));
    }
    write(&mut send, &b"here"[..]).await;
    send.finish();
    assert_eq!(read_whole(&mut recv).await, b"here");
}
