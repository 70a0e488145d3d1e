//! Viewers that read their streams and look at nothing.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::time::Duration;

use moq_session::Version;
use moq_session::testing::{MemoryConnection, Peer};
use moq_session::transport::{RecvStream as _, Transport as _};
use moq_wire::{BiStream, GroupSequence, GroupStart, Path, Setup, Subscribe, SubscribeId};

use crate::{FRAME, FRAMES, Failure};

/// What all viewers saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Groups that were read to their end.
    pub(crate) groups: Cell<u64>,
    /// Why a viewer stopped.
    pub(crate) failure: RefCell<Option<Failure>>,
}

/// Subscribes to the track, and reads whatever comes from then on.
pub(crate) async fn watch(
    connection: MemoryConnection,
    version: Version,
    seen: &Seen,
) -> Result<(), Failure> {
    let mut peer = Peer::new(connection.clone(), version);
    peer.setup(&Setup::default()).await;
    let request = Subscribe {
        id: SubscribeId(0),
        broadcast: Path::new("room")?,
        track: "data".to_owned(),
        priority: 127,
        max_age: Duration::from_secs(5),
        // Where a start is only a floor, there is no other word for the newest group and those after it.
        start: match version.features().start_is_floor {
            true => GroupStart::Floor(GroupSequence(0)),
            false => GroupStart::Latest,
        },
        last: None,
        frame_start: 0,
        frame_last: None,
    };
    let _subscription = peer.request(BiStream::Subscribe, &request).await;
    read(connection, seen).await
}

async fn read(mut connection: MemoryConnection, seen: &Seen) -> Result<(), Failure> {
    loop {
        let mut stream = poll_fn(|cx| connection.poll_accept_uni(cx)).await?;
        let mut bytes = 0;
        while let Some(chunk) = poll_fn(|cx| stream.poll_read_chunk(cx)).await? {
            bytes += chunk.len();
        }
        // The SETUP of the other side is shorter.
        if bytes > FRAMES * FRAME {
            seen.groups.set(seen.groups.get() + 1);
        }
    }
}
