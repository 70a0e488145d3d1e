//! The receiving end of the generator.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use quinn::{Connection, ReadError, ReadExactError, RecvStream, SendStream};
use tokio::time::{Instant, sleep};

use super::group::GroupReader;
use super::lite;
use super::window::{Plan, Tally};

/// The tally that all subscribers of a window share.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedTally(Arc<Mutex<Tally>>);

impl SharedTally {
    pub(super) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the session up.
pub(super) async fn set_up(connection: &Connection) -> anyhow::Result<()> {
    let mut setup = connection.open_uni().await?;
    setup
        .write_chunk(lite::setup(lite::Role::Subscriber))
        .await?;
    Ok(setup.finish()?)
}

/// Subscribes at a relay; the subscription lives as long as the streams returned.
pub(super) async fn subscribe(
    connection: &Connection,
    broadcast: u64,
) -> anyhow::Result<(SendStream, RecvStream)> {
    set_up(connection).await?;
    follow(connection, 0, broadcast).await
}

/// Subscribes on a session that is set up, under this id.
pub(super) async fn follow(
    connection: &Connection,
    id: u64,
    broadcast: u64,
) -> anyhow::Result<(SendStream, RecvStream)> {
    let deadline = Instant::now() + PATIENCE;
    while !ask_for_track(connection, broadcast).await? {
        if Instant::now() > deadline {
            bail!("the relay does not know the broadcast");
        }
        sleep(Duration::from_millis(50)).await;
    }
    let (mut send, recv) = connection.open_bi().await?;
    send.write_chunk(lite::subscription(id, broadcast)).await?;
    Ok((send, recv))
}

/// Whether the relay knows the track, which it may not do at once.
async fn ask_for_track(connection: &Connection, broadcast: u64) -> anyhow::Result<bool> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_chunk(lite::track_request(broadcast)).await?;
    let mut first = [0];
    let answer = tokio::time::timeout(PATIENCE, recv.read_exact(&mut first)).await;
    match answer.context("waiting for the track's properties")? {
        Ok(()) => {}
        Err(ReadExactError::ReadError(ReadError::Reset(_))) => return Ok(false),
        Err(error) => return Err(error).context("asking for the track's properties"),
    }
    recv.read_to_end(64)
        .await
        .context("reading the track's properties")?;
    Ok(true)
}

/// Receives groups for as long as the connection lives.
pub(super) async fn receive(connection: Connection, plan: Plan, tally: SharedTally) {
    while let Ok(stream) = connection.accept_uni().await {
        tokio::spawn(receive_group(stream, plan.clone(), tally.clone()));
    }
}

async fn receive_group(mut stream: RecvStream, plan: Plan, tally: SharedTally) {
    let mut reader = GroupReader::default();
    let mut stamps = Vec::new();
    let mut frames = 0;
    let ended = loop {
        let Ok(chunk) = stream.read_chunk(usize::MAX, true).await else {
            break false;
        };
        let Some(chunk) = chunk else {
            break reader.is_between_frames();
        };
        reader.feed(&chunk.bytes, |stamp| stamps.push(stamp));
        if !is_measured(&reader, &plan) {
            stamps.clear();
        }
        let now = plan.stamp(Instant::now());
        frames += stamps.len() as u64;
        let mut tally = tally.lock();
        for stamp in stamps.drain(..) {
            tally.add_frame(now.saturating_sub(stamp));
        }
    };
    if ended && frames == plan.load.group_frames && is_measured(&reader, &plan) {
        tally.lock().groups += 1;
    }
}

fn is_measured(reader: &GroupReader, plan: &Plan) -> bool {
    let sequence = reader.sequence();
    sequence.is_some_and(|sequence| plan.measured.contains(&sequence))
}

/// Waits for the first whole frame on any group stream.
pub(super) async fn first_frame(connection: &Connection) -> anyhow::Result<()> {
    loop {
        let mut stream = connection.accept_uni().await?;
        let (mut reader, mut has_frame) = (GroupReader::default(), false);
        while let Some(chunk) = stream.read_chunk(usize::MAX, true).await? {
            reader.feed(&chunk.bytes, |_| has_frame = true);
            if has_frame {
                return Ok(());
            }
        }
    }
}

/// How long a relay may take for one step of the set-up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
