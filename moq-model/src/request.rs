//! Asking a source for what is made on demand.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crate::broadcast::{BroadcastConsumer, BroadcastShared};
use crate::budget::Budget;
use crate::error::Abort;
use crate::group::GroupProducer;
use crate::path::BroadcastPath;
use crate::state::{Waiter, lock};
use crate::track::{Fetch, TrackProducer};

/// Somebody asks for a track. Dropping it refuses.
#[derive(Debug)]
pub struct TrackRequest {
    /// The broadcast.
    pub broadcast: BroadcastPath,
    /// Where its groups go, once [`TrackProducer::accept`] has settled the properties.
    pub track: TrackProducer,
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
        let group = self.group.group().clone();
        poll_fn(move |cx| group.poll_unused(cx))
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
    pub(crate) fn request(&self, track: TrackProducer) {
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
    budget: Budget,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<Request>,
    broadcasts: BTreeMap<BroadcastPath, std::sync::Weak<BroadcastShared>>,
    waiter: Waiter,
    is_closed: bool,
}

impl Requests {
    fn push(&self, request: Request) {
        let mut queue = lock(&self.queue);
        if queue.is_closed {
            drop(queue);
            return request.refuse(Abort::Unroutable);
        }
        queue.requests.push_back(request);
        queue.waiter.wake();
    }
}

/// Broadcasts whose tracks are made on demand; clones are handles to the same source.
#[derive(Debug, Clone)]
pub struct RequestSource {
    shared: Arc<Requests>,
}

impl RequestSource {
    /// A source, and the queue in which its requests arrive.
    #[must_use]
    pub fn new(budget: Budget) -> (Self, RequestQueue) {
        let shared = Arc::new(Requests {
            budget,
            queue: Mutex::default(),
        });
        (
            Self {
                shared: shared.clone(),
            },
            RequestQueue { shared },
        )
    }

    /// The broadcast at `path`, which exists as far as this source can tell.
    #[must_use]
    pub fn broadcast(&self, path: &BroadcastPath) -> BroadcastConsumer {
        let mut queue = lock(&self.shared.queue);
        if let Some(shared) = queue
            .broadcasts
            .get(path)
            .and_then(std::sync::Weak::upgrade)
        {
            return BroadcastConsumer::new(shared);
        }
        queue.broadcasts.retain(|_, held| held.strong_count() > 0);
        let upstream = Upstream {
            path: path.clone(),
            requests: self.shared.clone(),
        };
        let shared = BroadcastShared::on_demand(self.shared.budget.clone(), upstream);
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
                queue.waiter.register(cx);
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
