//! `moq fetch`: one group of a track.

use anyhow::Context as _;
use bytes::Bytes;
use moq_session::{
    Abort, Budget, Fetch, FetchError, FoundTrack, GroupConsumer, GroupEnd, GroupRead, ReadError,
    Session, Start, Subscription,
};
use tokio::time::timeout;

use crate::args::FetchArgs;
use crate::client;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Console;
use crate::subscribe::{Finder, trouble};

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
        let fetched = tokio::select! {
            fetched = fetch(&args, &found, &session) => fetched,
            event = link.event() => {
                event?;
                finder.lost();
                continue;
            }
        };
        match fetched? {
            Some(exit) => return Ok(exit),
            None => finder.not_there(),
        }
    }
}

/// Writes the group; `None` if the broadcast is not there.
async fn fetch(
    args: &FetchArgs,
    found: &FoundTrack,
    session: &Session,
) -> anyhow::Result<Option<Exit>> {
    if let Err(error) = found.track.info().await {
        return absent(error, found).map(|()| None);
    }
    let mut output = Output::stdout();
    let written = match group(args, found, session).await {
        Ok(Some((group, number))) => write(args, group, number, &mut output).await,
        Ok(None) => Err(missing(args, Abort::NotFound)),
        Err(error) => Err(error),
    };
    // What was read before a failure is written all the same.
    let finished = output.finish().await;
    written?;
    // A reader that has seen enough is not a failure.
    let _ = finished.context("cannot write to stdout")?;
    Ok(Some(Exit::Ok))
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

/// The group that is asked for, if there is one, and the number of the first frame that it yields.
async fn group(
    args: &FetchArgs,
    found: &FoundTrack,
    session: &Session,
) -> anyhow::Result<Option<(GroupConsumer, u64)>> {
    let Some(sequence) = args.group else {
        let newest = first(args, found, Subscription::default()).await?;
        return Ok(newest.map(|group| (group, 0)));
    };
    let mut fetch = Fetch::new(sequence).with_first_frame(args.frames.first);
    if let Some(end) = args.frames.end {
        fetch = fetch.with_end_frame(end);
    }
    let (path, track) = (args.broadcast.as_str(), &args.track);
    match session.fetch(path, track, fetch).await {
        Ok(group) => Ok(Some((group, args.frames.first))),
        // A draft without FETCH can subscribe to a single group.
        Err(FetchError::NotInVersion(_)) => {
            let only = Subscription::default()
                .with_start(Start::Floor(sequence))
                .with_end(sequence.saturating_add(1));
            let group = first(args, found, only).await?;
            let group = group.filter(|group| group.sequence() == sequence);
            Ok(group.map(|group| (group, 0)))
        }
        Err(error) => Err(error).context(Failure::new(Exit::Failed, "cannot fetch the group")),
    }
}

/// The first group of a subscription.
async fn first(
    args: &FetchArgs,
    found: &FoundTrack,
    subscription: Subscription,
) -> anyhow::Result<Option<GroupConsumer>> {
    let mut reader = found.track.subscribe(subscription);
    match timeout(args.client.timeout(), reader.next_group()).await {
        Ok(Ok(group)) => Ok(group),
        Ok(Err(error)) => Err(trouble::vanished(error)),
        Err(_) => {
            let failure = Failure::new(Exit::TimedOut, "no group of the track comes");
            Err(failure.with_hint("give it longer with --timeout").into())
        }
    }
}

/// Writes the frames that are wanted of those from `number` on.
async fn write(
    args: &FetchArgs,
    mut group: GroupConsumer,
    mut number: u64,
    output: &mut Output,
) -> anyhow::Result<()> {
    while args.frames.end.is_none_or(|end| number < end) {
        match group.next().await {
            GroupRead::Frame(frame) if args.frames.has(number) => {
                output.push(frame.payload);
                if !args.raw {
                    output.push(LINE_END);
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
