//! Subscriptions that end at once, and how many of them a publisher sees.

use std::time::Duration;

use moq_session::transport::SendStream as _;
use moq_wire::BiStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::place::Place;
use crate::publisher::{Publisher, serve};
use crate::tell;
use crate::wire::Wire;

/// Subscribes so often to tracks of a publisher of its own, and ends each at once.
pub(super) async fn run(place: Place, count: u64) -> anyhow::Result<()> {
    let publishing = Wire::dial(&place, 64).await?;
    let (asked, mut reached) = mpsc::unbounded_channel();
    let publisher = Publisher {
        names: vec!["evil/cycles".to_owned()],
        hop: 0xe30,
        asked,
    };
    let serving = tokio::spawn(serve(publishing, publisher));
    let mut wire = Wire::dial(&place, 64).await?;
    // The first one tells that the name is known; it stays.
    let _first = loop {
        let wish = wire.subscribe("evil/cycles", "first")?;
        let request = wire.ask(BiStream::Subscribe, &wish).await?;
        tokio::select! {
            _ = reached.recv() => break request,
            () = sleep(Duration::from_millis(100)) => {}
        }
    };
    tell("known");
    let begin = Instant::now();
    let counting = tokio::spawn(async move {
        let mut seen = 0_u32;
        while reached.recv().await.is_some() {
            seen += 1;
            tell(&format!("reached {seen} {}", begin.elapsed().as_millis()));
        }
    });
    let mut kept = Vec::new();
    for n in 0..count {
        let wish = wire.subscribe("evil/cycles", &format!("track-{n}"))?;
        let mut request = wire.ask(BiStream::Subscribe, &wish).await?;
        // What ends in the packet in which it comes would reach nobody.
        sleep(PAUSE).await;
        request.send.finish();
        kept.push(request);
    }
    tell(&format!("cycled {count}"));
    serving.await??;
    counting.await?;
    drop(kept);
    Ok(())
}

/// How long a subscription is open.
const PAUSE: Duration = Duration::from_millis(1);
