//! Announcements that break a rule, and those that only look so.

mod common;

use common::announce::Teller;
use common::for_each_version;
use common::heard::{heard, own, raw_start};
use common::limits::enter;
use common::scripts::{asked, settle};
use moq_session::{AnnouncedEvent, Limit, Limits, OriginProducer, Version};
use moq_wire::code::session::PROTOCOL_VIOLATION;
use moq_wire::{AnnounceRequest, BiStream};

// spec: Section 6.3, "repeated non-zero hop; more than 32 hops"
#[test]
fn an_impossible_chain_closes_the_session() {
    for_each_version(|version| async move {
        let features = version.features();
        let long = features.hops.has_count().then(|| (1..=33).collect());
        let repeated = features.hops.has_ids().then(|| vec![4, 5, 4]);
        for chain in [long, repeated].into_iter().flatten() {
            let mut heard = heard(version, 0).await;
            let message = raw_start(version, "a", &chain);
            heard.teller.stream.send_bytes(message).await;
            heard.peer.expect_close(PROTOCOL_VIOLATION).await;
        }
    });
}

/// Messages after a live announcement of `a`, and whether the session survives them.
fn cases(version: Version) -> Vec<(&'static str, Vec<u8>, bool)> {
    let features = version.features();
    let mut again = vec![(
        "a second start",
        raw_start(version, "a", &[]).to_vec(),
        features.announce_replace,
    )];
    if features.typed_announce {
        let update: &[u8] = if features.announce_compression {
            &[2, 6, 9, 0, 0, 0, 0, 0]
        } else {
            &[2, 4, 9, 0, 0, 0]
        };
        again.extend([
            ("an end of an unknown id", vec![1, 1, 9], false),
            ("an update of an unknown id", update.to_vec(), false),
            ("an unknown type", vec![9, 2, 1, 1], true),
            ("a trailing byte", vec![1, 2, 0, 0], false),
        ]);
        return again;
    }
    let hops: &[u8] = if features.hops.has_count() { &[0] } else { &[] };
    let message = |status, suffix, rest: &[u8]| {
        let body = [&[status, 1, suffix], hops, rest].concat();
        [
            &[u8::try_from(body.len()).expect("a short body")],
            &body[..],
        ]
        .concat()
    };
    again.extend([
        ("an end of what is not live", message(0, b'z', &[]), true),
        ("an unknown status", message(7, b'z', &[]), false),
        (
            "a restart",
            message(2, b'a', &[]),
            features.announce_restart,
        ),
        ("a trailing byte", message(0, b'a', &[0]), false),
    ]);
    again
}

// spec: Section 6.3, "second START (or `active` on 03, 04) for a live suffix"
// spec: Section 6.3, "second `active` on 05"
// spec: Section 6.3, "second `active` on 01, 02"
// spec: Section 6.3, "`ended` for a path that is not live (01–05)"
// spec: Section 6.3, "END or UPDATE of an unknown or retired id"
// spec: Section 6.3, "unknown announce type (06+)"
// spec: Section 6.3, "unknown status (01–05); status 2 below 05"
// spec: Section 6.3, "trailing byte in an announce message"
#[test]
fn contradictions_close_the_session_and_novelties_do_not() {
    for_each_version(|version| async move {
        for (what, bytes, is_survived) in cases(version) {
            eprintln!("{what}");
            let mut heard = heard(version, 0).await;
            heard.teller.tell(&own(version, "a")).await;
            assert_eq!(heard.started().await, "a");
            heard.teller.stream.send_bytes(bytes).await;
            if is_survived {
                heard.teller.tell(&own(version, "b")).await;
                while heard.session.is_open() {
                    if matches!(heard.next().await, AnnouncedEvent::Start(path, _) if path.as_str() == "b")
                    {
                        break;
                    }
                }
                assert!(heard.session.is_open());
            } else {
                heard.peer.expect_close(PROTOCOL_VIOLATION).await;
            }
        }
    });
}

// spec: Section 6.3, "anything before ANNOUNCE_OK (05+), or a second one"
#[test]
fn what_comes_before_the_count_closes_the_session() {
    for_each_version(|version| async move {
        if !version.features().announce_ok {
            return;
        }
        // The count a second time, and something else in its place.
        for bytes in [&[2, 1, 0, 2, 1, 0][..], &[0, 5, 1, b'a', 0, 0, 0]] {
            let (_session, mut peer) = asked(version, &OriginProducer::new()).await;
            let mut stream = peer.expect_bi(BiStream::Announce).await;
            stream.send_bytes(bytes).await;
            peer.expect_close(PROTOCOL_VIOLATION).await;
        }
    });
}

// spec: Section 3.3, "First ANNOUNCE_INIT, then ANNOUNCE messages for changes"
#[test]
fn a_malformed_list_closes_the_session() {
    for_each_version(|version| async move {
        if !version.features().announce_init {
            return;
        }
        let cases: [(&[u8], bool); 4] = [
            (&[3, 0, 1, b'a'], false),
            (&[2, 2, 9], false),
            (&[2, 1, 2], false),
            (&[6, 2, 1, b'a'], true),
        ];
        for (bytes, is_cut) in cases {
            let (session, mut peer) = asked(version, &OriginProducer::new()).await;
            let (_, mut stream): (AnnounceRequest, _) =
                peer.expect_request(BiStream::Announce).await;
            stream.send_bytes(bytes).await;
            if is_cut {
                settle().await;
                assert!(session.is_open());
                stream.finish();
            }
            peer.expect_close(PROTOCOL_VIOLATION).await;
        }
    });
}

// spec: Section 6.3, "more announcements than you can hold"
#[test]
fn a_client_announces_as_much_as_is_allowed() {
    for_each_version(|version| async move {
        let origin = OriginProducer::new();
        let (mut peer, session) = enter(version, &origin, Limits::default()).await;
        let stream = peer.expect_bi(BiStream::Announce).await;
        let mut teller = Teller::new(stream, 9, 0).await;
        for n in 0..4_096 {
            teller.tell(&own(version, &format!("room/{n}"))).await;
        }
        peer.expect_alive().await;
        teller.tell(&own(version, "one/more")).await;
        peer.expect_close(64 + 0x30).await;
        assert_eq!(session.reached(Limit::Announces), 1);
    });
}
