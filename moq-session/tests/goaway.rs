//! Leaving: asked of the peer, and by it.

mod common;

use std::time::Duration;

use common::ends::begun;
use common::fetch::wish;
use common::heard::{heard, own};
use common::live::live;
use common::scripts::{
    A_WHILE, accept_track, announce_request, asked, enter, header, settle, subscribe,
};
use common::{for_each_version, for_each_with, pair};
use moq_session::testing::Peer;
use moq_session::{
    Abort, AnnouncedEvent, Fetch, FetchError, GoawayError, OriginProducer, ReadError, Subscription,
    Version,
};
use moq_wire::code::stream::{CANCELLED, GOING_AWAY, INTERNAL};
use moq_wire::{BiStream, Goaway, code};
use tokio::time::{Instant, timeout};

const URI: &str = "https://relay2.example/room?jwt=x";
/// A cost beyond which there is none.
const LAST_RESORT: u64 = (1 << 62) - 1;
const SECOND: Duration = Duration::from_secs(1);

fn for_each_leaving<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.goaway, test);
}

fn goaway(uri: &str) -> Goaway {
    let uri = uri.to_owned();
    Goaway { uri }
}

// spec: Section 3.11, "Either end opens a bidirectional stream with type 0x5, sends GOAWAY, and FINs"
// spec: Section 3.11, "closes the session with 0x10 when it runs out"
// spec: Section 6.2, "request after own GOAWAY"
#[test]
fn a_peer_that_stays_is_served_until_the_deadline() {
    for_each_leaving(|version| async move {
        let mut live = live(version).await;
        let before = Instant::now();
        live.session.goaway(URI, 30 * SECOND).unwrap();
        live.session.goaway("", SECOND).unwrap();
        let mut stream = live.peer.expect_bi(BiStream::Goaway).await;
        assert_eq!(stream.expect::<Goaway>().await, goaway(URI));
        stream.expect_fin().await;
        stream.expect_stop(INTERNAL).await;

        let _control = live.subscribe(&subscribe(version, 0, "room", "data")).await;
        live.group(1);
        live.expect_groups([0]).await;
        if version.features().fetch {
            let mut fetched = live.peer.request(BiStream::Fetch, &wish(0)).await;
            fetched.expect_frame().await;
        }
        let reason = live.peer.expect_close(code::session::GOAWAY_TIMEOUT).await;
        assert_eq!(reason, "goaway timeout");
        assert_eq!(before.elapsed(), 30 * SECOND);
    });
}

#[test]
fn the_session_is_closed_once_the_peer_has_left() {
    for_each_leaving(|version| async move {
        let (mut peer, session) = enter(version, &OriginProducer::new()).await;
        let mut announced = peer
            .request(BiStream::Announce, &announce_request(""))
            .await;
        settle().await;
        session.goaway("", 60 * SECOND).unwrap();
        let mut stream = peer.expect_bi(BiStream::Goaway).await;
        assert_eq!(stream.expect::<Goaway>().await, goaway(""));
        stream.expect_fin().await;
        tokio::time::sleep(20 * SECOND).await;
        assert!(session.is_open(), "the peer still listens");
        announced.finish();
        peer.expect_close(code::session::NO_ERROR).await;
    });
}

#[test]
fn a_publisher_has_left_when_it_announces_nothing_any_more() {
    for_each_leaving(|version| async move {
        let mut heard = heard(version, 1).await;
        heard.teller.tell(&own(version, "room")).await;
        heard.started().await;
        heard.session.goaway("", 60 * SECOND).unwrap();
        heard.peer.expect_bi(BiStream::Goaway).await;
        tokio::time::sleep(20 * SECOND).await;
        assert!(heard.session.is_open());
        heard.teller.stream.finish();
        heard.peer.expect_close(code::session::NO_ERROR).await;
    });
}

// spec: Section 3.11, "On 01–03 there is no such message"
#[test]
fn what_can_not_be_sent_is_refused() {
    for_each_version(|version| async move {
        let pair = pair(version).await;
        if !version.features().goaway {
            let error = pair.client.goaway("", SECOND).unwrap_err();
            assert_eq!(error, GoawayError::NotInVersion(version));
            return;
        }
        let long = "x".repeat(8_193);
        let error = pair.client.goaway(&long, SECOND).unwrap_err();
        assert_eq!(error, GoawayError::TooLong);
        let mut asked = pair.server.going_away();
        pair.client.goaway(&long[..8_192], Duration::MAX).unwrap();
        let uri = asked.wait_for(Option::is_some).await.unwrap().clone();
        assert_eq!(uri.map(|uri| uri.len()), Some(8_192));
        tokio::time::sleep(SECOND).await;
        assert!(pair.client.is_open());
    });
}

