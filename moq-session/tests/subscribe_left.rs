//! Publishers that leave at the end of a track, whatever its end means in the draft.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::ends::{begun, finished, is_exact, over, rest};
use common::for_each_with;
use common::scripts::{Fed, fed, header, send_group, settle};
use moq_session::{Abort, ReadError, Version};
use moq_wire::code::stream::{INTERNAL, SESSION_CLOSED};
use tokio::time::{Instant, timeout};

fn for_each_told<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.start_end, test);
}

fn lost() -> Option<ReadError> {
    Some(ReadError::Aborted(Abort::SessionClosed))
}

#[test]
fn an_end_is_passed_on_once_all_that_it_could_mean_has_arrived() {
    for_each_told(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        // Inclusive where it may be.
        if !is_exact(version) {
            send_group(&mut peer, id, 1, &["b"]).await;
        }
        settle().await;
        let before = Instant::now();
        control.respond(&over(1)).await;
        let (reads, error) = rest(&mut reader.ordered()).await;
        assert_eq!(
            (reads.len(), error),
            (2 - usize::from(is_exact(version)), None)
        );
        assert_eq!(before.elapsed(), Duration::ZERO);
        control.expect_fin().await;
    });
}

#[test]
fn a_publisher_that_leaves_with_nothing_certain_missing_has_ended_its_track() {
    for_each_told(|version| async move {
        for is_reset in [false, true] {
            let Fed {
                mut peer,
                session: _session,
                reader,
                id,
                mut control,
                ..
            } = fed(version).await;
            control.respond(&begun(0)).await;
            send_group(&mut peer, id, 0, &["a"]).await;
            send_group(&mut peer, id, 1, &["b"]).await;
            settle().await;
            control.respond(&over(2)).await;
            settle().await;
            if is_reset {
                control.reset(INTERNAL);
            } else {
                peer.vanish();
            }
            let read = timeout(Duration::from_secs(1), rest(&mut reader.ordered())).await;
            assert_eq!(read.unwrap(), finished(&["0 a", "1 b"]), "{is_reset}");
        }
    });
}

#[test]
fn a_publisher_that_leaves_with_a_group_missing_has_not() {
    for_each_told(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        send_group(&mut peer, id, 0, &["a"]).await;
        control.respond(&over(2)).await;
        settle().await;
        peer.vanish();
        let (reads, error) = rest(&mut reader.ordered()).await;
        assert_eq!((&reads[..], error), (&["0 a".to_owned()][..], lost()));
    });
}

#[test]
fn a_publisher_that_leaves_within_a_group_has_not() {
    for_each_told(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            id,
            mut control,
            ..
        } = fed(version).await;
        control.respond(&begun(0)).await;
        let mut group = peer.group(&header(id, 0)).await;
        group.send_frame(0, "a").await;
        control.respond(&over(1)).await;
        settle().await;
        peer.vanish();
        let (_, error) = rest(&mut reader.ordered()).await;
        assert_eq!(error, lost());
    });
}

#[test]
fn a_publisher_that_leaves_before_its_first_group_has_not() {
    for_each_told(|version| async move {
        let Fed {
            mut peer,
            session: _session,
            reader,
            mut control,
            ..
        } = fed(version).await;
        if is_exact(version) {
            control.respond(&begun(0)).await;
        }
        control.respond(&over(1)).await;
        settle().await;
        control.reset(SESSION_CLOSED);
        peer.vanish();
        let (reads, error) = rest(&mut reader.ordered()).await;
        assert_eq!((reads.len(), error), (0, lost()));
    });
}
