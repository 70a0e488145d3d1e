//! A publisher and a viewer who keep to the rules, and how well they are served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{
    BroadcastPath, BroadcastProducer, Config, OriginProducer, Publication, Session, Track,
    TrackProducer,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::place::Place;
use crate::tell;
use crate::viewer::Viewer;

/// The healthy pair.
#[derive(Debug)]
pub(crate) struct Good {
    viewer: Viewer,
    fast: TrackProducer,
    measuring: Option<Measuring>,
    /// Whether nothing is published for now.
    is_quiet: Arc<AtomicBool>,
    _publisher: (Session, Vec<Published>),
}

/// A broadcast with the tracks of it that are to stay.
#[derive(Debug)]
struct Published {
    broadcast: BroadcastProducer,
    tracks: Vec<TrackProducer>,
    _publication: Publication,
}

/// First frames that are being measured.
#[derive(Debug)]
struct Measuring {
    stop: oneshot::Sender<()>,
    joins: JoinHandle<Joins>,
}

/// How long first frames took, in microseconds.
#[derive(Debug, Default)]
struct Joins {
    micros: Vec<u128>,
    failed: usize,
}

impl Good {
    /// Publishes `good`, and follows it; publishes `media`, too.
    pub(crate) async fn start(place: &Place) -> anyhow::Result<Self> {
        let origin = OriginProducer::new();
        let good = Published::new(&origin, "good")?;
        let live = good.broadcast.create(Track::new("live"))?;
        let fast = good.broadcast.create(Track::new("fast"))?;
        let media = Published::new(&origin, "media")?.with_media()?;
        let config = Config::default()
            .with_versions([place.version])
            .with_publish(origin);
        let session = Session::connect_with(place.dial(1024).await?, config).await?;
        let is_quiet = Arc::new(AtomicBool::new(false));
        tokio::spawn(publish(live, is_quiet.clone()));
        let mut viewer = Viewer::start(place).await?;
        timeout(PATIENCE, async {
            // The relay may not know the name yet.
            while viewer.join("good", "live").await.is_err() {
                sleep(PACE).await;
            }
        })
        .await
        .context("the healthy viewer sees nothing")?;
        let mut follower = viewer.clone();
        tokio::spawn(async move { follower.follow("good", "live").await });
        Ok(Self {
            viewer,
            fast,
            measuring: None,
            is_quiet,
            _publisher: (session, vec![good, media]),
        })
    }

    pub(crate) fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["measure"] => self.measure(),
            ["report"] => {
                let measuring = self.measuring.take().context("nothing is measured")?;
                tokio::spawn(measuring.report());
            }
            ["follow", path, track] => {
                let mut viewer = self.viewer.clone();
                let (path, track) = (path.to_owned(), track.to_owned());
                tokio::spawn(async move { viewer.follow(&path, &track).await });
            }
            ["quiet"] => self.is_quiet.store(true, Ordering::Relaxed),
            ["loud"] => self.is_quiet.store(false, Ordering::Relaxed),
            ["groups"] => tell(&format!("groups {}", self.viewer.groups())),
            ["burst", count, per_second] => {
                let (count, per_second) = (count.parse()?, per_second.parse()?);
                tokio::spawn(burst(self.fast.clone(), count, per_second));
            }
            _ => anyhow::bail!("unknown command {}", words.join(" ")),
        }
        Ok(())
    }

    /// Begins to measure first frames.
    fn measure(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let joins = tokio::spawn(join(self.viewer.clone(), stopped));
        self.measuring = Some(Measuring { stop, joins });
    }
}

impl Published {
    fn new(origin: &OriginProducer, path: &str) -> anyhow::Result<Self> {
        let broadcast = BroadcastProducer::new();
        let path: BroadcastPath = path.parse()?;
        let publication = origin.publish(&path, broadcast.consume());
        Ok(Self {
            broadcast,
            tracks: Vec::new(),
            _publication: publication,
        })
    }

    /// With a catalog, and the tracks that it names.
    fn with_media(mut self) -> anyhow::Result<Self> {
        for name in ["catalog.json", "v", "a"] {
            self.tracks.push(self.broadcast.create(Track::new(name))?);
        }
        let mut catalog = self.tracks[0].append()?;
        catalog.append(CATALOG)?;
        catalog.finish();
        Ok(self)
    }
}

impl Measuring {
    async fn report(self) {
        drop(self.stop);
        let mut joins = self.joins.await.unwrap_or_default();
        joins.micros.sort_unstable();
        let at = |percent| {
            let index = joins.micros.len().saturating_sub(1) * percent / 100;
            joins.micros.get(index).copied().unwrap_or_default()
        };
        let count = joins.micros.len();
        let (half, most) = (at(50), at(99));
        tell(&format!("joins {count} {} {half} {most}", joins.failed));
    }
}

/// Subscribes anew, again and again.
async fn join(mut viewer: Viewer, mut stopped: oneshot::Receiver<()>) -> Joins {
    let mut joins = Joins::default();
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        match viewer.join("good", "live").await {
            Ok(took) => joins.micros.push(took.as_micros()),
            Err(_) => joins.failed += 1,
        }
        sleep(PACE).await;
    }
    joins
}

/// Groups of a second, with a frame every 20 ms.
async fn publish(track: TrackProducer, is_quiet: Arc<AtomicBool>) -> anyhow::Result<()> {
    let mut due = interval(Duration::from_millis(20));
    loop {
        let mut group = track.append()?;
        for _ in 0..50 {
            due.tick().await;
            while is_quiet.load(Ordering::Relaxed) {
                due.tick().await;
            }
            group.append(vec![7; 400])?;
        }
        group.finish();
    }
}

/// Groups of one frame, as fast as that.
async fn burst(track: TrackProducer, count: u64, per_second: u64) {
    let mut due = interval(Duration::from_millis(10));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let at_once = (per_second / 100).max(1);
    let mut sent = 0;
    while sent < count {
        due.tick().await;
        for _ in 0..at_once.min(count - sent) {
            if let Ok(mut group) = track.append() {
                let _ = group.append(vec![7; 100]);
                group.finish();
            }
            sent += 1;
        }
    }
    tell(&format!("burst {sent}"));
}

/// From one first frame to the next subscription.
const PACE: Duration = Duration::from_millis(10);
/// How long the healthy pair may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// A video and a sound, of which nothing is sent.
const CATALOG: &str = concat!(
    r#"{"video":{"renditions":{"v":{"codec":"avc1.64001f","container":{"kind":"legacy"},"#,
    r#""codedWidth":320,"codedHeight":180}}},"#,
    r#""audio":{"renditions":{"a":{"codec":"opus","container":{"kind":"legacy"},"#,
    r#""sampleRate":48000,"numberOfChannels":2}}}}"#,
);
