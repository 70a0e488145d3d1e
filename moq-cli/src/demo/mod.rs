//! `moq demo`: a relay, a publisher and a subscriber on this machine, over real QUIC.

mod media;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_model::platform::clock;
use moq_relay::{Certificate, Relay};
use moq_session::{
    AnnouncedEvent, BroadcastPath, BroadcastProducer, OriginProducer, Start, Subscription,
    Timescale, Track, TrackProducer, TrackRead,
};
use tokio::time::{MissedTickBehavior, interval, timeout};
use url::Url;

use crate::args::{ClientArgs, DemoArgs};
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::{Console, Meter};
use crate::relay;

/// Runs the command.
pub(crate) async fn run(args: DemoArgs, console: &Console) -> anyhow::Result<Exit> {
    let hosts = ["localhost".into(), Ipv4Addr::LOCALHOST.to_string()];
    let certificate =
        Certificate::generate(&hosts, None).context("cannot generate a certificate")?;
    let fingerprint = certificate.identity().fingerprint();
    let builder = Relay::builder().certificate(certificate);
    let mut relay = relay::start(builder.listen((Ipv4Addr::LOCALHOST, 0).into()))?;
    let addr = *relay.addrs().first().context("the relay has no address")?;
    let url = Url::parse(&format!("https://{addr}")).context("cannot name the relay")?;
    let client = ClientArgs::pinned(url, fingerprint);
    if !output::print(&how_to_join(addr, &client, &args))? {
        return Ok(Exit::Ok);
    }
    let (report, verdict) = tokio::select! {
        told = told(&client, &args, console) => told?,
        () = relay.stopped() => anyhow::bail!("the relay stopped"),
    };
    relay.close().await;
    output::print(&report)?;
    verdict
}

/// What came of it, and whether that is well.
async fn told(
    client: &ClientArgs,
    args: &DemoArgs,
    console: &Console,
) -> anyhow::Result<(String, anyhow::Result<Exit>)> {
    Ok(if args.media {
        let outcome = media::flow(client, args.duration, console).await?;
        (outcome.report(), outcome.verdict())
    } else {
        let outcome = flow(client, args.duration, console).await?;
        (outcome.report(), outcome.verdict())
    })
}

fn how_to_join(addr: SocketAddr, client: &ClientArgs, args: &DemoArgs) -> String {
    let duration = args.duration;
    let how = if args.media { " --fmp4 | ffplay -" } else { "" };
    let mut text = format!("relay on {addr}, {duration:?}; join from another terminal:\n");
    let pin = client
        .tls_fingerprint
        .map(|fingerprint| fingerprint.to_string());
    let pin = pin.unwrap_or_default();
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "  moq subscribe https://{addr} {BROADCAST} --tls-fingerprint {pin}{how}"
    );
    let _ = writeln!(
        text,
        "  moq subscribe moqt://{addr} {BROADCAST} --tls-fingerprint {pin}{how}"
    );
    let _ = writeln!(text, "  moq publish http://{addr} hello");
    let _ = writeln!(text, "  moq ls http://{addr} --watch");
    text
}

/// Publishes and subscribes through the relay for so long.
async fn flow(
    client: &ClientArgs,
    duration: Duration,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let path = BroadcastPath::new(BROADCAST).context("the demo's path is not valid")?;
    let scale = Timescale::new(1_000_000).unwrap_or_default();
    let broadcast = BroadcastProducer::new();
    let track = broadcast
        .create(
            Track::new("data")
                .with_timescale(scale)
                .with_max_age(MAX_AGE),
        )
        .context("cannot create the track")?;
    let published = OriginProducer::new();
    let _publication = published.publish(&path, broadcast.consume());
    let config = client::config(client).with_publish(published.clone());
    let mut up = Link::connect(client, config, console).await?;

    let received = OriginProducer::new();
    let config = client::config(client).with_subscribe(received.clone());
    let mut down = Link::connect(client, config, console).await?;

    let meter = console.meter();
    let flows = async {
        tokio::join!(
            send(track, duration),
            timeout(duration + PATIENCE, receive(&received, &path, &meter)),
        )
    };
    let (sent, received) = tokio::select! {
        flows = flows => flows,
        event = up.event() => return Err(event.err().unwrap_or_else(lost)),
        event = down.event() => return Err(event.err().unwrap_or_else(lost)),
    };
    let slow = || Failure::new(Exit::TimedOut, "the subscriber does not come to an end");
    let latencies = received.with_context(slow)??;
    Ok(Outcome {
        sent: sent?,
        latencies,
    })
}

