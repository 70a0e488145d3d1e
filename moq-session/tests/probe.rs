//! What could be sent: reported, and asked for.

mod common;

use std::time::Duration;

use common::limits::{around, beyond_three, enter, is_late, reached, three_at_once};
use common::scripts::{A_WHILE, settle};
use common::{for_each_with, speaking};
use moq_session::testing::{self, MemoryConnection, Peer, Script, memory_pair};
use moq_session::{Bandwidth, Limit, Limits, OriginProducer, Session, Version};
use moq_wire::code::stream::{CANCELLED, INTERNAL};
use moq_wire::{BiStream, Probe, ProbeLevel, Setup, UniStream};

const MS: Duration = Duration::from_millis(1);

fn for_each_probing<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.probe.exists(), test);
}

/// A relay that measures this, its end of the connection, and a peer in a client's place.
async fn relay(
    version: Version,
    measured: (Option<u64>, Option<Duration>),
) -> (Peer, MemoryConnection, Session) {
    let (client, server) = memory_pair(version);
    server.measure(measured.0, measured.1);
    let mut peer = Peer::new(client, version);
    let origin = OriginProducer::new();
    let setup = Setup::default();
    let accept = testing::accept(server.clone(), &origin);
    let (session, ()) = tokio::join!(accept, peer.setup(&setup));
    (peer, server, session.expect("the peer is let in"))
}

async fn expect_report(stream: &mut Script, bitrate: u64, rtt: u64) {
    let has_rtt = stream.version().features().probe.has_rtt();
    let expected = Probe {
        bitrate: Some(bitrate).filter(|rate| *rate > 0),
        rtt: Some(MS * u32::try_from(rtt).expect("a short time"))
            .filter(|rtt| has_rtt && !rtt.is_zero()),
    };
    assert_eq!(stream.expect::<Probe>().await, expected);
}

async fn own_setup(peer: &mut Peer) -> Setup {
    peer.expect_uni(UniStream::Setup).await.expect().await
}

// spec: Section 3.10, "Deployed reporting"
#[test]
fn estimates_are_reported_as_they_change() {
    for_each_probing(|version| async move {
        let measured = (Some(2_500_000), Some(25 * MS));
        let (mut peer, connection, _session) = relay(version, measured).await;
        if version.features().setup_stream {
            assert_eq!(own_setup(&mut peer).await.probe, ProbeLevel::Report);
        }
        let mut stream = peer.open_bi(BiStream::Probe).await;
        expect_report(&mut stream, 2_500_000, 25).await;
        connection.measure(Some(2_600_000), Some(26 * MS));
        stream.expect_silence(Duration::from_secs(3)).await;
        connection.measure(Some(5_000_000), Some(25 * MS));
        expect_report(&mut stream, 5_000_000, 25).await;
        let before = tokio::time::Instant::now();
        expect_report(&mut stream, 5_000_000, 25).await;
        assert_eq!(before.elapsed(), Duration::from_secs(10));
        connection.measure(None, Some(60 * MS));
        expect_report(&mut stream, 0, 60).await;
        if version.features().probe.has_rtt() {
            expect_report(&mut stream, 0, 60).await;
        } else {
            stream.expect_silence(Duration::from_secs(30)).await;
        }
        connection.measure(Some(0), None);
        expect_report(&mut stream, 1, 0).await;
    });
}

// spec: Section 6.5, "PROBE from the requester"
#[test]
fn what_the_requester_sends_is_read_and_ignored() {
    for_each_probing(|version| async move {
        let measured = (Some(1_000_000), Some(40 * MS));
        let (mut peer, _connection, _session) = relay(version, measured).await;
        let mut stream = peer.open_bi(BiStream::Probe).await;
        stream.send_bytes([5, 0x80, 0x4c, 0x4b, 0x40, 0]).await;
        expect_report(&mut stream, 1_000_000, 40).await;
        stream.send_bytes([1]).await;
        expect_report(&mut stream, 1_000_000, 40).await;
        stream.finish();
        stream.expect_fin().await;
        peer.expect_alive().await;
    });
}

#[test]
fn reports_end_with_the_request() {
    for_each_probing(|version| async move {
        let measured = (Some(1_000_000), Some(40 * MS));
        let (mut peer, _connection, _session) = relay(version, measured).await;
        let mut stream = peer.open_bi(BiStream::Probe).await;
        expect_report(&mut stream, 1_000_000, 40).await;
        stream.reset(CANCELLED);
        stream.expect_reset(CANCELLED).await;
    });
}

// spec: Section 6.5, "Probe stream although you advertised 0"
// spec: Section 6.5, "03/04 peer that opens Probe at once"
#[test]
fn who_measures_nothing_refuses_or_keeps_silent() {
    for_each_probing(|version| async move {
        let (mut peer, _connection, _session) = relay(version, (None, None)).await;
        let mut stream = peer.open_bi(BiStream::Probe).await;
        if version.features().setup_stream {
            assert_eq!(own_setup(&mut peer).await.probe, ProbeLevel::None);
            stream.expect_reset(CANCELLED).await;
            return;
        }
        stream.send_bytes([2, 0, 0]).await;
        stream.expect_silence(Duration::from_secs(30)).await;
        stream.finish();
        stream.expect_fin().await;
    });
}

