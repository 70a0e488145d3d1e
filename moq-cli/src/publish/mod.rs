//! `moq publish`: frames from stdin or a file.

pub(crate) mod drain;
mod groups;
mod media;
mod told;

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_session::{BroadcastProducer, OriginProducer, Role, Track, TrackProducer};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::args::{Mode, PublishArgs};
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::input::{Framer, GroupLimits, InputError, Source};
use crate::progress::{Console, Meter};
use groups::Groups;

/// Runs the command.
pub(crate) async fn run(args: PublishArgs, console: &Console) -> anyhow::Result<Exit> {
    if let Some(input) = args.fmp4.input() {
        return media::run(&args, input, console).await;
    }
    let source = Source::open(args.file.as_deref())?;
    let broadcast = BroadcastProducer::new();
    let track = Track::new(args.media.track.as_str()).with_max_age(args.media.max_age);
    let track = broadcast.create(track).context("cannot create the track")?;
    let origin = OriginProducer::new();
    let mut publication = origin.publish(&args.broadcast, broadcast.consume());
    let config = client::config(&args.client)
        .with_publish(origin.clone())
        .with_role(Role::Publisher);
    let mut link = Link::connect(&args.client, config, console).await?;
    console.note(format_args!(
        "publishing `{}` to {}",
        args.broadcast,
        link.shown_url()
    ));

    told::warn_hidden(&args.broadcast, console);
    let patience = args.client.timeout();
    told::wait(&mut publication, &mut link, track.used(), patience).await?;
    let meter = console.meter();
    let mode = args.media.mode();
    let limits = GroupLimits::new(mode, args.group_frames, args.group_bytes);
    let mut publisher = Publisher {
        groups: Groups::new(track.clone(), limits),
        framer: Framer::new(mode),
        meter: &meter,
    };
    wait_for_readers(&mut link, &track, args.hold).await?;
    let mut input = source.read();
    while let Next::Lost = publisher.pump(&mut input, &mut link).await? {
        // What is read while nobody can take it would grow old unseen.
        wait_for_readers(&mut link, &track, args.hold).await?;
    }
    publisher.finish().await?;
    track.finish();
    drain::run(&mut link, &meter, args.linger).await?;
    drop(publication);
    Ok(Exit::Ok)
}

/// Waits until there is a session, and on it a reader whom others had time to join, or none for
/// `hold`.
async fn wait_for_readers(
    link: &mut Link,
    track: &TrackProducer,
    hold: Duration,
) -> anyhow::Result<()> {
    loop {
        let readers = async {
            if timeout(hold, track.used()).await.is_ok() {
                sleep(JOIN).await;
            }
        };
        let is_connected = link.session().is_some();
        tokio::select! {
            () = readers, if is_connected => return Ok(()),
            event = link.event() => event?,
        }
    }
}

/// What ended the pumping.
enum Next {
    /// The input.
    Drain,
    /// The session.
    Lost,
}

/// From input to groups.
struct Publisher<'a> {
    groups: Groups,
    framer: Framer,
    meter: &'a Meter,
}

impl Publisher<'_> {
    /// Publishes what comes, until the input ends or the session is lost.
    async fn pump(
        &mut self,
        input: &mut mpsc::Receiver<io::Result<Bytes>>,
        link: &mut Link,
    ) -> anyhow::Result<Next> {
        let mut frames = Vec::new();
        loop {
            if let Some(session) = link.session() {
                self.meter.subscribers(session.outstanding().subscriptions);
            }
            let full_at = self.groups.ends_at();
            tokio::select! {
                biased;
                event = link.event() => {
                    event?;
                    return Ok(Next::Lost);
                }
                () = sleep_until(full_at.unwrap_or_else(Instant::now)), if full_at.is_some() => {
                    self.groups.end();
                }
                chunk = input.recv() => {
                    let Some(chunk) = chunk else { return Ok(Next::Drain) };
                    let chunk = chunk.context("cannot read the input")?;
                    self.framer.push(chunk, &mut frames).map_err(bad_input)?;
                    for frame in frames.drain(..) {
                        self.publish(frame).await?;
                    }
                }
            }
        }
    }

    /// Publishes what is left.
    async fn finish(mut self) -> anyhow::Result<()> {
        let framer = std::mem::replace(&mut self.framer, Framer::new(Mode::Raw));
        if let Some(frame) = framer.finish().map_err(bad_input)? {
            self.publish(frame).await?;
        }
        self.groups.end();
        Ok(())
    }

    async fn publish(&mut self, frame: Bytes) -> anyhow::Result<()> {
        self.meter.frame(frame.len());
        let begun = self
            .groups
            .write(frame)
            .await
            .context("cannot publish a frame")?;
        if begun {
            self.meter.group();
        }
        Ok(())
    }
}

fn bad_input(error: InputError) -> anyhow::Error {
    let failure = Failure::new(Exit::Failed, "cannot publish the input");
    anyhow::Error::new(error).context(failure.with_hint("--raw takes any bytes"))
}

/// How long others have to join after the first reader.
const JOIN: Duration = Duration::from_millis(200);