// spec: Section 3.11, "A URI from a client is accepted by deployed servers"
// spec: Section 3.11, "An oversized or malformed GOAWAY resets that stream with 1 and is otherwise ignored"
#[test]
fn the_application_learns_where_to_go() {
    for_each_leaving(|version| async move {
        let (mut peer, session) = enter(version, &OriginProducer::new()).await;
        let mut asked = session.going_away();
        for body in [&[0x60, 3, 0x60, 1][..], &[2, 9, 9], &[2, 1, 0xff]] {
            let mut malformed = peer.open_bi(BiStream::Goaway).await;
            malformed.send_bytes(body).await;
            malformed.send_bytes(vec![b'a'; 8_193]).await;
            malformed.finish();
            malformed.expect_reset(CANCELLED).await;
        }
        assert_eq!(*asked.borrow_and_update(), None);
        let mut stream = peer.request(BiStream::Goaway, &goaway(URI)).await;
        stream.finish();
        stream.expect_reset(CANCELLED).await;
        asked.changed().await.unwrap();
        assert_eq!(asked.borrow().as_deref(), Some(URI));
        peer.expect_alive().await;
    });
}

async fn ask_to_leave(peer: &mut Peer) {
    let mut stream = peer.request(BiStream::Goaway, &goaway("")).await;
    stream.expect_reset(CANCELLED).await;
}

// spec: Section 3.11, "From then on the receiver opens no new requests on this session"
#[test]
fn a_peer_that_leaves_is_asked_for_nothing_new() {
    for_each_leaving(|version| async move {
        let (session, mut peer) = asked(version, &OriginProducer::new()).await;
        let _announce = peer.expect_bi(BiStream::Announce).await;
        let held = session.track("room", "data").unwrap();
        let mut reader = held.subscribe(Subscription::default());
        let (id, mut control) = accept_track(&mut peer).await;
        ask_to_leave(&mut peer).await;

        let other = session.track("room", "other").unwrap();
        let refused = ReadError::Aborted(Abort::Other(GOING_AWAY));
        assert_eq!(other.info().await, Err(refused));
        if version.features().fetch {
            let mut fetched = held.fetch(Fetch::new(7)).await.unwrap();
            let end = moq_session::GroupRead::End(moq_session::GroupEnd::Aborted(Abort::Other(
                GOING_AWAY,
            )));
            assert_eq!(fetched.next().await, end);
            let none = session.fetch("hall", "data", Fetch::new(7)).await;
            assert!(matches!(none, Err(FetchError::Track(error)) if error == refused));
        }
        let _bandwidth = session.bandwidth();
        for kind in [
            BiStream::Track,
            BiStream::Subscribe,
            BiStream::Fetch,
            BiStream::Probe,
        ] {
            peer.expect_no_bi(kind, A_WHILE).await;
        }

        control.respond(&begun(3)).await;
        let mut live = peer.group(&header(id, 3)).await;
        live.send_frame(1, "goes on").await;
        let group = timeout(SECOND, reader.next_group()).await.unwrap();
        assert_eq!(group.unwrap().unwrap().sequence(), 3);
    });
}

// spec: Section 3.11, "treat every route learned over that session as maximally expensive"
#[test]
fn routes_of_a_peer_that_leaves_are_the_last_resort() {
    for_each_leaving(|version| async move {
        let mut heard = heard(version, 1).await;
        heard.teller.tell(&own(version, "room")).await;
        heard.started().await;
        ask_to_leave(&mut heard.peer).await;
        let AnnouncedEvent::Update(_, route) = changed(&mut heard).await else {
            panic!("the route changes")
        };
        assert_eq!(
            (route.warm_cost, route.cold_cost),
            (LAST_RESORT, LAST_RESORT)
        );
        heard.teller.tell(&own(version, "hall")).await;
        let AnnouncedEvent::Start(_, route) = changed(&mut heard).await else {
            panic!("a further route")
        };
        assert_eq!(
            (route.warm_cost, route.cold_cost),
            (LAST_RESORT, LAST_RESORT)
        );

        let broadcast = moq_session::BroadcastProducer::new();
        let room = "room".parse().unwrap();
        let _own = heard.origin.publish(&room, broadcast.consume());
        let AnnouncedEvent::Update(_, route) = changed(&mut heard).await else {
            panic!("a better route")
        };
        assert!(route.hops.is_empty());
        assert_eq!(heard.session.goaway("", SECOND), Ok(()));
    });
}

async fn changed(heard: &mut common::heard::Heard) -> AnnouncedEvent {
    loop {
        match heard.next().await {
            AnnouncedEvent::Live => {}
            event => return event,
        }
    }
}
