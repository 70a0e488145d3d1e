//! A link for reading.

use moq_session::{Budget, HopId, OriginConsumer, OriginProducer, Role};

use super::{Link, config};
use crate::args::ClientArgs;
use crate::progress::Console;
use moq_relay::memory;

/// Connects to read, and yields where what the server announces appears.
///
/// # Errors
/// As [`Link::connect`].
pub(crate) async fn reader(
    args: &ClientArgs,
    budget: Budget,
    console: &Console,
) -> anyhow::Result<(Link, OriginConsumer)> {
    let origin = OriginProducer::with(HopId::random(), budget);
    let config = config(args)
        .with_subscribe(origin.clone())
        .with_role(Role::Subscriber);
    let link = Link::connect(args, config, console).await?;
    Ok((link, origin.consume()))
}

/// What holds only what was not read yet: `buffer` bytes, by default a quarter of the memory.
pub(crate) fn unread(buffer: Option<u64>) -> Budget {
    Budget::without_history(buffer.unwrap_or_else(|| memory::quarter(MOST_BUFFERED)))
}

/// Relays send newest first, so the first group of a file may come after all others.
const MOST_BUFFERED: u64 = 1 << 30;