/// A session with a peer that says this of itself.
async fn asking(version: Version, probe: ProbeLevel) -> (Session, Peer) {
    let (client, server) = memory_pair(version);
    let mut peer = Peer::new(server, version);
    let session = Session::connect_with(client, speaking(version)).await;
    let setup = Setup {
        probe,
        ..Setup::default()
    };
    peer.setup(&setup).await;
    (session.expect("the version is a supported one"), peer)
}

fn bandwidth(rate: Option<u64>, rtt: Option<Duration>) -> Bandwidth {
    let mut bandwidth = Bandwidth::default();
    bandwidth.bits_per_second = rate;
    bandwidth.rtt = rtt;
    bandwidth
}

// spec: Section 3.10, "Open one only if the peer's SETUP says Probe"
#[test]
fn a_peer_is_asked_while_somebody_wants_to_know() {
    for_each_probing(|version| async move {
        let (session, mut peer) = asking(version, ProbeLevel::Report).await;
        peer.expect_no_bi(BiStream::Probe, A_WHILE).await;
        let mut known = session.bandwidth();
        let mut other = session.bandwidth();
        let mut stream = peer.expect_bi(BiStream::Probe).await;
        stream.expect_silence(A_WHILE).await;
        assert_eq!(*known.borrow_and_update(), Bandwidth::default());
        let rtt = version.features().probe.has_rtt().then_some(25 * MS);
        let report = Probe {
            bitrate: Some(2_500_000),
            rtt,
        };
        stream.send(&report).await;
        known.changed().await.expect("the session is open");
        assert_eq!(*known.borrow(), bandwidth(Some(2_500_000), rtt));
        stream.send(&Probe::default()).await;
        known.changed().await.expect("the session is open");
        assert_eq!(*known.borrow(), Bandwidth::default());

        drop(known);
        stream.expect_silence(A_WHILE).await;
        other.borrow_and_update();
        drop(other);
        stream.expect_reset(CANCELLED).await;
        stream.expect_stop(INTERNAL).await;
        peer.expect_no_bi(BiStream::Probe, A_WHILE).await;
        let _again = session.bandwidth();
        peer.expect_bi(BiStream::Probe).await;
        assert!(session.is_open());
    });
}

#[test]
fn a_peer_that_stops_reporting_leaves_the_bandwidth_unknown() {
    for_each_probing(|version| async move {
        for is_reset in [true, false] {
            let (session, mut peer) = asking(version, ProbeLevel::Increase).await;
            let mut known = session.bandwidth();
            let mut stream = peer.expect_bi(BiStream::Probe).await;
            let report = Probe {
                bitrate: Some(1),
                rtt: None,
            };
            stream.send(&report).await;
            known.changed().await.expect("the session is open");
            if is_reset {
                stream.reset(CANCELLED);
            } else {
                stream.send_bytes([9]).await;
                stream.finish();
            }
            known.changed().await.expect("the session is open");
            assert_eq!(*known.borrow(), Bandwidth::default());
            assert!(session.is_open());
        }
    });
}

// spec: Section 3.10, "Open one only if the peer's SETUP says Probe"
#[test]
fn a_peer_that_measures_nothing_is_not_asked() {
    for_each_probing(|version| async move {
        if version.features().setup_stream {
            let (session, mut peer) = asking(version, ProbeLevel::None).await;
            let known = session.bandwidth();
            peer.expect_no_bi(BiStream::Probe, A_WHILE).await;
            assert_eq!(*known.borrow(), Bandwidth::default());
        }
    });
}

#[test]
fn a_relay_tells_its_client() {
    for_each_probing(|version| async move {
        let (client, server) = memory_pair(version);
        server.measure(Some(7_000_000), Some(12 * MS));
        let origin = OriginProducer::new();
        let (session, _relay) = tokio::join!(
            Session::connect_with(client, speaking(version)),
            testing::accept(server, &origin)
        );
        let session = session.expect("the version is a supported one");
        let mut known = session.bandwidth();
        known.changed().await.expect("the session is open");
        settle().await;
        let rtt = version.features().probe.has_rtt().then_some(12 * MS);
        assert_eq!(*known.borrow(), bandwidth(Some(7_000_000), rtt));
    });
}

#[test]
fn requests_for_estimates_that_end_at_once_make_the_next_one_wait() {
    for_each_probing(|version| async move {
        for (count, is_over) in around(3) {
            let mut limits = Limits::default();
            limits.resets = three_at_once();
            let (mut peer, session) = enter(version, &OriginProducer::new(), limits).await;
            for n in 0..count {
                let mut stream = peer.open_bi(BiStream::Probe).await;
                if n % 2 == 0 {
                    stream.finish();
                    stream.expect_drained().await;
                } else {
                    stream.reset(CANCELLED);
                    stream.expect_reset(CANCELLED).await;
                }
            }
            assert_eq!(is_late(&mut peer).await, is_over);
            reached(&session, Limit::Resets, beyond_three(count));
        }
    });
}
