//! Messages that break off in the middle, on all streams that can be had.

use std::time::Duration;

use bytes::BytesMut;
use moq_wire::{BiStream, varint};
use tokio::time::timeout;

use crate::place::Place;
use crate::tell;
use crate::wire::{Request, Wire};

/// In each of so many sessions: so many streams with so many bytes of a message that is longer.
pub(super) async fn run(
    place: Place,
    sessions: u64,
    (streams, bytes): (u64, u64),
) -> anyhow::Result<()> {
    let mut wires = Vec::new();
    for _ in 0..sessions {
        wires.push(Wire::dial(&place, 64).await?);
    }
    let mut kept = Vec::new();
    for stream in 0..streams {
        let kind = KINDS[stream as usize % KINDS.len()];
        for wire in &mut wires {
            let half = half(wire, kind, bytes as usize);
            // What is not taken in a while never is.
            if let Ok(half) = timeout(PATIENCE, half).await {
                kept.extend(half.ok());
            }
        }
    }
    tell(&format!("halves {}", kept.len()));
    std::future::pending::<()>().await;
    drop((kept, wires));
    Ok(())
}

async fn half(wire: &mut Wire, kind: BiStream, bytes: usize) -> anyhow::Result<Request> {
    let mut half = BytesMut::new();
    kind.put(&mut half, wire.version)?;
    varint::put(DECLARED, &mut half, wire.version)?;
    half.resize(half.len() + bytes, 0);
    wire.open_with(half).await
}

const KINDS: [BiStream; 4] = [
    BiStream::Subscribe,
    BiStream::Announce,
    BiStream::Track,
    BiStream::Fetch,
];
/// How long each message says it is.
const DECLARED: u64 = 65_000;
const PATIENCE: Duration = Duration::from_millis(20);
