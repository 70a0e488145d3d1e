//! `moq fetch`: one group of a track.

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::FutureExt as _;
use moq_session::{
    Abort, Budget, Fetch, FetchError, FoundTrack, GroupConsumer, GroupEnd, GroupRead, ReadError,
    Session, Start, Subscription, TrackReader,
};
use tokio::time::timeout;

use crate::args::FetchArgs;
use crate::client;
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, OutputClosed};
use crate::progress::Console;
use crate::subscribe::{Finder, trouble};

/// A group to write.
#[derive(Debug)]
struct Wanted {
    group: GroupConsumer,
    /// The number of the first frame that it yields.
    number: u64,
    /// Without its subscription a group that is still being published would be cancelled.
    reader: Option<TrackReader>,
}

/// Runs the command.
pub(crate) async fn run(args: FetchArgs, console: &Console) -> anyhow::Result<Exit> {
    let (mut link, origin) = client::reader(&args.client, Budget::default(), console).await?;
    let (path, timeout) = (&args.broadcast, args.client.timeout);
    let mut finder = Finder::new((path, &args.track), timeout, origin, &link, console);
    loop {
        let found = finder.find(&mut link).await?;
        let Some(session) = link.session().cloned() else {
            finder.lost();
            continue;
        };
        let wanted = tokio::select! {
            biased;
            wanted = ask(&args, &found, &session) => wanted,
            event = link.event() => {
                event?;
                finder.lost();
                continue;
            }
        };
        match wanted {
            Ok(Some(wanted)) => return write_all(&args, wanted).await,
            Ok(None) => finder.not_there(),
            Err(error) if session.is_open() => return Err(error),
            Err(_) => {
                link.event().await?;
                finder.lost();
            }
        }
    }
}

/// Asks for the group; `None` if the broadcast is not there.
async fn ask(
    args: &FetchArgs,
    found: &FoundTrack,
    session: &Session,
) -> anyhow::Result<Option<Wanted>> {
    if let Err(error) = found.track.info().await {
        return absent(error, found).map(|()| None);
    }
    match group(args, found, session).await? {
        Some(wanted) => Ok(Some(wanted)),
        None => Err(missing(args, Abort::NotFound)),
    }
}

/// Writes the group as far as it goes.
async fn write_all(args: &FetchArgs, wanted: Wanted) -> anyhow::Result<Exit> {
    let mut output = Output::stdout();
    let written = write(args, wanted, &mut output).await;
    // What was read before a failure is written all the same.
    let finished = output.finish().await;
    written?;
    // A reader that has seen enough is not a failure.
    let _ = finished.context("cannot write to stdout")?;
    Ok(Exit::Ok)
}

fn absent(error: ReadError, found: &FoundTrack) -> anyhow::Result<()> {
    match error {
        ReadError::Aborted(Abort::Unroutable) => Ok(()),
        ReadError::Aborted(Abort::NotFound) if !found.is_announced => Ok(()),
        ReadError::Aborted(Abort::NotFound) => Err(trouble::no_track(found.track.name())),
        ReadError::Aborted(Abort::Timeout) => Err(trouble::no_answer()),
        error => Err(trouble::vanished(error)),
    }
}

/// The group that is asked for, if there is one.
async fn group(
    args: &FetchArgs,
    found: &FoundTrack,
    session: &Session,
) -> anyhow::Result<Option<Wanted>> {
    let Some(sequence) = args.group else {
        return first(args, found, Subscription::default()).await;
    };
    let mut fetch = Fetch::new(sequence).with_first_frame(args.frames.first);
    if let Some(end) = args.frames.end {
        fetch = fetch.with_end_frame(end);
    }
    let (path, track) = (args.broadcast.as_str(), &args.track);
    match session.fetch(path, track, fetch).await {
        Ok(group) => Ok(Some(Wanted {
            group,
            number: args.frames.first,
            reader: None,
        })),
        // A draft without FETCH can subscribe to a single group.
        Err(FetchError::NotInVersion(_)) => {
            let only = Subscription::default()
                .with_start(Start::Floor(sequence))
                .with_end(sequence.saturating_add(1));
            let wanted = first(args, found, only).await?;
            Ok(wanted.filter(|wanted| wanted.group.sequence() == sequence))
        }
        Err(error) => Err(error).context(Failure::new(Exit::Failed, "cannot fetch the group")),
    }
}

/// The first group of a subscription.
async fn first(
    args: &FetchArgs,
    found: &FoundTrack,
    subscription: Subscription,
) -> anyhow::Result<Option<Wanted>> {
    let mut reader = found.track.subscribe(subscription);
    match timeout(args.client.timeout(), reader.next_group()).await {
        Ok(Ok(group)) => Ok(group.map(|group| Wanted {
            group,
            number: 0,
            reader: Some(reader),
        })),
        Ok(Err(error)) => Err(trouble::vanished(error)),
        Err(_) => {
            let failure = Failure::new(Exit::TimedOut, "no group of the track comes");
            Err(failure.with_hint("give it longer with --timeout").into())
        }
    }
}

/// Writes the frames that are wanted.
async fn write(args: &FetchArgs, wanted: Wanted, output: &mut Output) -> anyhow::Result<()> {
    let Wanted {
        mut group,
        mut number,
        reader: _reader,
    } = wanted;
    while args.frames.end.is_none_or(|end| number < end) {
        let read = match group.next().now_or_never() {
            Some(read) => read,
            None => {
                // What is there is seen while the next frame is not published yet.
                if let Some(OutputClosed) = output::flush(output).await? {
                    return Ok(());
                }
                group.next().await
            }
        };
        match read {
            GroupRead::Frame(frame) if args.frames.has(number) => {
                let is_full = output.push(frame.payload);
                let is_full = (!args.raw && output.push(LINE_END)) || is_full;
                if is_full && let Some(OutputClosed) = output::flush(output).await? {
                    return Ok(());
                }
            }
            GroupRead::Frame(_) => {}
            GroupRead::End(GroupEnd::Aborted(reason)) => return Err(missing(args, reason)),
            GroupRead::End(_) => return Ok(()),
        }
        number += 1;
    }
    Ok(())
}

fn missing(args: &FetchArgs, reason: Abort) -> anyhow::Error {
    let exit = match reason {
        Abort::NotFound | Abort::Missing | Abort::Evicted | Abort::Expired => Exit::NotFound,
        Abort::Timeout => Exit::TimedOut,
        _ => Exit::Failed,
    };
    let what = match args.group {
        Some(group) => format!("group {group} of `{}` is not there: {reason}", args.track),
        None => format!(
            "the newest group of `{}` is not whole: {reason}",
            args.track
        ),
    };
    Failure::new(exit, what).into()
}

/// What ends a frame.
const LINE_END: Bytes = Bytes::from_static(b"\n");
