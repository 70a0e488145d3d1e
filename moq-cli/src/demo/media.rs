//! `moq demo --media`: the test pattern instead of plain frames.

use std::time::Duration;

use anyhow::Context as _;
use moq_media::{Choice, Export, ExportConfig, Import, ImportConfig};
use moq_model::platform::clock;
use moq_session::{AnnouncedEvent, BroadcastPath, BroadcastProducer, OriginProducer, Start};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::{BROADCAST, MAX_AGE, PATIENCE, lost};
use crate::args::ClientArgs;
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::media::{self, Stats, TrackLine};
use crate::pattern::Pattern;
use crate::progress::Console;

/// Publishes and subscribes through the relay for so long; says what came of each track.
pub(super) async fn flow(
    client: &ClientArgs,
    duration: Duration,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let path = BroadcastPath::new(BROADCAST).context("the demo's path is not valid")?;
    let broadcast = BroadcastProducer::new();
    let mut config = ImportConfig::default();
    config.max_age = MAX_AGE;
    let import = Import::new(broadcast.clone(), config)?;
    let published = OriginProducer::new();
    let _publication = published.publish(&path, broadcast.consume());
    let config = client::config(client).with_publish(published.clone());
    let mut up = Link::connect(client, config, console).await?;

    let received = OriginProducer::new();
    let config = client::config(client).with_subscribe(received.clone());
    let mut down = Link::connect(client, config, console).await?;

    let stats = Stats::open(None, console)?;
    let flows = async {
        tokio::try_join!(send(import, duration), async {
            let read = receive(&received, &path, stats);
            let slow = || Failure::new(Exit::TimedOut, "the subscriber does not come to an end");
            timeout(duration + PATIENCE, read)
                .await
                .with_context(slow)?
        })
    };
    let (sent, received) = tokio::select! {
        flows = flows => flows?,
        event = up.event() => return Err(event.err().unwrap_or_else(lost)),
        event = down.event() => return Err(event.err().unwrap_or_else(lost)),
    };
    Ok(Outcome { sent, received })
}

/// Publishes the pattern in time; says what was published of each track.
async fn send(mut import: Import, duration: Duration) -> anyhow::Result<Vec<TrackLine>> {
    import.used().await;
    let mut pattern = Pattern::new(Some(duration), clock::unix())?;
    let start = Instant::now();
    // Encoding is short work, and there is little else to do on this thread.
    while let Some(bytes) = pattern.next()? {
        import.push(bytes, Duration::ZERO)?;
        while let Some(due) = import.next_due() {
            sleep_until(start + due).await;
            import.publish(due)?;
        }
    }
    let sent = import.stats().map(|stats| TrackLine::published(&stats));
    let sent = sent.collect();
    import.finish()?;
    Ok(sent)
}

/// Reads everything; says what came of each track.
async fn receive(
    origin: &OriginProducer,
    path: &BroadcastPath,
    mut stats: Stats<'_>,
) -> anyhow::Result<Vec<TrackLine>> {
    let mut announced = origin.consume().announced(path);
    while !matches!(announced.next().await, AnnouncedEvent::Start(start, _) if start == *path) {}
    let broadcast = origin.consume().broadcast(path)?;
    let mut config = ExportConfig::default();
    (config.video, config.audio) = (Choice::All, Choice::All);
    (config.max_age, config.patience) = (MAX_AGE, MAX_AGE);
    config.start = Start::OLDEST;
    let mut export = Export::open(&broadcast, config).await?;
    let mut redraw = interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            bytes = export.next() => {
                if bytes.context("cannot read the media to its end")?.is_none() {
                    return Ok(media::written(Some(&export)).collect());
                }
            }
            _ = redraw.tick() => stats.show(|| media::written(Some(&export)))?,
        }
    }
}

/// What was sent, and what of it arrived.
#[derive(Debug)]
pub(super) struct Outcome {
    sent: Vec<TrackLine>,
    received: Vec<TrackLine>,
}

impl Outcome {
    pub(super) fn report(&self) -> String {
        let lines = self.received.iter().map(|track| {
            let age = track.age.unwrap_or_default().as_millis();
            let skipped = track.skipped;
            format!(
                "{}; newest frame {age} ms ago, {skipped} groups skipped\n",
                track.text()
            )
        });
        lines.collect()
    }

    /// # Errors
    /// If a track lacks something.
    pub(super) fn verdict(&self) -> anyhow::Result<Exit> {
        let arrived = |name: &str| {
            let mut received = self.received.iter();
            received.find(|track| track.name == name)
        };
        for sent in &self.sent {
            let samples = arrived(&sent.name).map_or(0, |track| track.samples);
            if samples < sent.samples || samples == 0 {
                let what = format!(
                    "{samples} of {} frames of {} arrived",
                    sent.samples, sent.name
                );
                let failure = Failure::new(Exit::Failed, what);
                return Err(failure.with_hint("--log debug says more").into());
            }
        }
        if self.sent.is_empty() {
            return Err(Failure::new(Exit::Failed, "nothing was published").into());
        }
        Ok(Exit::Ok)
    }
}

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn track(samples: u64) -> TrackLine {
        TrackLine {
            name: "video0".into(),
            codec: "avc1.42400d".into(),
            samples,
            age: Some(Duration::from_millis(3)),
            ..TrackLine::default()
        }
    }

    #[test]
    fn a_track_that_got_nothing_is_a_failure() {
        let of = |received: Vec<TrackLine>| Outcome {
            sent: vec![track(2)],
            received,
        };
        assert!(of(vec![track(2)]).verdict().is_ok());
        assert!(of(vec![track(1)]).verdict().is_err());
        assert!(of(vec![track(0)]).verdict().is_err());
        assert!(of(Vec::new()).verdict().is_err());
        assert_eq!(
            of(vec![track(2)]).report(),
            "video0 avc1.42400d; newest frame 3 ms ago, 0 groups skipped\n"
        );
    }
}
