//! A viewer that takes all it is sent, and measures how soon the first frame comes.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use moq_session::transport::{SendStream as _, Transport as _};
use moq_wire::{BiStream, GroupHeader, UniStream, code};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::place::Place;
use crate::wire::{Inbox, Request, Wire};

/// A session that only subscribes.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    wire: Wire,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Who waits for the first frame of a subscription.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Instant>>>,
    groups: AtomicU64,
}

impl Viewer {
    pub(crate) async fn start(place: &Place) -> anyhow::Result<Self> {
        let wire = Wire::dial(place, 1024).await?;
        let shared = Arc::new(Shared::default());
        tokio::spawn(take(wire.clone(), shared.clone()));
        Ok(Self { wire, shared })
    }

    /// Groups that came, of all subscriptions.
    pub(crate) fn groups(&self) -> u64 {
        self.shared.groups.load(Ordering::Relaxed)
    }

    /// Subscribes until it is not refused, and stays until the track's end.
    pub(crate) async fn follow(&mut self, path: &str, track: &str) -> anyhow::Result<()> {
        loop {
            let wish = self.wire.subscribe(path, track)?;
            let Request { send, inbox } = self.wire.ask(BiStream::Subscribe, &wish).await?;
            if inbox.drain().await {
                return Ok(());
            }
            drop(send);
            sleep(PAUSE).await;
        }
    }

    /// Subscribes; says how long it took until the first frame came, and leaves.
    pub(crate) async fn join(&mut self, path: &str, track: &str) -> anyhow::Result<Duration> {
        let wish = self.wire.subscribe(path, track)?;
        let (first, frame) = oneshot::channel();
        self.shared.wait(wish.id.0, Some(first));
        let begin = Instant::now();
        let asked = timeout(PATIENCE, async {
            let request = self.wire.ask(BiStream::Subscribe, &wish).await?;
            anyhow::Ok((request, frame.await))
        });
        let joined = asked.await.context("no frame in time");
        self.shared.wait(wish.id.0, None);
        let (mut request, at) = joined??;
        request.send.reset(code::stream::CANCELLED);
        Ok(at.context("no frame")?.duration_since(begin))
    }
}

impl Shared {
    /// Sets who waits for a subscription's first frame; returns who did.
    fn wait(
        &self,
        id: u64,
        waiting: Option<oneshot::Sender<Instant>>,
    ) -> Option<oneshot::Sender<Instant>> {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting {
            Some(waiting) => all.insert(id, waiting),
            None => all.remove(&id),
        }
    }

    async fn group(&self, mut inbox: Inbox, wire: &Wire) -> anyhow::Result<()> {
        let kind = inbox.kind().await?;
        if UniStream::from_code(kind, wire.version) != Some(UniStream::Group) {
            return Ok(());
        }
        let header: GroupHeader = inbox.message().await?;
        if inbox.has_more().await?
            && let Some(waiting) = self.wait(header.subscribe_id.0, None)
        {
            // Who waited may have given up.
            let _ = waiting.send(Instant::now());
        }
        inbox.drain().await;
        self.groups.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Takes all streams to their ends.
async fn take(mut wire: Wire, shared: Arc<Shared>) {
    let mut groups = JoinSet::new();
    loop {
        let connection = &mut wire.connection;
        let Ok(recv) = poll_fn(|cx| connection.poll_accept_uni(cx)).await else {
            return;
        };
        let (inbox, wire) = (Inbox::new(recv, wire.version), wire.clone());
        let shared = shared.clone();
        groups.spawn(async move { shared.group(inbox, &wire).await });
        while groups.try_join_next().is_some() {}
    }
}

/// From a refusal to the next attempt.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a first frame may take at most.
const PATIENCE: Duration = Duration::from_secs(5);
