//! What a connection does besides its streams, over both bindings.

use crate::suite::support::{BINDINGS, PROTOCOL, closed, pair, server};
use moq_session::transport::{End, Transport as _, TransportError, TransportKind};

#[tokio::test]
async fn a_closed_server_ends_well() {
    for scheme in BINDINGS {
        let server = server();
        let (mut client, _accepted) = pair(&server, scheme).await;
        server.close(0x10, "going");
        let end = closed(&mut client).await;
        assert!(
            matches!(
                end,
                TransportError::Closed {
                    by: End::Peer,
                    code: 0x10,
                    ..
                }
            ),
            "{scheme} {end:?}"
        );
        assert!(server.accept().await.is_none());
        server.wait_idle().await;
    }
}

#[tokio::test]
async fn info_and_stats_describe_the_connection() {
    for (scheme, kind) in BINDINGS
        .into_iter()
        .zip([TransportKind::Quic, TransportKind::WebTransport])
    {
        let server = server();
        let (client, accepted) = pair(&server, scheme).await;
        for (info, stats) in [
            (client.info(), client.stats()),
            (accepted.info(), accepted.stats()),
        ] {
            assert_eq!(info.kind, kind);
            assert_eq!(info.protocol.as_deref(), Some(PROTOCOL));
            assert!(stats.rtt.is_some() && stats.send_rate.is_some_and(|rate| rate > 0));
        }
        assert_eq!(client.info().remote, Some(server.local_addrs()[0]));
        let path = client.info().setup_path.as_deref();
        assert_eq!(path, (!kind.has_url()).then_some("/room"));
        assert_eq!(accepted.info().setup_path, None);
    }
}
