//! A viewer of many tracks that lets no group through.

use std::future::poll_fn;
use std::time::Duration;

use moq_session::transport::Transport as _;
use moq_wire::BiStream;

use crate::place::Place;
use crate::tell;
use crate::wire::Wire;

/// Subscribes so often to `good`, without credit for any group.
pub(super) async fn run(place: Place, count: u64) -> anyhow::Result<()> {
    // The relay's SETUP has the only stream there is, as long as nobody reads it.
    let has_setup = place.version.features().setup_stream;
    let mut wire = Wire::dial(&place, u32::from(has_setup)).await?;
    let mut setup = None;
    if has_setup {
        let connection = &mut wire.connection;
        setup = Some(poll_fn(|cx| connection.poll_accept_uni(cx)).await?);
    }
    let mut kept = Vec::new();
    for _ in 0..count {
        let mut wish = wire.subscribe("good", "fast")?;
        wish.max_age = MAX_AGE;
        kept.push(wire.ask(BiStream::Subscribe, &wish).await?);
    }
    tell(&format!("subscribed {count}"));
    std::future::pending::<()>().await;
    drop((kept, setup));
    Ok(())
}

/// How old a group may be that waits for a stream.
const MAX_AGE: Duration = Duration::from_secs(30);
