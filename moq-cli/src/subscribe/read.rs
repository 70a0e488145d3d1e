//! From a track to stdout.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::FutureExt as _;
use moq_model::platform::clock;
use moq_session::{
    Abort, Frame, HopId, OrderedReader, ReadError, Start, Subscription, TrackInfo, TrackRead,
};
use tokio::time::sleep;

use super::find::Found;
use super::trouble;
use crate::args::{Beginning, Mode, SubscribeArgs};
use crate::client::Link;
use crate::input;
use crate::output::{Output, OutputClosed};
use crate::progress::{Console, Meter};

/// Writes frames in order, over as many subscriptions as it takes.
#[derive(Debug)]
pub(super) struct Writer {
    mode: Mode,
    from: Option<Beginning>,
    max_age: Duration,
    is_strict: bool,
    /// A broadcast that vanished is waited for.
    is_staying: bool,
    output: Output,
    console: Console,
    meter: Meter,
    /// The next group and frame to write, once something was read.
    position: Option<(u64, usize)>,
    /// The group that has to come first after a lost session.
    awaited: Option<u64>,
    publisher: Option<HopId>,
}

/// Why reading ended without an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The track is finished.
    Finished,
    /// Nobody reads stdout any more.
    Closed,
    /// There is no such broadcast at the moment.
    NotThere,
    /// The session was lost, or the broadcast vanished and is waited for.
    Lost,
}

