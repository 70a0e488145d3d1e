//! What the session tests share: two sessions in one process, and short ways to read.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

pub mod announce;
pub mod ends;
pub mod fetch;
pub mod hands;
pub mod heard;
pub mod keeping;
pub mod limits;
pub mod live;
pub mod moving;
pub mod record;
pub mod resuming;
pub mod scripts;
pub mod silent;
pub mod stage;
pub mod told;
pub mod trap;
pub mod urls;
pub mod waiting;

use std::time::Duration;

use moq_session::testing::{self, memory_pair};
use moq_session::{
    BroadcastProducer, Config, OriginProducer, Session, Start, Subscription, Track, TrackConsumer,
    TrackRead, Version,
};
use moq_wire::Features;

/// A client's session, the session it is joined to, and the origin behind that.
pub struct Pair {
    pub client: Session,
    pub server: Session,
    pub origin: OriginProducer,
}

/// Two sessions that speak `version`; the client side uses `config`.
pub async fn pair_with(version: Version, config: Config) -> Pair {
    let origin = OriginProducer::new();
    let client = join(version, config, &origin).await;
    Pair {
        client: client.0,
        server: client.1,
        origin,
    }
}

pub async fn pair(version: Version) -> Pair {
    pair_with(version, Config::default()).await
}

/// A further client of a relay's origin.
pub async fn join(version: Version, config: Config, origin: &OriginProducer) -> (Session, Session) {
    let (client, server) = memory_pair(version);
    let (client, server) = tokio::join!(
        Session::connect_with(client, config.with_versions([version])),
        testing::accept(server, origin)
    );
    (client.unwrap(), server.unwrap())
}

/// The parameters of a session that speaks `version` only.
pub fn speaking(version: Version) -> Config {
    Config::default().with_versions([version])
}

/// Runs a test once for each version.
pub fn for_each_version<F: Future<Output = ()>>(test: impl Fn(Version) -> F) {
    for &version in Version::ALL {
        println!("{version}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let deadline = Duration::from_secs(300);
        runtime.block_on(async {
            tokio::time::timeout(deadline, test(version))
                .await
                .expect("hangs")
        });
    }
}

/// Runs a test once for each version that has something.
pub fn for_each_with<F: Future<Output = ()>>(
    has: impl Fn(&Features) -> bool,
    test: impl Fn(Version) -> F,
) {
    for_each_version(|version| {
        let test = has(version.features()).then(|| test(version));
        async move {
            if let Some(test) = test {
                test.await;
            }
        }
    });
}

/// A broadcast with one track `data`, whose groups hold these frames, finished.
pub fn finished(groups: &[&[&str]]) -> BroadcastProducer {
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data")).unwrap();
    for frames in groups {
        let mut group = track.append().unwrap();
        for frame in *frames {
            group.append(frame.as_bytes().to_vec()).unwrap();
        }
        group.finish();
    }
    track.finish();
    broadcast
}

/// Reads a whole track in order, as one list of frames by group.
pub async fn read_all(track: &TrackConsumer) -> Vec<Vec<String>> {
    let wanted = Subscription::default()
        .with_start(Start::OLDEST)
        .with_max_age(Duration::from_secs(10));
    let mut reader = track.subscribe(wanted).ordered();
    let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
    while let Some(read) = reader.next().await.expect("the track finishes") {
        match read {
            TrackRead::Frame { group, frame, .. } => {
                if groups.last().is_none_or(|(last, _)| *last != group) {
                    groups.push((group, Vec::new()));
                }
                let text = String::from_utf8(frame.payload.to_vec()).unwrap();
                groups.last_mut().unwrap().1.push(text);
            }
            other => panic!("{other:?}"),
        }
    }
    groups.into_iter().map(|(_, frames)| frames).collect()
}
