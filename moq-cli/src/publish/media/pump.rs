//! From the input to the broadcast, in time.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_media::Import;
use moq_media::packager::Notice;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use super::pacer::Pacer;
use super::{bad_input, lines};
use crate::args::PublishArgs;
use crate::client::Link;
use crate::input::Source;
use crate::media::{self, Stats};
use crate::progress::Console;

/// Reads, publishes what is due, waits.
pub(super) struct Pump<'a> {
    import: Import,
    args: &'a PublishArgs,
    console: &'a Console,
    stats: Stats<'a>,
    pacer: Pacer,
    is_paced: bool,
    is_file: bool,
    /// Taken when reading begins.
    source: Option<Source>,
    input: Option<mpsc::Receiver<io::Result<Bytes>>>,
    /// Whether the input had bytes since it was opened.
    had_bytes: bool,
    /// Whether something was published, so that whoever reads the catalog can ask for tracks.
    has_begun: bool,
    start: Instant,
    redraw: Interval,
}

/// What came next.
enum Step {
    Due,
    Input(Option<io::Result<Bytes>>),
    Redraw,
}

impl<'a> Pump<'a> {
    pub(super) fn new(
        import: Import,
        source: Source,
        args: &'a PublishArgs,
        console: &'a Console,
        stats: Stats<'a>,
    ) -> Self {
        let is_file = source.is_file();
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            import,
            args,
            console,
            stats,
            pacer: Pacer::default(),
            is_paced: args.fmp4.is_paced(is_file),
            is_file,
            source: Some(source),
            input: None,
            had_bytes: false,
            has_begun: false,
            start: Instant::now(),
            redraw,
        }
    }

    pub(super) fn into_parts(self) -> (Import, Stats<'a>) {
        (self.import, self.stats)
    }

    /// Publishes all of the input but what only its end makes whole.
    ///
    /// # Errors
    /// If the input can't be read any further, or the session ended for good.
    pub(super) async fn run(&mut self, link: &mut Link) -> anyhow::Result<()> {
        self.hold(link, self.args.hold).await?;
        self.input = self.source.take().map(Source::read);
        loop {
            if !self.has_begun && self.import.started_at().is_some() {
                self.has_begun = true;
                if !self.is_paced {
                    self.hold(link, Duration::ZERO).await?;
                }
            }
            let due_at = self.publish()?;
            if self.input.is_none() && due_at.is_none() {
                return Ok(());
            }
            let wants_input = !self.is_paced || due_at.is_none() || self.import.wants_input();
            if !self.is_paced {
                self.ready(link).await?;
            }
            let wake = due_at.unwrap_or_else(Instant::now);
            let step = tokio::select! {
                biased;
                event = link.event() => {
                    event?;
                    self.lost(link).await?;
                    continue;
                }
                () = sleep_until(wake), if due_at.is_some() => Step::Due,
                chunk = next(&mut self.input), if self.input.is_some() && wants_input => {
                    Step::Input(chunk)
                }
                _ = self.redraw.tick() => Step::Redraw,
            };
            match step {
                Step::Due => {}
                Step::Input(Some(chunk)) => self.take(chunk.context("cannot read the input")?)?,
                Step::Input(None) => self.ended()?,
                Step::Redraw => self.stats.show(|| lines(&self.import))?,
            }
        }
    }

    /// Waits until somebody reads the catalog and had time to ask for tracks, or for `patience`
    /// without anyone.
    async fn hold(&self, link: &mut Link, patience: Duration) -> anyhow::Result<()> {
        let readers = async {
            if timeout(patience, self.import.used()).await.is_ok() {
                sleep(JOIN).await;
            }
        };
        tokio::pin!(readers);
        loop {
            let is_connected = link.session().is_some();
            tokio::select! {
                () = &mut readers, if is_connected => return Ok(()),
                event = link.event() => event?,
            }
        }
    }

    /// A live input goes on without a session. A file that is sent as fast as it is read waits, because
    /// it would grow old unseen.
    async fn lost(&self, link: &mut Link) -> anyhow::Result<()> {
        if link.session().is_some() || self.is_paced || !self.is_file {
            return Ok(());
        }
        self.hold(link, self.args.hold).await
    }

    /// Waits while even the fastest reader is far behind. The wait is one, however often the progress is
    /// shown meanwhile, because it ends when nobody takes anything for a while.
    async fn ready(&mut self, link: &mut Link) -> anyhow::Result<()> {
        let ready = self.import.ready();
        tokio::pin!(ready);
        loop {
            tokio::select! {
                biased;
                () = &mut ready => return Ok(()),
                event = link.event() => event?,
                _ = self.redraw.tick() => self.stats.show(|| lines(&self.import))?,
            }
        }
    }

    /// Publishes what is due; says when there is more.
    fn publish(&mut self) -> anyhow::Result<Option<Instant>> {
        let mut next = None;
        while let Some(due) = self.import.next_due() {
            let now = Instant::now();
            let until = if !self.is_paced {
                Duration::MAX
            } else if due.is_zero() {
                due
            } else {
                let at = self.pacer.at(due, self.import.started_at(), now);
                if at > now {
                    next = Some(at);
                    break;
                }
                self.pacer.reached(now).max(due)
            };
            let published = self.import.publish(until);
            self.tell();
            published.map_err(|error| bad_input(error, self.args))?;
        }
        Ok(next)
    }

    fn take(&mut self, chunk: Bytes) -> anyhow::Result<()> {
        self.had_bytes = true;
        // The clock of a live input says how long its encoder was away.
        let is_live = !self.is_file && !self.is_paced;
        let now = if is_live {
            self.start.elapsed()
        } else {
            Duration::ZERO
        };
        let pushed = self.import.push(chunk, now);
        self.tell();
        pushed.map_err(|error| {
            self.input = None;
            bad_input(error, self.args)
        })
    }

    /// The input has ended; a file that is repeated begins again.
    fn ended(&mut self) -> anyhow::Result<()> {
        self.input = None;
        let is_whole = self.had_bytes && self.import.is_at_border();
        if !self.args.fmp4.repeat || !is_whole || !self.is_file {
            return Ok(());
        }
        let file: Option<PathBuf> = self.args.file.clone();
        let again = self.import.begin_again();
        again.map_err(|error| bad_input(error, self.args))?;
        self.input = Some(Source::open(file.as_deref())?.read());
        self.had_bytes = false;
        Ok(())
    }

    fn tell(&mut self) {
        while let Some(notice) = self.import.next_notice() {
            // Where a repeated file begins again is no news.
            let is_seam = self.args.fmp4.repeat && matches!(notice, Notice::Discontinuity(_));
            if !is_seam {
                self.console.note(text(&notice));
            }
        }
    }
}

/// The next piece of the input.
async fn next(input: &mut Option<mpsc::Receiver<io::Result<Bytes>>>) -> Option<io::Result<Bytes>> {
    input.as_mut()?.recv().await
}

/// A notice with its cause.
pub(super) fn text(notice: &Notice) -> String {
    media::chain(notice)
}

/// How long viewers have to ask for tracks, once they read the catalog.
const JOIN: Duration = Duration::from_millis(200);

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);
