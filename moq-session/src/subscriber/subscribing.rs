//! What this end asks of the peer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moq_model::session::{RequestSource, SessionRoutes};
use moq_model::{BroadcastPath, HopId};
use moq_wire::{SubscribeId, Version};
use tokio::sync::{Notify, watch};

use super::announce::Hurried;
use super::feed::Feed;
use crate::grant::Grant;

/// What this end asks of the peer.
#[derive(Debug)]
pub(crate) struct Subscribing {
    /// Asks the peer for tracks.
    pub(crate) source: RequestSource,
    /// The prefixes of the requests for announcements, relative to the root; none for those of the grant.
    asked: Vec<BroadcastPath>,
    /// Somebody wants to know what the peer announces.
    pub(crate) wants_announcements: Notify,
    pub(super) hurried: Hurried,
    /// Stands for a publisher without an id, for the life of the session.
    pub(super) stamp: HopId,
    /// Subscriptions of this end, by id.
    feeds: Mutex<BTreeMap<SubscribeId, Arc<Feed>>>,
    next_id: AtomicU64,
    /// Group streams that are not read on, because their readers are behind.
    pub(super) paused_streams: AtomicUsize,
    /// The routes of a peer that is silent, told again with every look.
    pub(super) silent: watch::Sender<Option<Arc<SessionRoutes>>>,
}

impl Subscribing {
    pub(crate) fn new(source: RequestSource, asked: Vec<BroadcastPath>) -> Self {
        Self {
            source,
            asked,
            wants_announcements: Notify::new(),
            hurried: Hurried::default(),
            stamp: HopId::random(),
            feeds: Mutex::default(),
            next_id: AtomicU64::new(0),
            paused_streams: AtomicUsize::new(0),
            silent: watch::Sender::new(None),
        }
    }

    /// The prefixes of the requests for announcements, relative to the root.
    pub(super) fn asked_below(&self, grant: &Grant, version: Version) -> Vec<BroadcastPath> {
        match self.asked.is_empty() {
            true => grant.publish_prefixes(!version.features().include_hidden),
            false => self.asked.clone(),
        }
    }

    pub(crate) fn feeds(&self) -> MutexGuard<'_, BTreeMap<SubscribeId, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_id(&self) -> SubscribeId {
        SubscribeId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}
