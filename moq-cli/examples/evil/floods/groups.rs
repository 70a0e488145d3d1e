//! A publisher of more empty groups than anybody can keep.

use bytes::BytesMut;
use moq_wire::{GroupHeader, GroupSequence, UniStream, put_message};
use tokio::sync::mpsc;

use crate::place::Place;
use crate::publisher::{Publisher, serve};
use crate::tell;
use crate::wire::Wire;

/// Sends so many groups without a frame to the first subscription.
pub(super) async fn run(place: Place, count: u64) -> anyhow::Result<()> {
    let mut wire = Wire::dial(&place, 64).await?;
    let (asked, mut subscriptions) = mpsc::unbounded_channel();
    let publisher = Publisher {
        names: vec!["evil/groups".to_owned()],
        hop: 0xe11,
        asked,
    };
    let serving = tokio::spawn(serve(wire.clone(), publisher));
    tell("published");
    let subscribe_id = subscriptions.recv().await;
    let subscribe_id = subscribe_id.ok_or_else(|| anyhow::anyhow!("nobody subscribes"))?;
    tell("subscribed");
    for sequence in 0..count {
        let mut group = BytesMut::with_capacity(16);
        UniStream::Group.put(&mut group, wire.version)?;
        let header = GroupHeader {
            subscribe_id,
            sequence: GroupSequence(sequence),
            frame_start: 0,
        };
        put_message(&header, &mut group, wire.version)?;
        wire.open_uni(group).await?;
    }
    tell(&format!("sent {count}"));
    serving.await?
}
