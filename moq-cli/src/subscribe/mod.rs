//! `moq subscribe`: frames to stdout.

mod find;
mod media;
mod patience;
pub(crate) mod trouble;
mod ts;
mod write;

use futures_util::FutureExt as _;
use moq_session::{ResumeError, ResumeEvent, ResumingReader, Start, Subscription, TrackFinder};

use crate::args::{Beginning, SubscribeArgs};
use crate::client::{self, Link};
use crate::exit::Exit;
use crate::output::OutputClosed;
use crate::progress::Console;
pub(crate) use find::{Ended, Finder};
use patience::Patience;
use write::Writer;

/// Runs the command.
pub(crate) async fn run(args: SubscribeArgs, console: &Console) -> anyhow::Result<Exit> {
    if args.fmp4.is_media() {
        return media::run(&args, console).await;
    }
    let (link, origin) = client::reader(&args.client, client::unread(args.buffer), console).await?;
    let finder = TrackFinder::new(origin, args.broadcast.clone(), &args.media.track);
    let mut reading = Reading {
        reader: reader(&args, finder.with_sessions(link.sessions())),
        link,
        patience: Patience::new(args.client.timeout),
        console: console.clone(),
        args: &args,
    };
    let mut writer = Writer::new(&args, console);
    let read = reading.run(&mut writer).await;
    // What was read before a failure is written all the same.
    let written = writer.finish().await;
    read.and(written).map(|()| Exit::Ok)
}

/// What reads the track of the arguments.
fn reader(args: &SubscribeArgs, finder: TrackFinder) -> ResumingReader {
    let start = match args.from {
        Some(Beginning::Group(group)) => Start::Floor(group),
        Some(Beginning::Oldest) => Start::OLDEST,
        Some(Beginning::Newest) | None => Start::Newest,
    };
    let subscription = Subscription::default()
        .with_start(start)
        .with_max_age(args.media.max_age)
        .with_patience(args.media.max_age);
    let reader = ResumingReader::new(finder)
        .with_subscription(subscription)
        .with_stay(args.stay);
    match args.from {
        Some(_) => reader,
        None => reader.with_all_if_awaited(),
    }
}

/// From the link to the output.
struct Reading<'a> {
    reader: ResumingReader,
    link: Link,
    patience: Patience,
    console: Console,
    args: &'a SubscribeArgs,
}

impl Reading<'_> {
    /// Reads to the end of the track, or until nobody reads stdout any more.
    ///
    /// # Errors
    /// If the track is missing, ended before its finish, or lacks something that must not be lacking.
    async fn run(&mut self, writer: &mut Writer) -> anyhow::Result<()> {
        loop {
            let event = match self.reader.next().now_or_never() {
                Some(event) => event,
                None => {
                    if let Some(OutputClosed) = writer.flush().await? {
                        return Ok(());
                    }
                    let is_connected = self.link.session().is_some();
                    tokio::select! {
                        biased;
                        event = self.reader.next() => event,
                        event = self.link.event() => {
                            event?;
                            continue;
                        }
                        () = self.patience.over(), if is_connected => {
                            return Err(self.patience.not_found(&self.args.broadcast));
                        }
                    }
                }
            };
            let event = match event {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.failed(error).await),
            };
            let is_full = self.take(event, writer)?;
            if is_full && let Some(OutputClosed) = writer.flush().await? {
                return Ok(());
            }
        }
    }

    /// Takes an event in; says whether it is time to flush.
    fn take(&mut self, event: ResumeEvent, writer: &mut Writer) -> anyhow::Result<bool> {
        match event {
            ResumeEvent::Read(read) => return writer.take(read),
            ResumeEvent::Reading { info, continuity } => {
                self.patience.reached();
                writer.begin(info, continuity);
            }
            ResumeEvent::Waiting if self.patience.waits() => {
                self.console.note(format_args!(
                    "waiting for `{}` to be published at {}",
                    self.args.broadcast,
                    self.link.shown_url()
                ));
            }
            ResumeEvent::Lost { loss, error } => {
                tracing::debug!(%loss, %error, "lost");
                self.patience.lost();
                if loss == moq_session::Loss::Broadcast {
                    self.console
                        .note("the broadcast vanished without an end; waiting for it");
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// Why reading is over, with exit code and advice.
    async fn failed(&mut self, error: ResumeError) -> anyhow::Error {
        match error {
            ResumeError::NoTrack => trouble::no_track(&self.args.media.track),
            ResumeError::NoAnswer => trouble::no_answer(),
            ResumeError::Vanished(error) => trouble::vanished(error),
            // The link knows why.
            error => self.link.over().await.context(error),
        }
    }
}
