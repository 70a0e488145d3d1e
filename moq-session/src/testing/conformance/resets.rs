//! How streams are abandoned by their sender.

use super::hands::{CODES, acknowledged, begun, full, once, read, read_whole, write};
use super::run::Ends;
use super::waker::Flag;
use crate::transport::{RecvError, RecvStream, SendError, SendStream as _, Transport};

/// A reset arrives with its code, whichever that is; who waits for bytes is woken.
pub async fn reset_codes_arrive_as_given<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    for code in CODES {
        let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
        let flag = Flag::new();
        assert!(recv.poll_read_chunk(&mut flag.context()).is_pending());
        send.reset(code);
        let end = flag.ready("a reset", |cx| recv.poll_read_chunk(cx)).await;
        assert!(
            matches!(end, Err(RecvError::Reset(got)) if got == code),
            "{code}: {end:?}"
        );
    }
}

/// Whoever reads on after a reset is told it again.
pub async fn a_reset_is_told_again<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    send.reset(7);
    for _ in 0..3 {
        expect_reset(&mut recv, 7).await;
    }
}

/// A reset comes though the reader has not made room for all that was written before it.
pub async fn a_reset_overtakes_what_was_written<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv, _) = full(&mut ends.near, &mut ends.far).await;
    send.reset(8);
    expect_reset(&mut recv, 8).await;
}

/// A stream that was finished and is not delivered yet can still be abandoned.
pub async fn a_reset_before_everything_has_arrived_cuts_the_stream<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    write(&mut send, &b"on its way"[..]).await;
    send.finish();
    send.reset(9);
    expect_reset(&mut recv, 9).await;
    let end = acknowledged(&mut send).await;
    assert!(matches!(end, Err(SendError::Closed)), "{end:?}");
}

/// A finished and acknowledged stream stays so.
pub async fn a_reset_after_the_acknowledgement_changes_nothing<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    write(&mut send, &b"all"[..]).await;
    send.finish();
    assert_eq!(read_whole(&mut recv).await, b"all");
    acknowledged(&mut send).await.expect("it was read");
    send.reset(5);
    acknowledged(&mut send).await.expect("it stays so");
    assert_eq!(read_whole(&mut recv).await, b"");
    begun(&mut ends.near, &mut ends.far).await;
}

/// A stream that was reset is not finished by a later call.
pub async fn an_end_after_a_reset_changes_nothing<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    send.reset(6);
    send.finish();
    expect_reset(&mut recv, 6).await;
}

/// Of two resets, the first names the code.
pub async fn the_first_reset_counts<N: Transport, F: Transport>(mut ends: Ends<N, F>) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    send.reset(1);
    send.reset(2);
    expect_reset(&mut recv, 1).await;
    send.reset(3);
    expect_reset(&mut recv, 1).await;
}

/// A stream that was reset here is closed, and never acknowledged.
pub async fn a_reset_stream_does_not_count_as_acknowledged<N: Transport, F: Transport>(
    mut ends: Ends<N, F>,
) {
    let (mut send, mut recv) = begun(&mut ends.near, &mut ends.far).await;
    assert!(once(|cx| send.poll_closed(cx)).is_pending());
    send.reset(4);
    let end = acknowledged(&mut send).await;
    assert!(matches!(end, Err(SendError::Closed)), "{end:?}");
    expect_reset(&mut recv, 4).await;
    // When the peer has it, too.
    begun(&mut ends.far, &mut ends.near).await;
    let end = acknowledged(&mut send).await;
    assert!(matches!(end, Err(SendError::Closed)), "{end:?}");
}

async fn expect_reset<R: RecvStream>(recv: &mut R, code: u32) {
    let (_, end) = read(recv).await;
    assert!(
        matches!(end, Err(RecvError::Reset(got)) if got == code),
        "{code}: {end:?}"
    );
}
