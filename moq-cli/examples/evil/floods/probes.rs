//! Requests for estimates, more than anybody needs.

use moq_wire::BiStream;
use tokio::task::JoinSet;

use crate::place::Place;
use crate::tell;
use crate::wire::Wire;

/// Opens so many Probe streams, and reads all of them.
pub(super) async fn run(place: Place, count: u64) -> anyhow::Result<()> {
    let mut wire = Wire::dial(&place, 64).await?;
    let (mut kept, mut reading) = (Vec::new(), JoinSet::new());
    for _ in 0..count {
        let request = wire.open(BiStream::Probe).await?;
        kept.push(request.send);
        reading.spawn(request.inbox.drain());
    }
    tell(&format!("probing {count}"));
    std::future::pending::<()>().await;
    drop((kept, reading));
    Ok(())
}
