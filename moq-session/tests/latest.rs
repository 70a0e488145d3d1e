//! Reading only what is newest of a track.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::ends::{begun, over};
use common::for_each_version;
use common::scripts::{fed, header, send_group, settle};
use moq_session::{LatestReader, TrackRead};

async fn text(reader: &mut LatestReader) -> String {
    let next = tokio::time::timeout(std::time::Duration::from_secs(10), reader.next());
    match next.await.expect("a read") {
        Ok(Some(TrackRead::Frame { group, frame, .. })) => {
            let text = String::from_utf8(frame.payload.to_vec()).unwrap();
            format!("{group} {text}")
        }
        Ok(Some(TrackRead::Skipped { groups, .. })) => format!("no {groups:?}"),
        Ok(None) => "end".to_owned(),
        Ok(Some(other)) => panic!("{other:?}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_group_is_left_for_a_newer_one_and_older_ones_are_not_given() {
    for_each_version(|version| async move {
        let mut fed = fed(version).await;
        let mut reader = fed.reader.latest();
        let mut old = fed.peer.group(&header(fed.id, 0)).await;
        old.send_frame(0, "a").await;
        assert_eq!(text(&mut reader).await, "0 a");
        // The newest comes first, and then what it was sent before.
        send_group(&mut fed.peer, fed.id, 2, &["c", "d"]).await;
        assert!(text(&mut reader).await.starts_with("no "));
        assert_eq!(text(&mut reader).await, "2 c");
        send_group(&mut fed.peer, fed.id, 1, &["b"]).await;
        old.send_frame(1, "late").await;
        settle().await;
        assert_eq!(text(&mut reader).await, "2 d");
        send_group(&mut fed.peer, fed.id, 3, &["e"]).await;
        assert_eq!(text(&mut reader).await, "3 e");
        old.finish();
        if version.features().start_end {
            fed.control.respond(&begun(0)).await;
            let end = over(4);
            fed.control.respond(&end).await;
        }
        fed.control.finish();
        assert_eq!(text(&mut reader).await, "end");
    });
}
