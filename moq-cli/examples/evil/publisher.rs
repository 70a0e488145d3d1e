//! A publisher that announces any names, has any track, and lets others decide what is sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use moq_session::Version;
use moq_session::transport::SendStream as _;
use moq_wire::{
    AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, GroupSequence, HopId,
    Path, Route, Subscribe, SubscribeId, SubscribeOk, SubscribeResponse, Track, TrackInfo,
    put_message,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::wire::{Request, Wire, write};

/// What a publisher is known by.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) names: Vec<String>,
    /// The first hop of its routes.
    pub(crate) hop: u64,
    /// Told of each subscription that comes.
    pub(crate) asked: UnboundedSender<SubscribeId>,
}

/// Answers what the relay asks, until the connection ends.
pub(crate) async fn serve(mut wire: Wire, publisher: Publisher) -> anyhow::Result<()> {
    let publisher = Arc::new(publisher);
    loop {
        let request = wire.accept().await?;
        let (wire, publisher) = (wire.clone(), publisher.clone());
        tokio::spawn(async move { publisher.answer(&wire, request).await });
    }
}

impl Publisher {
    async fn answer(&self, wire: &Wire, mut request: Request) -> anyhow::Result<()> {
        let kind = request.inbox.kind().await?;
        let mut answer = BytesMut::new();
        match BiStream::from_code(kind, wire.version) {
            Some(BiStream::Announce) => {
                let wish: AnnounceRequest = request.inbox.message().await?;
                anyhow::ensure!(wish.prefix == Path::default(), "only all can be asked for");
                self.announce(wire, &mut answer)?;
            }
            Some(BiStream::Track) => {
                let _: Track = request.inbox.message().await?;
                put_message(&info(), &mut answer, wire.version)?;
                write(&mut request.send, answer).await?;
                request.send.finish();
                return Ok(());
            }
            Some(BiStream::Subscribe) => {
                let wish: Subscribe = request.inbox.message().await?;
                accept(&wish, wire.version).put(&mut answer, wire.version)?;
                // Nobody listens once the flood is over.
                let _ = self.asked.send(wish.id);
            }
            _ => {}
        }
        write(&mut request.send, answer).await?;
        request.inbox.drain().await;
        request.send.finish();
        Ok(())
    }

    fn announce(&self, wire: &Wire, answer: &mut BytesMut) -> anyhow::Result<()> {
        let features = wire.version.features();
        if features.announce_ok {
            let (hop, active) = (HopId(self.hop), self.names.len() as u64);
            put_message(&AnnounceOk { hop, active }, answer, wire.version)?;
        }
        let mut route = Route::default();
        if features.sender_in_chain {
            route.hops.push(HopId(self.hop));
        }
        let starts = self.names.iter().map(|name| {
            let (suffix, route) = (Path::new(name)?, route.clone());
            Ok(AnnounceEvent::Start { suffix, route })
        });
        let starts: Vec<_> = starts.collect::<anyhow::Result<_>>()?;
        AnnounceEncoder::with_initial(wire.version, &starts, answer)?;
        Ok(())
    }
}

/// That a subscription is served, as far as the draft has a word for it.
fn accept(wish: &Subscribe, version: Version) -> SubscribeResponse {
    if version.features().start_end {
        return SubscribeResponse::Start(GroupSequence(0));
    }
    SubscribeResponse::Ok(SubscribeOk {
        priority: wish.priority,
        max_age: wish.max_age,
        start: None,
        last: None,
    })
}

fn info() -> TrackInfo {
    TrackInfo {
        priority: 0,
        max_age: Duration::from_secs(10),
        timescale: 1_000,
    }
}
