//! Asking a source for what is made on demand.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crate::broadcast::{BroadcastConsumer, BroadcastShared};
use crate::budget::Feeder;
use crate::error::Abort;
use crate::group::GroupProducer;
use crate::origin::OriginConsumer;
use crate::path::BroadcastPath;
use crate::state::{Waiter, lock};
use crate::track::{Fetch, TrackConsumer, TrackFeed};

/// Somebody asks for a track. Dropping it refuses.
#[derive(Debug)]
pub struct TrackRequest {
    /// The broadcast.
    pub broadcast: BroadcastPath,
    /// Where its groups go, once [`TrackFeed::accept`] has settled the properties.
    pub track: TrackFeed,
}

/// Somebody asks for a group that is not held. Dropping it refuses.
#[derive(Debug)]
pub struct FetchRequest {
    /// The broadcast.
    pub broadcast: BroadcastPath,
    /// The track's name.
    pub track: Arc<str>,
    /// Which frames are asked for.
    pub fetch: Fetch,
    /// Where they go, beginning with the first that is asked for.
    pub group: GroupProducer,
}

impl FetchRequest {
    /// Waits until nobody reads the group, or it has ended; nobody can join it from then on.
    ///
    /// Cancel safe.
    pub fn unused(&self) -> impl Future<Output = ()> + use<> {
        self.group.unused()
    }
}

/// What somebody asks of a source.
#[derive(Debug)]
#[non_exhaustive]
pub enum Request {
    /// A track.
    Track(TrackRequest),
    /// One group of a track.
    Fetch(FetchRequest),
}

impl Request {
    fn refuse(self, reason: Abort) {
        match self {
            Self::Track(request) => request.track.abort(reason),
            Self::Fetch(request) => request.group.abort(reason),
        }
    }
}

/// Whom to ask for what a broadcast does not hold.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    path: BroadcastPath,
    requests: Arc<Requests>,
}

impl Upstream {
    pub(crate) fn request(&self, track: TrackFeed) {
        self.requests.push(Request::Track(TrackRequest {
            broadcast: self.path.clone(),
            track,
        }));
    }

    pub(crate) fn fetch(&self, request: impl FnOnce(BroadcastPath) -> FetchRequest) {
        self.requests
            .push(Request::Fetch(request(self.path.clone())));
    }
}

#[derive(Debug)]
struct Requests {
    feeder: Feeder,
    /// Where those are known who feed the source itself.
    there: Option<OriginConsumer>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<Request>,
    broadcasts: BTreeMap<BroadcastPath, std::sync::Weak<BroadcastShared>>,
    /// How many broadcasts there may be before those that are gone are looked for.
    roomy: usize,
    waiter: Waiter,
    is_closed: bool,
}

impl Queue {
    /// Forgets broadcasts that nobody has any more, once they may be the half of all.
    fn forget_gone(&mut self) {
        if self.broadcasts.len() >= self.roomy {
            self.broadcasts.retain(|_, held| held.strong_count() > 0);
            self.roomy = 2 * self.broadcasts.len().max(LEAST_ROOM);
        }
    }
}

/// Broadcasts that are remembered in any case.
const LEAST_ROOM: usize = 16;

