//! Nothing waits for ever: streams and requests that are never completed.

mod common;

use std::time::Duration;

use common::for_each_version;
use common::scripts::{enter, kinds, settle};
use moq_session::OriginProducer;
use moq_wire::code::stream::CONTROL_TIMEOUT;

#[test]
fn a_stream_that_does_not_say_what_it_is_for_is_given_up() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        let before = tokio::time::Instant::now();
        let (mut uni, mut bi) = (peer.open_raw_uni().await, peer.open_raw_bi().await);
        uni.send_bytes([HALF_A_TYPE]).await;
        uni.expect_stop(CONTROL_TIMEOUT).await;
        bi.expect_reset(CONTROL_TIMEOUT).await;
        assert_eq!(before.elapsed(), Duration::from_secs(5));
    });
}

/// The first byte of a longer number, in either form.
const HALF_A_TYPE: u8 = 0x80;

#[test]
fn sixty_four_streams_may_keep_silent_about_their_type() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        settle().await;
        let mut silent = Vec::new();
        for _ in 0..63 {
            silent.push(peer.open_raw_bi().await);
        }
        peer.expect_alive().await;
        silent.push(peer.open_raw_bi().await);
        let before = tokio::time::Instant::now();
        peer.expect_alive().await;
        assert_eq!(before.elapsed(), Duration::from_secs(5), "the 65th waits");
    });
}

#[test]
fn a_request_that_is_never_completed_is_given_up() {
    for_each_version(|version| async move {
        let (mut peer, _session) = enter(version, &OriginProducer::new()).await;
        let before = tokio::time::Instant::now();
        let mut streams = Vec::new();
        for kind in kinds(version) {
            let mut stream = peer.open_bi(kind).await;
            stream.send_bytes([9]).await;
            streams.push(stream);
        }
        for mut stream in streams {
            stream.expect_reset(CONTROL_TIMEOUT).await;
        }
        assert_eq!(before.elapsed(), Duration::from_secs(10));
    });
}
