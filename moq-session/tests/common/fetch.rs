//! Fetching groups, from either side.

use std::time::Duration;

use moq_session::testing::{Peer, Script};
use moq_session::{Fetch, GroupConsumer, GroupEnd, GroupProducer, GroupRead, Session, Version};
use moq_wire::{BiStream, GroupSequence};

use super::for_each_with;
use super::live::{Live, live};
use super::scripts::{answer_track, path};

pub fn for_each_fetching<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for_each_with(|features| features.fetch, test);
}

pub fn wish(group: u64) -> moq_wire::Fetch {
    moq_wire::Fetch {
        broadcast: path("room"),
        track: "data".to_owned(),
        priority: 0,
        group: GroupSequence(group),
        frame_start: 0,
        frame_last: None,
    }
}

/// A relay with a group 0 of the frames `f0` at 100 and `f1` at 150, and a group 1 that grows.
pub async fn stage(version: Version) -> (Live, GroupProducer) {
    let live = live(version).await;
    let mut group = live.track.append().unwrap();
    group.append_at(100, "f0").unwrap();
    group.append_at(150, "f1").unwrap();
    group.finish();
    let mut growing = live.track.append().unwrap();
    growing.append_at(200, "g0").unwrap();
    (live, growing)
}

/// A session that fetches a group, and the peer that is asked for it.
pub struct Fetching {
    pub session: Session,
    pub peer: Peer,
    pub group: GroupConsumer,
    pub request: moq_wire::Fetch,
    pub answer: Script,
}

pub async fn fetching(version: Version, wish: Fetch) -> Fetching {
    let (session, mut peer) = Peer::server(version).await;
    let (group, ()) = tokio::join!(session.fetch("room", "data", wish), answer_track(&mut peer));
    let (request, answer) = peer.expect_request(BiStream::Fetch).await;
    Fetching {
        session,
        peer,
        group: group.unwrap(),
        request,
        answer,
    }
}

/// The frames up to the end, and what that is.
pub async fn read(group: &mut GroupConsumer) -> (Vec<String>, GroupEnd) {
    let mut frames = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(100), group.next());
        match next.await.expect("a frame, or an end") {
            GroupRead::Frame(frame) => {
                frames.push(String::from_utf8(frame.payload.to_vec()).unwrap());
            }
            GroupRead::End(end) => return (frames, end),
        }
    }
}

pub fn ended(frames: &[&str], end: GroupEnd) -> (Vec<String>, GroupEnd) {
    (frames.iter().map(|&frame| frame.to_owned()).collect(), end)
}
