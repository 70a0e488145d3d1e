//! Connections that have no room for a while, and those that are gone.

mod common;

use std::time::Duration;

use common::announce::tell;
use common::ends::{begun, over, rest};
use common::scripts::{Fed, accept_track, enter, fed, header, send_group, settle};
use common::{for_each_version, for_each_with};
use moq_session::testing::Peer;
use moq_session::transport::TransportError;
use moq_session::{
    Abort, AnnouncedEvent, BroadcastPath, OriginProducer, ReadError, SessionError, Subscription,
};
use moq_wire::BiStream;

// spec: Section 6.1, "opening more streams than the peer allows"
#[test]
fn a_request_waits_for_room_for_its_stream() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        settle().await;
        peer.allow_streams(0);
        let track = session.track("room", "data").unwrap();
        let _reader = track.subscribe(Subscription::default());
        let kind = match version.features().track_stream {
            true => BiStream::Track,
            false => BiStream::Subscribe,
        };
        peer.expect_no_bi(kind, Duration::from_secs(5)).await;
        assert!(session.is_open());
        peer.allow_streams(128);
        let (id, mut control) = accept_track(&mut peer).await;
        assert_eq!(id, 0);
        control.expect_silence(Duration::from_millis(1)).await;
    });
}

// spec: Section 6.1, "transport idle or lost"
#[test]
fn a_lost_connection_fails_what_it_carried() {
    for_each_version(|version| async move {
        let Fed {
            mut peer,
            session,
            reader,
            id,
            mut control,
        } = fed(version).await;
        control.respond(&begun(0)).await;
        let mut group = peer.group(&header(id, 0)).await;
        group.send_frame(0, "a").await;
        settle().await;
        peer.vanish();
        let (reads, end) = rest(&mut reader.ordered()).await;
        assert_eq!(reads, ["0 a"]);
        assert_eq!(end, Some(ReadError::Aborted(Abort::SessionClosed)));
        let error = session.closed().await;
        let is_lost = matches!(error, SessionError::Transport(TransportError::TimedOut));
        assert!(is_lost, "{error}");
    });
}

// spec: Section 6.1, "transport idle or lost"
#[test]
fn a_lost_connection_takes_its_announcements_along() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, _session) = enter(version, &origin).await;
        let mut announced = origin.consume().announced(&BroadcastPath::root());
        let mut stream = peer.expect_bi(BiStream::Announce).await;
        tell(&mut stream, 9, &["room"]).await;
        while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
        settle().await;
        peer.vanish();
        loop {
            match announced.next().await {
                AnnouncedEvent::Live => {}
                AnnouncedEvent::End(path) => break assert_eq!(path.as_str(), "room"),
                other => panic!("{other:?}"),
            }
        }
    });
}

// spec: Section 6.1, "transport idle or lost"
#[test]
fn what_was_settled_outlives_the_session() {
    for_each_with(
        |features| features.start_end,
        |version| async move {
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
            control.respond(&over(2)).await;
            control.finish();
            // An end may be the last group's number instead, which takes a moment to rule out.
            tokio::time::sleep(Duration::from_secs(1)).await;
            peer.vanish();
            settle().await;
            let (reads, end) = rest(&mut reader.ordered()).await;
            assert_eq!(reads, ["0 a", "1 b"]);
            assert_eq!(end, None);
        },
    );
}