impl Writer {
    pub(super) fn new(args: &SubscribeArgs, console: &Console) -> Self {
        Self {
            mode: args.media.mode(),
            from: args.from,
            max_age: args.media.max_age,
            is_strict: args.strict,
            is_staying: args.stay,
            output: Output::stdout(),
            console: console.clone(),
            meter: console.meter(),
            position: None,
            awaited: None,
            publisher: None,
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If stdout cannot be written to.
    pub(super) async fn finish(self) -> anyhow::Result<()> {
        drop(self.meter);
        let finished = self
            .output
            .finish()
            .await
            .context("cannot write to stdout")?;
        // A reader that has seen enough is not a failure.
        finished.or(Ok(()))
    }

    /// Reads a track as far as it goes.
    ///
    /// # Errors
    /// If the track is missing, ended before its finish, or lacks something that must not be
    /// lacking.
    pub(super) async fn read(&mut self, found: &Found, link: &mut Link) -> anyhow::Result<Ended> {
        let subscription = self.subscription(found);
        tracing::debug!(?subscription, ?found.publisher, "subscribing");
        let reader = found.track.subscribe(subscription);
        let info = tokio::select! {
            info = found.track.info() => info,
            event = link.event() => {
                event?;
                return Ok(Ended::Lost);
            }
        };
        tracing::debug!(?info, "the track is there, or not");
        match info {
            Ok(info) => self.frames(reader.ordered(), info, link).await,
            Err(error) => self.aborted(error, found, link).await,
        }
    }

    /// Where to begin, or to go on after a lost session.
    fn subscription(&mut self, found: &Found) -> Subscription {
        let is_other = self
            .publisher
            .is_some_and(|publisher| Some(publisher) != found.publisher);
        if is_other && self.position.take().is_some() {
            self.console
                .note("the publisher is another one; beginning anew");
        }
        self.publisher = found.publisher;
        let start = match (self.position, self.from) {
            (Some((group, _)), _) => Start::Floor(group),
            (None, Some(Beginning::Group(group))) => Start::Floor(group),
            (None, Some(Beginning::Newest)) => Start::Newest,
            (None, None) if !found.is_fresh => Start::Newest,
            (None, Some(Beginning::Oldest) | None) => Start::OLDEST,
        };
        Subscription::default()
            .with_start(start)
            .with_max_age(self.max_age)
            .with_patience(self.max_age)
    }

    async fn frames(
        &mut self,
        mut reader: OrderedReader,
        info: TrackInfo,
        link: &mut Link,
    ) -> anyhow::Result<Ended> {
        let resumed = self.position;
        self.awaited = resumed.map(|(group, _)| group);
        loop {
            let next = match reader.next().now_or_never() {
                Some(next) => next,
                None => {
                    if let Some(OutputClosed) = self.flush().await? {
                        return Ok(Ended::Closed);
                    }
                    tokio::select! {
                        biased;
                        next = reader.next() => next,
                        event = link.event() => {
                            event?;
                            return Ok(Ended::Lost);
                        }
                    }
                }
            };
            let read = match next {
                Ok(Some(read)) => read,
                Ok(None) => return Ok(Ended::Finished),
                Err(error) => return self.vanished(error, link).await,
            };
            let is_full = self.take(read, resumed, info)?;
            self.position = self.position.max(reader.position());
            if is_full && let Some(OutputClosed) = self.flush().await? {
                return Ok(Ended::Closed);
            }
        }
    }

    /// Takes in what was read; says whether it is time to flush.
    fn take(
        &mut self,
        read: TrackRead,
        resumed: Option<(u64, usize)>,
        info: TrackInfo,
    ) -> anyhow::Result<bool> {
        match read {
            TrackRead::Frame {
                group,
                index,
                frame,
            } => {
                // A session that comes back may be too late for what was next.
                if let Some(next) = self.awaited.take().filter(|next| group > *next) {
                    self.skipped(next..group, Abort::Missing)?;
                }
                if resumed.is_some_and(|position| (group, index) < position) {
                    return Ok(false);
                }
                self.count(index, &frame, info);
                self.write(frame.payload)
            }
            TrackRead::Skipped { groups, cause } => {
                self.awaited = None;
                if resumed.is_none_or(|(group, _)| groups.end > group) {
                    self.skipped(groups, cause)?;
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn skipped(&self, groups: std::ops::Range<u64>, cause: Abort) -> anyhow::Result<()> {
        let what = trouble::missing(&groups, cause);
        if self.is_strict {
            return Err(trouble::strict(what));
        }
        self.console.note(what);
        Ok(())
    }

    fn count(&self, index: usize, frame: &Frame, info: TrackInfo) {
        if index == 0 {
            self.meter.group();
        }
        self.meter.frame(frame.payload.len());
        let written = info.timescale.to_duration(frame.timestamp);
        if let Some(lag) = clock::unix()
            .checked_sub(written)
            .filter(|lag| *lag < PLAUSIBLE)
        {
            self.meter.lag(lag);
        }
    }

    /// Hands a frame to the output; says whether it is time to flush.
    fn write(&mut self, payload: Bytes) -> anyhow::Result<bool> {
        if self.mode == Mode::Raw {
            return Ok(self.output.push(payload));
        }
        if self.mode == Mode::Json {
            input::check_json(&payload).map_err(trouble::no_json)?;
        }
        let is_full = self.output.push(payload);
        Ok(self.output.push(LINE_END) || is_full)
    }

    async fn flush(&mut self) -> anyhow::Result<Option<OutputClosed>> {
        if !self.output.is_dirty() {
            return Ok(None);
        }
        let flushed = self
            .output
            .flush()
            .await
            .context("cannot write to stdout")?;
        Ok(flushed.err())
    }

    /// The track was refused before it existed here.
    async fn aborted(
        &mut self,
        error: ReadError,
        found: &Found,
        link: &mut Link,
    ) -> anyhow::Result<Ended> {
        let ReadError::Aborted(reason) = error else {
            return Err(error.into());
        };
        match reason {
            Abort::Unroutable => Ok(Ended::NotThere),
            // What is announced above the broadcast need not have it yet.
            Abort::NotFound if !found.is_announced => Ok(Ended::NotThere),
            Abort::NotFound => Err(trouble::no_track(found.track.name())),
            Abort::Timeout => Err(trouble::no_answer()),
            _ => self.vanished(error, link).await,
        }
    }

    /// The track ended before its finish: with its session, or for good.
    async fn vanished(&mut self, error: ReadError, link: &mut Link) -> anyhow::Result<Ended> {
        tokio::select! {
            event = link.event() => {
                event?;
                Ok(Ended::Lost)
            }
            () = sleep(GRACE) => {
                if !self.is_staying {
                    return Err(trouble::vanished(error));
                }
                self.console
                    .note("the broadcast vanished without an end; waiting for it");
                // Whoever publishes it again may count anew; only a known publisher is told apart.
                if self.publisher.is_none() {
                    self.position = None;
                }
                Ok(Ended::Lost)
            }
        }
    }
}

/// What ends a line.
const LINE_END: Bytes = Bytes::from_static(b"\n");

/// A relay that goes down takes its broadcasts with it before its sessions.
const GRACE: Duration = Duration::from_millis(500);

/// A frame that seems older bears no time of day.
const PLAUSIBLE: Duration = Duration::from_secs(24 * 60 * 60);
