//! `moq subscribe --fmp4` and `--ts`: media to stdout, as one file that grows.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use moq_media::{Export, ExportConfig, ExportError, ExportNotice};
use moq_session::{Abort, FoundTrack, HopId, ReadError, Start};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use super::find::{Ended, Finder};
use super::trouble;
use super::ts::TsWriter;
use crate::args::{Beginning, SubscribeArgs};
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::media::{self, Stats};
use crate::output::{self, Output, OutputClosed};
use crate::progress::Console;

/// Runs the command.
pub(super) async fn run(args: &SubscribeArgs, console: &Console) -> anyhow::Result<Exit> {
    let (mut link, origin) =
        client::reader(&args.client, client::unread(args.buffer), console).await?;
    let (path, timeout) = (&args.broadcast, args.client.timeout);
    let track = moq_media::catalog::TRACK;
    let mut finder = Finder::new((path, track), timeout, origin, &link, console);
    let mut writer = MediaWriter::new(args, console)?;
    let read = writer.read_all(&mut finder, &mut link).await;
    // What was read before a failure is written all the same.
    let written = writer.finish().await;
    read.and(written).map(|()| Exit::Ok)
}

/// Writes renditions, over as many sessions as it takes.
struct MediaWriter<'a> {
    args: &'a SubscribeArgs,
    console: &'a Console,
    stats: Stats<'a>,
    output: Output,
    /// What is written as a transport stream goes through this.
    ts: Option<TsWriter>,
    /// `None` until the catalog names something to write.
    export: Option<Export>,
    publisher: Option<HopId>,
    /// Whether whoever publishes next may count anew.
    is_anew: bool,
    /// The session that carried what is read is lost: its tracks are about to end.
    is_cut: bool,
    has_written: bool,
    /// Tracks that ended early, unless they come back.
    failed: Vec<ExportNotice>,
    /// What was told of fields of the catalog, which comes again and again.
    faults: BTreeSet<String>,
    redraw: Interval,
}

