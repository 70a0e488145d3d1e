//! What a peer says in words reaches logs and terminals.

mod common;

use common::for_each_version;
use moq_session::testing::Peer;
use moq_wire::code::session::PROTOCOL_VIOLATION;

#[test]
fn the_reason_of_a_close_is_escaped_and_cut() {
    for_each_version(|version| async move {
        let (session, mut peer) = Peer::server(version).await;
        let reason = format!("\u{1b}[2J\nroot: \u{202e}ok {}", "x".repeat(900));
        peer.close(PROTOCOL_VIOLATION, &reason);
        let text = session.closed().await.to_string();
        assert!(text.contains("root: "), "{text}");
        assert!(
            text.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{text}"
        );
        assert!(text.len() < 400, "{} bytes: {text}", text.len());
    });
}
