//! What is done again and again.

use std::time::Duration;

use moq_session::{Announced, AnnouncedEvent, Start, Subscription, TrackRead};
use tokio::time::{sleep, timeout};

use crate::stage::{Stage, TRACKS, join};

/// Time between two groups.
const STEP: Duration = Duration::from_millis(20);

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Groups of a live track.
    Groups,
    /// Subscriptions, read for a group and dropped.
    Subscriptions,
    /// Subscriptions to tracks that do not exist.
    Refusals,
    /// Broadcasts that are announced, seen, and retracted.
    Announcements,
    /// Viewers that connect, read, and leave.
    Sessions,
}

impl Load {
    pub const ALL: [Self; 5] = [
        Self::Groups,
        Self::Subscriptions,
        Self::Refusals,
        Self::Announcements,
        Self::Sessions,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Subscriptions => "subscriptions",
            Self::Refusals => "refusals",
            Self::Announcements => "announcements",
            Self::Sessions => "sessions",
        }
    }

    /// How often it is done as a part of `cargo test`.
    pub fn few(self) -> u64 {
        match self {
            Self::Groups => 8_000,
            Self::Subscriptions | Self::Refusals | Self::Announcements => 2_000,
            Self::Sessions => 1_000,
        }
    }

    /// How often it is done where time is no matter.
    pub fn many(self) -> u64 {
        match self {
            Self::Groups => 1_000_000,
            Self::Subscriptions | Self::Refusals | Self::Announcements => 100_000,
            Self::Sessions => 10_000,
        }
    }

    /// How often it is done before the heap is looked at: caches are full then.
    pub fn warm_up(self) -> u64 {
        match self {
            Self::Groups => 2_000,
            _ => 400,
        }
    }

    /// Does it `count` times, and waits until all is at rest.
    pub async fn run(self, stage: &mut Stage, count: u64) {
        match self {
            Self::Groups => groups(stage, count).await,
            Self::Subscriptions => rounds(count, async || subscribe(stage).await).await,
            Self::Refusals => rounds(count, async || refuse(stage).await).await,
            Self::Announcements => announce(stage, count).await,
            Self::Sessions => rounds(count, async || connect(stage).await).await,
        }
        sleep(DEADLINE).await;
    }
}

/// Does so many times what `round` does as often as there are tracks.
async fn rounds(count: u64, mut round: impl AsyncFnMut()) {
    for _ in 0..count.div_ceil(TRACKS as u64) {
        timeout(DEADLINE, round()).await.expect("a round ends");
    }
}

/// Writes groups, which the viewer reads whole.
async fn groups(stage: &Stage, count: u64) {
    let track = stage.viewer.track("room", "0").unwrap();
    let mut reader = track.subscribe(newest()).ordered();
    let used = timeout(DEADLINE, stage.tracks[0].used());
    used.await.expect("a subscription");
    let write = async {
        for _ in 0..count {
            sleep(STEP).await;
            let mut group = stage.tracks[0].append().unwrap();
            for _ in 0..2 {
                group.append(vec![7_u8; 64]).unwrap();
            }
            group.finish();
        }
        stage.tracks[0].next_sequence()
    };
    let read = async {
        let mut frames = 0;
        while frames < 2 * count {
            let read = timeout(DEADLINE, reader.next()).await.expect("a group");
            match read.unwrap() {
                Some(TrackRead::Frame { frame, .. }) if frame.payload.len() == 64 => frames += 1,
                Some(TrackRead::Frame { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::join!(write, read);
}

/// Subscribes to all tracks, and lets go of them.
async fn subscribe(stage: &Stage) {
    let mut readers: Vec<_> = (0..TRACKS)
        .map(|number| {
            let track = stage.viewer.track("room", &number.to_string()).unwrap();
            track.subscribe(newest())
        })
        .collect();
    for reader in &mut readers {
        let group = reader.next_group().await.unwrap();
        assert!(group.is_some());
    }
    drop(readers);
    for track in &stage.tracks {
        track.unused().await;
    }
}

/// Asks for tracks that nobody has, each by another name.
async fn refuse(stage: &mut Stage) {
    for _ in 0..TRACKS {
        let name = format!("none-{}", stage.next_serial());
        let track = stage.viewer.track("room", &name).unwrap();
        assert!(track.info().await.is_err());
    }
}

/// Announces broadcasts, each by another name, and retracts them as soon as the viewer knows.
async fn announce(stage: &mut Stage, count: u64) {
    let mut announced = stage.viewer.announced("").unwrap();
    for _ in 0..count.div_ceil(TRACKS as u64) {
        let publications: Vec<_> = (0..TRACKS)
            .map(|_| {
                let path = format!("hall/{}", stage.next_serial());
                let broadcast = stage.broadcast.consume();
                stage.publisher.publish(&path, broadcast).unwrap()
            })
            .collect();
        heard(&mut announced, |event| match event {
            AnnouncedEvent::Start(path, _) => path.as_str().starts_with("hall"),
            _ => false,
        })
        .await;
        drop(publications);
        heard(&mut announced, |event| {
            matches!(event, AnnouncedEvent::End(_))
        })
        .await;
    }
}

/// Waits until as many events came as there are tracks.
async fn heard(announced: &mut Announced, is_counted: impl Fn(&AnnouncedEvent) -> bool) {
    let mut count = 0;
    while count < TRACKS {
        let event = timeout(DEADLINE, announced.next()).await.expect("news");
        count += usize::from(is_counted(&event));
    }
}

/// Connects viewers one after the other, each of which reads a group and leaves.
async fn connect(stage: &Stage) {
    for number in 0..TRACKS {
        let (client, server) = join(stage.version, &stage.relay).await;
        let track = client.track("room", &number.to_string()).unwrap();
        let mut reader = track.subscribe(newest());
        assert!(reader.next_group().await.unwrap().is_some());
        drop((reader, track));
        client.close(0, "");
        server.closed().await;
    }
}

/// A subscription that begins at the newest group.
fn newest() -> Subscription {
    Subscription::default().with_start(Start::Newest)
}
