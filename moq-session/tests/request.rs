//! What is known of a peer before it is let in, and how it is turned away.

mod common;

use common::scripts::settle;
use common::urls::WithUrl;
use common::{for_each_version, speaking};
use moq_session::testing::{Peer, memory_pair};
use moq_session::transport::TransportKind;
use moq_session::{Established, Grant, Refusal, Session};
use moq_wire::Setup;
use moq_wire::code::session::{INTERNAL, UNAUTHORIZED};

/// Each refusal with its status and the close code that comes nearest.
const REFUSALS: [(Refusal, u32, u32); 5] = [
    (Refusal::Unauthorized, 401, UNAUTHORIZED),
    (Refusal::Forbidden, 403, UNAUTHORIZED),
    (Refusal::NotFound, 404, UNAUTHORIZED),
    (Refusal::TooManyRequests, 429, INTERNAL),
    (Refusal::Unavailable, 503, INTERNAL),
];

#[test]
fn a_request_with_a_url_is_known_before_it_is_answered() {
    for_each_version(|version| async move {
        let (client, server) = memory_pair(version);
        let incoming = WithUrl::new(server, "/room?jwt=T", version);
        let request = Session::accept(incoming, speaking(version)).await.unwrap();
        assert_eq!((request.path(), request.query()), ("/room", Some("jwt=T")));
        let known = request.info().clone();
        assert_eq!(known.kind, TransportKind::WebTransport);
        assert_eq!(known.remote, Some(([192, 0, 2, 7], 4443).into()));
        assert_eq!(known.authority.as_deref(), Some("relay.example"));
        assert_eq!(known.origin.as_deref(), Some("https://page.example"));
        assert_eq!(known.fingerprint.as_deref(), Some("00ff"));

        let mut peer = Peer::new(client, version);
        let grant = Grant::everything("room".parse().unwrap());
        let setup = Setup::default();
        let (session, ()) = tokio::join!(request.accept(grant), peer.setup(&setup));
        let session = session.unwrap();
        // The connection itself knows nothing of these.
        assert_eq!(session.info().authority, known.authority);
        assert_eq!(session.info().origin, known.origin);
        assert_eq!(session.info().remote, known.remote);
    });
}

#[test]
fn a_refusal_is_a_status_where_there_is_a_url() {
    for_each_version(|version| async move {
        for (refusal, status, _) in REFUSALS {
            let (client, server) = memory_pair(version);
            let incoming = WithUrl::new(server, "/", version);
            let request = Session::accept(incoming, speaking(version)).await.unwrap();
            request.refuse(refusal).await;
            Peer::new(client, version).expect_close(status).await;
        }
    });
}

#[test]
fn a_refusal_is_the_nearest_close_code_elsewhere() {
    for_each_version(|version| async move {
        for (refusal, _, code) in REFUSALS {
            let (client, server) = memory_pair(version);
            let accept = Session::accept(Established::new(server), speaking(version));
            let mut peer = Peer::new(client, version);
            let setup = Setup::default();
            let (request, ()) = tokio::join!(accept, peer.setup(&setup));
            let request = request.unwrap();
            assert_eq!(request.info().kind, TransportKind::Memory);
            request.refuse(refusal).await;
            settle().await;
            let reason = peer.expect_close(code).await;
            assert_eq!(reason, refusal.to_string());
        }
    });
}
