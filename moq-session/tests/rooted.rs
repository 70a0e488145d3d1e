//! A server's session below a root, and with an origin for each direction.

mod common;

use std::time::Duration;

use common::{finished, for_each_version, read_all, speaking};
use moq_session::testing::{accept_with, memory_pair};
use moq_session::{AnnouncedEvent, BroadcastPath, Config, Grant, OriginProducer, Session, Version};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

struct Stage {
    client: Session,
    server: Session,
    /// What the client is served.
    served: OriginProducer,
    /// Where the client's broadcasts appear.
    heard: OriginProducer,
}

async fn stage(version: Version, root: &str) -> Stage {
    let (client, server) = memory_pair(version);
    let (served, heard) = (OriginProducer::new(), OriginProducer::new());
    let config = Config::default()
        .with_versions([version])
        .with_publish(served.clone())
        .with_subscribe(heard.clone());
    let grant = Grant::everything(root.parse().expect("a path"));
    let (client, server) = tokio::join!(
        Session::connect_with(client, speaking(version)),
        accept_with(server, config, grant),
    );
    Stage {
        client: client.expect("a session"),
        server: server.expect("a session"),
        served,
        heard,
    }
}

/// The paths that are announced in an origin.
async fn listed(origin: &OriginProducer) -> Vec<String> {
    let mut announced = origin.consume().announced(&BroadcastPath::root());
    let mut listed = Vec::new();
    loop {
        match announced.next().await {
            AnnouncedEvent::Start(path, _) => listed.push(path.to_string()),
            AnnouncedEvent::Live => return listed,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_server_publishes_and_reads_below_the_root() {
    for_each_version(|version| async move {
        let stage = stage(version, "anon").await;
        let ours = finished(&[&["ours"]]);
        let publication = stage.server.publish("x", ours.consume()).unwrap();
        assert_eq!(publication.path().as_str(), "anon/x");
        assert_eq!(listed(&stage.served).await, ["anon/x"]);
        let track = stage.client.track("x", "data").unwrap();
        assert_eq!(read_all(&track).await, [["ours"]]);

        let theirs = finished(&[&["theirs"]]);
        let mut publication = stage.client.publish("y", theirs.consume()).unwrap();
        assert_eq!(publication.path().as_str(), "y");
        publication.told(SECOND).await.unwrap();
        let mut announced = stage.server.announced("").unwrap();
        let AnnouncedEvent::Start(path, _) = announced.next().await else {
            panic!("a start");
        };
        assert_eq!(path.as_str(), "anon/y");
        let track = stage.server.track("y", "data").unwrap();
        assert_eq!(read_all(&track).await, [["theirs"]]);
    });
}

#[test]
fn a_path_too_deep_below_the_root_is_an_error() {
    for_each_version(|version| async move {
        let stage = stage(version, "a/b").await;
        let broadcast = finished(&[]);
        let deep = vec!["x"; 31].join("/");
        assert!(stage.server.publish(&deep, broadcast.consume()).is_err());
        assert!(stage.server.track(&deep, "data").is_err());
        assert!(stage.client.publish(&deep, broadcast.consume()).is_ok());
    });
}

#[test]
fn what_a_peer_publishes_is_not_served_from_another_origin() {
    for_each_version(|version| async move {
        let stage = stage(version, "").await;
        let theirs = finished(&[&["theirs"]]);
        let mut publication = stage.client.publish("room", theirs.consume()).unwrap();
        publication.told(SECOND).await.unwrap();
        let ours = finished(&[&["ours"]]);
        let _publication = stage
            .served
            .publish(&"hall".parse().unwrap(), ours.consume());

        let mut announced = stage.client.announced("").unwrap();
        let AnnouncedEvent::Start(path, _) = announced.next().await else {
            panic!("a start");
        };
        assert_eq!(path.as_str(), "hall");
        let further = timeout(SECOND, announced.next()).await;
        assert!(
            !matches!(further, Ok(AnnouncedEvent::Start(..))),
            "{further:?}"
        );
        let mut heard = stage.heard.consume().announced(&BroadcastPath::root());
        let AnnouncedEvent::Start(path, _) = heard.next().await else {
            panic!("a start");
        };
        assert_eq!(path.as_str(), "room");
        assert_eq!(listed(&stage.served).await, ["hall"]);

        // Each is found on its own side only.
        let track = stage.client.track("hall", "data").unwrap();
        assert_eq!(read_all(&track).await, [["ours"]]);
        let track = stage.client.track("room", "data").unwrap();
        assert!(track.info().await.is_err());
        let room = stage.heard.consume().broadcast(&"room".parse().unwrap());
        let track = room.unwrap().track("data").unwrap();
        assert_eq!(read_all(&track).await, [["theirs"]]);
    });
}
