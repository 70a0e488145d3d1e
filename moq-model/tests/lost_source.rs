//! What becomes of tracks whose source is given up while others may lead to the same path.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use moq_model::session::{Request, RequestQueue, RequestSource, TrackFeed};
use moq_model::{
    Abort, BroadcastPath, Budget, GroupEnd, GroupRead, ReadError, Subscription, TrackInfo,
    WriteError,
};

fn path(text: &str) -> BroadcastPath {
    text.parse().unwrap()
}

/// The next track that is asked for.
fn asked(requests: &mut RequestQueue) -> TrackFeed {
    match requests.poll_next(&Context::from_waker(Waker::noop())) {
        Poll::Ready(Request::Track(request)) => request.track,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_lost_for_a_path_ends_its_tracks_and_the_groups_in_them() {
    let (source, mut requests) = RequestSource::new(Budget::default().feeder());
    let open = |at: &str| {
        source
            .track(&path(at), "t")
            .subscribe(Subscription::default())
    };
    let mut readers = ["lost", "kept"].map(open);
    let feeds = [(); 2].map(|()| asked(&mut requests));
    let mut groups = Vec::new();
    for feed in &feeds {
        feed.accept(TrackInfo::default());
        feed.set_start(0);
        let mut group = feed.create(0).unwrap();
        group.append_at(0, "x").unwrap();
        groups.push(group);
    }
    source.lose(Abort::SessionClosed, |path| path.as_str() == "lost");
    assert!(feeds[0].is_closed() && !feeds[1].is_closed());
    let lost = GroupEnd::Aborted(Abort::SessionClosed);
    for (reader, end) in readers.iter_mut().zip([Some(lost), None]) {
        let mut group = reader.next_group().await.unwrap().unwrap();
        assert!(matches!(group.next().await, GroupRead::Frame(_)));
        let next = tokio::time::timeout(Duration::ZERO, group.next());
        let ended = next.await.ok().map(|next| match next {
            GroupRead::End(end) => end,
            other => panic!("{other:?}"),
        });
        assert_eq!(ended, end);
    }
    let next = readers[0].next_group().await;
    assert_eq!(next.unwrap_err(), ReadError::Aborted(Abort::SessionClosed));
    assert_eq!(groups[0].append_at(1, "y"), Err(WriteError::Closed));
    // Whoever comes later has the source asked anew.
    let _again = open("lost");
    assert!(!asked(&mut requests).is_closed());
}
