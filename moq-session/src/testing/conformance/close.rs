//! How connections end.

use std::task::Poll;

use bytes::Bytes;

use super::hands::{CODES, begun, begun_bi, closed, once};
use super::run::Ends;
use super::waits::{self, Failure, Wait};
use super::waker::Flag;
use crate::transport::{
    End, RecvError, RecvStream, SendError, SendStream, Transport, TransportError,
};

/// A close arrives with its code and reason, and is known here as this end's own.
pub async fn code_and_reason_arrive<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    begun(&mut ends.near, &mut ends.far).await;
    let mut clone = ends.far.clone();
    ends.near.close(0x43, "good bye, Grüße");
    expect(
        &closed(&mut ends.far).await,
        End::Peer,
        0x43,
        "good bye, Grüße",
    );
    expect(
        &closed(&mut clone).await,
        End::Peer,
        0x43,
        "good bye, Grüße",
    );
    expect(
        &closed(&mut ends.near).await,
        End::Local,
        0x43,
        "good bye, Grüße",
    );
    // It is told again.
    expect(
        &closed(&mut ends.far).await,
        End::Peer,
        0x43,
        "good bye, Grüße",
    );
}

/// A reason of any length is taken. The peer gets its beginning, and the code.
pub async fn a_long_reason_arrives_as_far_as_it_fits<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let reason = "wörter ".repeat(10_000);
    ends.near.close(u32::MAX, &reason);
    for (end, by) in [
        (closed(&mut ends.far).await, End::Peer),
        (closed(&mut ends.near).await, End::Local),
    ] {
        let TransportError::Closed {
            by: told,
            code,
            reason: words,
        } = end
        else {
            panic!("{end:?}")
        };
        assert_eq!((told, code), (by, u32::MAX));
        assert!(words.len() >= 100, "{} bytes are left", words.len());
        assert!(reason.starts_with(&words), "{words}");
    }
}

/// A connection is closed once: later calls change nothing, on either end.
pub async fn a_second_close_changes_nothing<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    ends.near.close(1, "first");
    ends.near.close(2, "second");
    ends.near.clone().close(3, "third");
    expect(&closed(&mut ends.far).await, End::Peer, 1, "first");
    ends.far.close(4, "fourth");
    expect(&closed(&mut ends.far).await, End::Peer, 1, "first");
    expect(&closed(&mut ends.near).await, End::Local, 1, "first");
}

/// Whatever the peer waits for ends with the close.
pub async fn a_close_ends_every_wait_of_the_peer<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let mut closer = ends.far.clone();
    let waits = waits::all(&mut ends).await;
    expect_all(waits, || closer.close(0x44, "over"), End::Peer).await;
}

/// Whatever this end waits for ends with its own close.
pub async fn a_close_ends_every_wait_of_its_own_end<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let mut closer = ends.near.clone();
    let waits = waits::all(&mut ends).await;
    expect_all(waits, || closer.close(0x44, "over"), End::Local).await;
}

/// After the end every call has an answer, and changes nothing.
pub async fn a_closed_transport_answers_every_call<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let ((mut ask, mut answer), (mut reply, mut asked)) =
        begun_bi(&mut ends.near, &mut ends.far).await;
    let (mut send, recv) = begun(&mut ends.near, &mut ends.far).await;
    ends.near.close(9, "done");
    closed(&mut ends.far).await;
    ask_connection(&mut ends.near, End::Local);
    ask_connection(&mut ends.far, End::Peer);
    ask_send(&mut ask, End::Local);
    ask_send(&mut reply, End::Peer);
    ask_recv(&mut answer, End::Local);
    ask_recv(&mut asked, End::Peer);
    send.reset(2);
    drop(recv);
    // A clone that is made then is over, too.
    expect(&closed(&mut ends.near.clone()).await, End::Local, 9, "done");
    expect(&closed(&mut ends.far.clone()).await, End::Peer, 9, "done");
}

/// Two ends that close at the same time are both closed, each by one of them.
pub async fn both_ends_may_close_at_once<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    ends.near.close(1, "near");
    ends.far.close(2, "far");
    for end in [closed(&mut ends.near).await, closed(&mut ends.far).await] {
        let TransportError::Closed { code, .. } = end else {
            panic!("{end:?}")
        };
        assert!([1, 2].contains(&code), "{code}");
    }
}

