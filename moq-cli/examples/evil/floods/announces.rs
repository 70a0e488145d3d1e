//! Many names, and many requests for all of them.

use moq_wire::{AnnounceRequest, BiStream, HopId, Path};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::place::Place;
use crate::publisher::{Publisher, serve};
use crate::tell;
use crate::wire::Wire;

/// Announces so many names in each of so many sessions.
pub(super) async fn names(place: Place, sessions: u64, count: u64) -> anyhow::Result<()> {
    let mut serving = JoinSet::new();
    for session in 0..sessions {
        let wire = Wire::dial(&place, 64).await?;
        let names = (0..count).map(|name| format!("evil/names/{session}/{name}"));
        let (asked, _nobody) = mpsc::unbounded_channel();
        let publisher = Publisher {
            names: names.collect(),
            hop: 0xe20 + session,
            asked,
        };
        serving.spawn(serve(wire, publisher));
    }
    tell(&format!("announced {}", sessions * count));
    // Neither ends unless the relay throws it out.
    match serving.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

/// Asks so often for all announcements; reads them, or leaves them.
pub(super) async fn listens(place: Place, count: u64, reads: bool) -> anyhow::Result<()> {
    let mut wire = Wire::dial(&place, 64).await?;
    let wish = AnnounceRequest {
        prefix: Path::default(),
        exclude_hop: HopId(0),
        include_hidden: true,
    };
    let (mut kept, mut reading) = (Vec::new(), JoinSet::new());
    for _ in 0..count {
        let request = wire.ask(BiStream::Announce, &wish).await?;
        if reads {
            kept.push(request.send);
            reading.spawn(request.inbox.drain());
        } else {
            kept.push(request.send);
            // It keeps the stream without reading it.
            reading.spawn(async move {
                std::future::pending::<()>().await;
                drop(request.inbox);
                true
            });
        }
    }
    tell(&format!("listening {count}"));
    std::future::pending::<()>().await;
    drop((kept, reading));
    Ok(())
}