impl<'a> MediaWriter<'a> {
    fn new(args: &'a SubscribeArgs, console: &'a Console) -> anyhow::Result<Self> {
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            args,
            console,
            stats: Stats::open(args.fmp4.stats_json.as_ref(), console)?,
            output: Output::stdout(),
            ts: args.fmp4.ts.then(TsWriter::default),
            export: None,
            publisher: None,
            is_anew: false,
            is_cut: false,
            has_written: false,
            failed: Vec::new(),
            faults: BTreeSet::new(),
            redraw,
        })
    }

    async fn read_all(&mut self, finder: &mut Finder, link: &mut Link) -> anyhow::Result<()> {
        loop {
            let found = finder.find(link).await?;
            match self.read(&found, link).await? {
                Ended::Finished | Ended::Closed => return Ok(()),
                Ended::NotThere => finder.not_there(),
                Ended::Lost => finder.lost(),
            }
        }
    }

    /// Writes what is left, and says what was written.
    async fn finish(mut self) -> anyhow::Result<()> {
        for notice in &self.failed {
            self.console.note(media::chain(notice));
        }
        let told = self.stats.end(|| media::written(self.export.as_ref()));
        let finished = self.output.finish().await;
        // A reader that has seen enough is not a failure.
        let (Ok(()) | Err(OutputClosed)) = finished.context("cannot write to stdout")?;
        told
    }

    /// Reads a broadcast as far as it goes.
    async fn read(&mut self, found: &FoundTrack, link: &mut Link) -> anyhow::Result<Ended> {
        let is_same = !self.is_anew && self.publisher == found.publisher;
        self.is_anew = !is_same && self.export.is_some();
        self.publisher = found.publisher;
        self.is_cut = false;
        // What failed comes back now.
        self.tell()?;
        if let Some(export) = &mut self.export {
            let resumed = tokio::select! {
                resumed = export.resume(&found.broadcast, is_same) => resumed,
                event = link.event() => {
                    event?;
                    return Ok(Ended::Lost);
                }
            };
            if let Err(error) = resumed {
                return self.not_opened(error, found, link).await;
            }
            self.failed.clear();
            if std::mem::take(&mut self.is_anew) {
                self.console
                    .note("the publisher is taken for another one; beginning anew");
            }
        } else {
            let opened = tokio::select! {
                opened = Export::open(&found.broadcast, self.config(found)) => opened,
                event = link.event() => {
                    event?;
                    return Ok(Ended::Lost);
                }
            };
            match opened {
                Ok(export) => self.export = Some(export),
                Err(error) => return self.not_opened(error, found, link).await,
            }
        }
        self.write(link).await
    }

    fn config(&self, found: &FoundTrack) -> ExportConfig {
        let mut config = ExportConfig::default();
        config.video = self.args.fmp4.video();
        config.audio = self.args.fmp4.audio();
        config.assembler.keep_time = self.args.fmp4.keep_time;
        config.max_age = self.args.media.max_age;
        config.patience = self.args.media.max_age;
        config.start = match self.args.from {
            Some(Beginning::Group(group)) => Start::Floor(group),
            Some(Beginning::Newest) => Start::Newest,
            None if !found.was_awaited => Start::Newest,
            Some(Beginning::Oldest) | None => Start::OLDEST,
        };
        config
    }

    async fn write(&mut self, link: &mut Link) -> anyhow::Result<Ended> {
        loop {
            self.tell()?;
            let Some(export) = &mut self.export else {
                return Ok(Ended::NotThere);
            };
            let next = match export.next().now_or_never() {
                Some(next) => next,
                None => {
                    if let Some(OutputClosed) = output::flush(&mut self.output).await? {
                        return Ok(Ended::Closed);
                    }
                    tokio::select! {
                        biased;
                        next = export.next() => next,
                        event = link.event() => {
                            event?;
                            self.is_cut = true;
                            continue;
                        }
                        _ = self.redraw.tick() => {
                            self.stats.show(|| media::written(Some(&*export)))?;
                            continue;
                        }
                    }
                }
            };
            let bytes = match next {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return self.ended(),
                Err(ExportError::Track { name, source }) if is_refused(source) => {
                    return Err(trouble::no_named_track(&name));
                }
                Err(ExportError::Track { source, .. }) => return self.vanished(source, link).await,
                Err(error) => return Err(error).context(Failure::new(Exit::Failed, CANNOT)),
            };
            self.has_written = true;
            let bytes = match &mut self.ts {
                Some(ts) => ts.rewrite(bytes)?,
                None => bytes,
            };
            if self.output.push(bytes)
                && let Some(OutputClosed) = output::flush(&mut self.output).await?
            {
                return Ok(Ended::Closed);
            }
        }
    }

    fn ended(&mut self) -> anyhow::Result<Ended> {
        self.tell()?;
        if self.has_written {
            return Ok(Ended::Finished);
        }
        let what = "the broadcast ended before it had media to write";
        Err(Failure::new(Exit::Failed, what).into())
    }

    /// Tells what a person should know.
    fn tell(&mut self) -> anyhow::Result<()> {
        while let Some(notice) = self.export.as_mut().and_then(Export::next_notice) {
            let is_loss = matches!(
                notice,
                ExportNotice::Skipped { .. } | ExportNotice::BadFrame { .. }
            );
            match notice {
                // The others may go on, but nothing brings this one back.
                ExportNotice::Failed { error, .. } if trouble::is_too_much(error) => {
                    return Err(trouble::vanished(error));
                }
                ExportNotice::Failed { .. } => self.failed.push(notice),
                ExportNotice::Field(fault) => {
                    let text = fault.to_string();
                    if self.faults.len() < MOST_FAULTS && self.faults.insert(text) {
                        self.console.note(fault);
                    }
                }
                _ if is_loss && self.args.strict => {
                    return Err(trouble::strict(media::chain(&notice)));
                }
                _ => self.console.note(media::chain(&notice)),
            }
        }
        Ok(())
    }

    /// The catalog does not lead to anything that could be written.
    async fn not_opened(
        &mut self,
        error: ExportError,
        found: &FoundTrack,
        link: &mut Link,
    ) -> anyhow::Result<Ended> {
        let (exit, hint) = match error {
            ExportError::Track { source, .. } => match trouble::absent(source, found)? {
                Some(ended) => return Ok(ended),
                None => return self.vanished(source, link).await,
            },
            ExportError::NoRendition { .. } => (Exit::NotFound, "`moq catalog` shows them"),
            _ => (Exit::Failed, "`moq catalog` shows what it has"),
        };
        Err(error).context(Failure::new(exit, CANNOT).with_hint(hint))
    }

    /// The tracks ended before their finish: with the session, or for good.
    async fn vanished(&mut self, error: ReadError, link: &mut Link) -> anyhow::Result<Ended> {
        if self.is_cut {
            return Ok(Ended::Lost);
        }
        tokio::select! {
            event = link.event() => {
                event?;
                Ok(Ended::Lost)
            }
            () = sleep(GRACE) => {
                if !self.args.stay || trouble::is_too_much(error) {
                    return Err(trouble::vanished(error));
                }
                self.console
                    .note("the broadcast vanished without an end; waiting for it");
                // Only a known publisher is told apart.
                self.is_anew |= self.publisher.is_none();
                Ok(Ended::Lost)
            }
        }
    }
}

/// Whether the publisher has no such track, though its catalog names it.
fn is_refused(error: ReadError) -> bool {
    error == ReadError::Aborted(Abort::NotFound)
}

const CANNOT: &str = "cannot write the broadcast as one file";

/// A relay that goes down takes its broadcasts with it before its sessions.
const GRACE: Duration = Duration::from_millis(500);

/// Faults of a catalog that are told.
const MOST_FAULTS: usize = 64;

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);
