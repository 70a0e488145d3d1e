//! How streams are abandoned by their receiver.

use std::task::Poll;

use super::hands::{CODES, acknowledged, begun, begun_bi, once, read_whole, write};
use super::run::Ends;
use super::waker::Flag;
use crate::transport::{RecvError, RecvStream as _, SendError, SendStream as _, Transport};

/// A stop arrives with its code, whichever that is; who waits for the acknowledgement is woken.
pub async fn stop_codes_arrive_as_given<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for code in CODES {
        let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
        let flag = Flag::new();
        assert!(send.poll_closed(&mut flag.context()).is_pending());
        recv.stop(code);
        let end = flag.ready("a stop", |cx| send.poll_closed(cx)).await;
        assert!(
            matches!(end, Err(SendError::Stopped(got)) if got == code),
            "{code}: {end:?}"
        );
        let end = acknowledged(&mut send).await;
        assert!(
            matches!(end, Err(SendError::Stopped(got)) if got == code),
            "{code} again: {end:?}"
        );
    }
}

/// Nothing is read after a stop, neither what had arrived nor an end.
pub async fn nothing_is_read_after_a_stop<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for is_finished in [false, true] {
        let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
        write(&mut send, &b"unread"[..]).await;
        if is_finished {
            send.finish();
        }
        begun(&mut ends.far, &mut ends.near).await;
        recv.stop(1);
        for _ in 0..2 {
            let end = once(|cx| recv.poll_read_chunk(cx));
            assert!(
                matches!(end, Poll::Ready(Err(RecvError::Closed))),
                "finished: {is_finished}: {end:?}"
            );
        }
    }
}

/// Of two stops, the first names the code.
pub async fn the_first_stop_counts<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
    recv.stop(1);
    recv.stop(2);
    let end = acknowledged(&mut send).await;
    assert!(matches!(end, Err(SendError::Stopped(1))), "{end:?}");
}

/// A stream that was read to its end is over, and a stop comes too late.
pub async fn a_stop_after_the_end_was_read_changes_nothing<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
    write(&mut send, &b"all"[..]).await;
    send.finish();
    assert_eq!(read_whole(&mut recv).await, b"all");
    recv.stop(5);
    acknowledged(&mut send).await.expect("it was read");
    begun(&mut ends.far, &mut ends.near).await;
}

/// A stream that was finished and not read is stopped or acknowledged, and not left open.
pub async fn a_stop_after_the_end_was_sent_ends_the_wait<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
    write(&mut send, &b"unread"[..]).await;
    send.finish();
    begun(&mut ends.far, &mut ends.near).await;
    recv.stop(5);
    let end = acknowledged(&mut send).await;
    assert!(
        matches!(end, Ok(()) | Err(SendError::Stopped(5))),
        "{end:?}"
    );
}

/// A stream that the peer has stopped may still be finished, reset and dropped.
pub async fn a_stopped_stream_may_be_ended<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for way in 0..4 {
        let (mut send, mut recv) = begun(&mut ends.far, &mut ends.near).await;
        recv.stop(3);
        let end = acknowledged(&mut send).await;
        assert!(matches!(end, Err(SendError::Stopped(3))), "{end:?}");
        send.set_priority(1);
        match way {
            0 => send.finish(),
            1 => send.reset(1),
            2 => {
                send.finish();
                send.reset(1);
            }
            _ => {}
        }
        drop(send);
        begun(&mut ends.far, &mut ends.near).await;
    }
}

/// A stop ends one direction of a bidirectional stream.
pub async fn a_stop_leaves_the_other_half<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let ((mut ask, mut answer), (mut reply, mut asked)) =
        begun_bi(&mut ends.near, &mut ends.far).await;
    answer.stop(2);
    let end = acknowledged(&mut reply).await;
    assert!(matches!(end, Err(SendError::Stopped(2))), "{end:?}");
    write(&mut ask, &b"goes on"[..]).await;
    ask.finish();
    assert_eq!(read_whole(&mut asked).await, b"goes on");
    acknowledged(&mut ask).await.expect("it was read");
}