fn lost() -> anyhow::Error {
    anyhow::anyhow!("the connection to the demo's relay was lost")
}

/// Publishes frames at a steady pace; says how many.
async fn send(track: TrackProducer, duration: Duration) -> anyhow::Result<u64> {
    track.used().await;
    let mut ticks = interval(Duration::from_secs(1) / FRAMES_PER_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let total = duration.as_millis() * u128::from(FRAMES_PER_SECOND) / 1_000;
    let mut sent = 0;
    let mut group = track.append()?;
    while u128::from(sent) < total {
        ticks.tick().await;
        if sent > 0 && sent % u64::from(GROUP_FRAMES) == 0 {
            std::mem::replace(&mut group, track.append()?).finish();
        }
        group.append(payload(sent))?;
        sent += 1;
    }
    group.finish();
    track.finish();
    Ok(sent)
}

/// A frame that is worth reading.
fn payload(number: u64) -> Bytes {
    let mut text = format!("frame {number} ");
    text.extend(std::iter::repeat_n('.', FRAME_BYTES - text.len()));
    text.into()
}

/// Reads everything; yields how long each frame took, in microseconds.
async fn receive(
    origin: &OriginProducer,
    path: &BroadcastPath,
    meter: &Meter,
) -> anyhow::Result<Vec<u32>> {
    let mut announced = origin.consume().announced(path);
    while !matches!(announced.next().await, AnnouncedEvent::Start(start, _) if start == *path) {}
    let track = origin.consume().broadcast(path)?.track("data")?;
    let subscription = Subscription::default()
        .with_start(Start::OLDEST)
        .with_max_age(MAX_AGE);
    let mut reader = track.subscribe(subscription).ordered();
    let scale = track.info().await?.timescale;
    let mut latencies = Vec::new();
    while let Some(read) = reader
        .next()
        .await
        .context("cannot read the track to its end")?
    {
        let TrackRead::Frame { index, frame, .. } = read else {
            continue;
        };
        let latency = clock::unix().saturating_sub(scale.to_duration(frame.timestamp));
        latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        meter.lag(latency);
        meter.frame(frame.payload.len());
        if index == 0 {
            meter.group();
        }
    }
    Ok(latencies)
}

/// What came of it.
#[derive(Debug)]
struct Outcome {
    sent: u64,
    latencies: Vec<u32>,
}

impl Outcome {
    fn received(&self) -> u64 {
        self.latencies.len() as u64
    }

    fn report(&self) -> String {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let millis = |percent| f64::from(percentile(&sorted, percent)) / 1e3;
        format!(
            "frames sent {}, received {}; latency p50 {:.2} ms, p99 {:.2} ms\n",
            self.sent,
            self.received(),
            millis(50),
            millis(99)
        )
    }

    fn verdict(&self) -> anyhow::Result<Exit> {
        if self.received() == self.sent {
            return Ok(Exit::Ok);
        }
        let what = format!("{} of {} frames arrived", self.received(), self.sent);
        Err(Failure::new(Exit::Failed, what)
            .with_hint("--log debug says more")
            .into())
    }
}

/// The value that so many percent of the sorted ones do not exceed; 0 without any.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// Where the demo publishes.
const BROADCAST: &str = "demo";

const FRAMES_PER_SECOND: u32 = 60;

const GROUP_FRAMES: u32 = 60;

const FRAME_BYTES: usize = 4_000;

/// Long enough that nothing is dropped for its age on a slow machine.
const MAX_AGE: Duration = Duration::from_secs(30);

/// How long the last frames may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let sorted: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&sorted, 50), 50);
        assert_eq!(percentile(&sorted, 99), 99);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn frames_have_their_size() {
        assert_eq!(payload(0).len(), FRAME_BYTES);
        assert!(payload(u64::MAX).starts_with(b"frame 18446744073709551615 "));
    }

    #[test]
    fn a_lost_frame_is_a_failure() {
        let outcome = Outcome {
            sent: 2,
            latencies: vec![1_000],
        };
        assert!(outcome.verdict().is_err());
        assert_eq!(
            outcome.report(),
            "frames sent 2, received 1; latency p50 1.00 ms, p99 1.00 ms\n"
        );
    }
}