/// The peer learns when the last handle and the last stream are dropped.
pub async fn the_last_drop_closes<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (send, _recv) = begun(&mut ends.near, &mut ends.far).await;
    let clone = ends.near.clone();
    drop(ends.near);
    let flag = Flag::new();
    assert!(ends.far.poll_closed(&mut flag.context()).is_pending());
    drop(send);
    drop(clone);
    let end = flag.ready("the end", |cx| ends.far.poll_closed(cx)).await;
    expect(&end, End::Peer, 0, "dropped");
}

fn expect(end: &TransportError, by: End, code: u32, reason: &str) {
    let TransportError::Closed {
        by: told,
        code: got,
        reason: words,
    } = end
    else {
        panic!("{end:?}")
    };
    assert_eq!((*told, *got, words.as_str()), (by, code, reason));
}

/// Expects that every wait is woken by the end, and fails with it.
async fn expect_all(mut waits: Vec<Wait>, close: impl FnOnce(), by: End) {
    let flags: Vec<_> = waits.iter().map(|_| Flag::new()).collect();
    for (wait, flag) in waits.iter_mut().zip(&flags) {
        assert!(
            (wait.poll)(&mut flag.context()).is_pending(),
            "{}",
            wait.name
        );
    }
    close();
    for (mut wait, flag) in waits.into_iter().zip(flags) {
        let outcome = flag.ready(wait.name, |cx| (wait.poll)(cx)).await;
        match outcome {
            Err(Failure::Connection(end)) => expect(&end, by, 0x44, "over"),
            Ok(()) if wait.name == "closed" => {}
            other => panic!("{}: {other:?}", wait.name),
        }
    }
}

fn ask_connection<T: Transport>(end: &mut T, by: End) {
    let told = |error: TransportError| expect(&error, by, 9, "done");
    for _ in 0..2 {
        told(failed(once(|cx| end.poll_accept_uni(cx))));
        told(failed(once(|cx| end.poll_accept_bi(cx))));
        told(failed(once(|cx| end.poll_open_uni(cx))));
        told(failed(once(|cx| end.poll_open_bi(cx))));
        told(failed(once(|cx| end.poll_recv_datagram(cx))));
        let Poll::Ready(error) = once(|cx| end.poll_closed(cx)) else {
            panic!("it waits for an end that has come")
        };
        told(error);
    }
    end.send_datagram(Bytes::from_static(b"late"));
    end.ping();
    end.set_stream_limit(10);
    end.set_paused_streams(10);
    end.close(CODES[1], "again");
    // They have nothing to tell any more, and tell it.
    let _ = (end.max_datagram_size(), end.heard(), end.stats());
    assert_eq!(end.info().kind, end.clone().info().kind);
}

fn ask_send<S: SendStream>(stream: &mut S, by: End) {
    for _ in 0..2 {
        let mut chunks = [Bytes::from_static(b"late")];
        match once(|cx| stream.poll_write_chunks(cx, &mut chunks)) {
            Poll::Ready(Err(SendError::Transport(error))) => expect(&error, by, 9, "done"),
            other => panic!("write: {other:?}"),
        }
        match once(|cx| stream.poll_closed(cx)) {
            Poll::Ready(Err(SendError::Transport(error))) => expect(&error, by, 9, "done"),
            other => panic!("acknowledgement: {other:?}"),
        }
    }
    stream.set_priority(1);
    stream.finish();
    stream.reset(1);
}

fn ask_recv<R: RecvStream>(stream: &mut R, by: End) {
    for _ in 0..2 {
        match once(|cx| stream.poll_read_chunk(cx)) {
            Poll::Ready(Err(RecvError::Transport(error))) => expect(&error, by, 9, "done"),
            other => panic!("read: {other:?}"),
        }
    }
    stream.stop(1);
}

fn failed<T>(outcome: Poll<Result<T, TransportError>>) -> TransportError {
    match outcome {
        Poll::Ready(Err(error)) => error,
        Poll::Ready(Ok(_)) => panic!("a call on a closed connection has succeeded"),
        Poll::Pending => panic!("a call on a closed connection waits"),
    }
}