impl Requests {
    fn push(&self, request: Request) {
        let mut queue = lock(&self.queue);
        if queue.is_closed {
            drop(queue);
            return request.refuse(Abort::Unroutable);
        }
        queue.requests.push_back(request);
        let waiter = queue.waiter.take();
        drop(queue);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// Broadcasts whose tracks are made on demand; clones are handles to the same source.
#[derive(Debug, Clone)]
pub struct RequestSource {
    shared: Arc<Requests>,
}

impl RequestSource {
    /// A source whose tracks are charged to `feeder`, and the queue in which its requests arrive.
    #[must_use]
    pub fn new(feeder: Feeder) -> (Self, RequestQueue) {
        Self::with(feeder, None)
    }

    /// As [`Self::new`], for a source that hands on broadcasts of another origin of this process.
    /// A track is charged to the feeder of that broadcast, if it fills the same budget, else to
    /// `feeder`.
    #[must_use]
    pub fn of_origin(there: OriginConsumer, feeder: Feeder) -> (Self, RequestQueue) {
        Self::with(feeder, Some(there))
    }

    fn with(feeder: Feeder, there: Option<OriginConsumer>) -> (Self, RequestQueue) {
        let shared = Arc::new(Requests {
            feeder,
            there,
            queue: Mutex::default(),
        });
        (
            Self {
                shared: shared.clone(),
            },
            RequestQueue { shared },
        )
    }

    /// Who is charged for a broadcast.
    fn feeder_of(&self, path: &BroadcastPath) -> Feeder {
        let own = &self.shared.feeder;
        let there = self.shared.there.as_ref();
        let there = there.and_then(|there| there.feeder(path));
        let there = there.filter(|feeder| feeder.budget().is_same(own.budget()));
        there.unwrap_or_else(|| own.clone())
    }

    /// Whom this source charges by default.
    pub(crate) fn feeder(&self) -> &Feeder {
        &self.shared.feeder
    }

    /// The track `name` of the broadcast at `path`, which the source is asked for.
    #[must_use]
    pub fn track(&self, path: &BroadcastPath, name: &str) -> TrackConsumer {
        self.broadcast(path).demand(name)
    }

    /// Ends the tracks of the broadcasts that `is_lost` names, and the groups of them that have begun.
    /// Whoever asks for such a track later has the source asked anew.
    pub fn lose(&self, reason: Abort, mut is_lost: impl FnMut(&BroadcastPath) -> bool) {
        let queue = lock(&self.shared.queue);
        let live = queue.broadcasts.iter();
        let live = live.filter_map(|(path, held)| Some((path.clone(), held.upgrade()?)));
        let live: Vec<_> = live.collect();
        // No code of others runs under the lock.
        drop(queue);
        for (_, broadcast) in live.iter().filter(|(path, _)| is_lost(path)) {
            broadcast.lose(reason);
        }
    }

    /// The broadcast at `path`, which exists as far as this source can tell.
    #[must_use]
    pub fn broadcast(&self, path: &BroadcastPath) -> BroadcastConsumer {
        // Looked up first: another lock must not be taken under this one.
        let feeder = self.feeder_of(path);
        let mut queue = lock(&self.shared.queue);
        if let Some(shared) = queue
            .broadcasts
            .get(path)
            .and_then(std::sync::Weak::upgrade)
        {
            return BroadcastConsumer::new(shared);
        }
        queue.forget_gone();
        let upstream = Upstream {
            path: path.clone(),
            requests: self.shared.clone(),
        };
        let shared = BroadcastShared::on_demand(feeder, upstream);
        queue
            .broadcasts
            .insert(path.clone(), Arc::downgrade(&shared));
        BroadcastConsumer::new(shared)
    }
}

/// Receives the requests of a [`RequestSource`]. Dropping it refuses those that come later.
#[derive(Debug)]
pub struct RequestQueue {
    shared: Arc<Requests>,
}

impl RequestQueue {
    /// Waits for the next request.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Request {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll form of [`Self::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Request> {
        let mut queue = lock(&self.shared.queue);
        match queue.requests.pop_front() {
            Some(request) => Poll::Ready(request),
            None => {
                let stale = queue.waiter.register(cx);
                drop(queue);
                drop(stale);
                Poll::Pending
            }
        }
    }
}

impl Drop for RequestQueue {
    fn drop(&mut self) {
        let requests = {
            let mut queue = lock(&self.shared.queue);
            queue.is_closed = true;
            std::mem::take(&mut queue.requests)
        };
        for request in requests {
            request.refuse(Abort::SessionClosed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    #[test]
    fn broadcasts_that_are_gone_are_forgotten_without_a_look_at_all_for_each_new_one() {
        let (source, _requests) = RequestSource::new(Budget::default().feeder());
        let ask = |n: u32| source.broadcast(&n.to_string().parse().unwrap());
        let live: Vec<_> = (0..1_000).map(ask).collect();
        for n in 1_000..11_000 {
            drop(ask(n));
        }
        let queue = lock(&source.shared.queue);
        assert!(queue.broadcasts.len() <= 2 * live.len());
        assert!(queue.roomy >= 2 * live.len(), "the next look is far away");
    }
}
