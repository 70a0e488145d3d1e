//! The sending end of the generator.

use std::ops::Range;

use anyhow::Context as _;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::lite;
use super::timer::sleep_until;
use super::window::Plan;

/// Serves a relay's requests for these broadcasts, and yields the id of each of its subscriptions.
pub(super) async fn serve(
    connection: &Connection,
    broadcasts: Range<u64>,
) -> anyhow::Result<mpsc::UnboundedReceiver<u64>> {
    let mut setup = connection.open_uni().await?;
    setup
        .write_chunk(lite::setup(lite::Role::Publisher))
        .await?;
    setup.finish()?;

    let (subscribed, subscriptions) = mpsc::unbounded_channel();
    let connection = connection.clone();
    tokio::spawn(async move {
        while let Ok((send, recv)) = connection.accept_bi().await {
            let (subscribed, broadcasts) = (subscribed.clone(), broadcasts.clone());
            tokio::spawn(async move {
                if let Err(error) = answer((send, recv), broadcasts, subscribed).await {
                    eprintln!("   a request of the relay failed: {error:#}");
                }
            });
        }
    });
    Ok(subscriptions)
}

async fn answer(
    (mut send, mut recv): (SendStream, RecvStream),
    broadcasts: Range<u64>,
    subscribed: mpsc::UnboundedSender<u64>,
) -> anyhow::Result<()> {
    match lite::read_varint(&mut recv).await? {
        lite::ANNOUNCE => {
            let request = lite::read_message(&mut recv).await?;
            anyhow::ensure!(
                lite::asks_for_all(&request),
                "it asked for {request:?} only"
            );
            send.write_chunk(lite::announcements(broadcasts)).await?;
        }
        lite::SUBSCRIBE => {
            let request = lite::read_message(&mut recv).await?;
            send.write_chunk(lite::subscription_start()).await?;
            // Nobody listens any more once the generator is done.
            let _ = subscribed.send(lite::subscribe_id(request)?);
        }
        lite::TRACK => {
            lite::read_message(&mut recv).await?;
            send.write_chunk(lite::track_info()).await?;
            send.finish()?;
        }
        // What a relay asks beyond that gets no answer, which is allowed.
        _ => {}
    }
    // The stream stays open for as long as the relay wants it.
    while let Ok(Some(_)) = recv.read_chunk(usize::MAX, true).await {}
    Ok(())
}

/// Sends a group of one small frame, a millisecond of media time after the one before.
pub(super) async fn send_group(
    connection: &Connection,
    subscribe: u64,
    group: u64,
) -> anyhow::Result<()> {
    let mut stream = connection.open_uni().await?;
    let head = lite::group_head(subscribe, group);
    stream
        .write_all_chunks(&mut [head, lite::frame(group, 0, 100)])
        .await?;
    Ok(stream.finish()?)
}

/// Sends all groups, each frame when it is due, however late the ones before were.
pub(super) async fn publish(
    connection: Connection,
    (publisher, subscribe): (u64, u64),
    plan: Plan,
    start: Instant,
) -> anyhow::Result<()> {
    let size = usize::try_from(plan.load.frame_bytes)?;
    for group in 0..plan.measured.end {
        sleep_until(start + plan.due_of(publisher, group, 0)).await;
        let mut stream = connection
            .open_uni()
            .await
            .context("opening a group's stream")?;
        stream
            .write_chunk(lite::group_head(subscribe, group))
            .await?;
        let mut before = 0;
        for frame in 0..plan.load.group_frames {
            let due = start + plan.due_of(publisher, group, frame);
            sleep_until(due).await;
            let timestamp = plan.due(group, frame).as_millis() as u64;
            let bytes = lite::frame(timestamp - before, plan.stamp(due), size);
            before = timestamp;
            stream.write_chunk(bytes).await.context("writing a frame")?;
        }
        stream.finish()?;
    }
    Ok(())
}
