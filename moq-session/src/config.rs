//! What a session is started with.

use std::sync::Arc;
use std::time::Duration;

use moq_model::session::{RequestQueue, RequestSource, SessionId};
use moq_model::{BroadcastPath, Budget, OriginConsumer, OriginProducer};
use moq_wire::{Role, Version};

use crate::grant::Grant;
use crate::limits::Limits;

/// The parameters of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The drafts that are acceptable, most wanted first.
    pub versions: Vec<Version>,
    /// What the peer is served; an empty origin of the session's own without it.
    pub publish: Option<OriginProducer>,
    /// Where the peer's broadcasts appear. Without it the peer is not asked what it has until
    /// [`crate::Session::announced`] is called.
    pub subscribe: Option<OriginProducer>,
    /// The prefixes of the requests for announcements, relative to the root. If there is none, they follow
    /// from the peer's grant.
    pub asked: Vec<BroadcastPath>,
    /// What the peer is told this end is going to do; `None` means both. A hint, it grants nothing.
    pub role: Option<Role>,
    /// How long each answer of the peer may take, SETUP included.
    pub answer_timeout: Duration,
    /// What the peer may take of this end. Without it that depends on who the peer is: [`Limits::relay`]
    /// for one that this end has dialled, or whose grant calls it a relay, else the default.
    pub limits: Option<Limits>,
    /// The origin of the peer, if that is a sibling; see [`Self::with_sibling`].
    pub sibling: Option<OriginConsumer>,
    /// Where a peer that goes away may send a [`crate::Reconnect`]; a session by itself goes nowhere.
    #[cfg(feature = "tokio")]
    pub redirects: crate::reconnect::Redirects,
}

impl Config {
    /// Accepts these drafts only, most wanted first.
    #[must_use]
    pub fn with_versions(mut self, versions: impl Into<Vec<Version>>) -> Self {
        self.versions = versions.into();
        self
    }

    /// Serves the broadcasts of `origin` to the peer.
    #[must_use]
    pub fn with_publish(mut self, origin: OriginProducer) -> Self {
        self.publish = Some(origin);
        self
    }

    /// Lets the peer's broadcasts appear in `origin`.
    #[must_use]
    pub fn with_subscribe(mut self, origin: OriginProducer) -> Self {
        self.subscribe = Some(origin);
        self
    }

    /// Asks the peer for announcements below these prefixes only. A prefix with a hidden segment finds hidden
    /// broadcasts below it.
    #[must_use]
    pub fn with_asked(mut self, prefixes: impl Into<Vec<BroadcastPath>>) -> Self {
        self.asked = prefixes.into();
        self
    }

    /// Tells the peer what this end is going to do.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Takes the peer for a sibling: another part of the same relay, with the same hop id, joined to
    /// all that this one is joined to.
    ///
    /// What is announced to a sibling is handed on as it is, without a further hop or a price, and
    /// is told to no other sibling. Both ends have to be siblings to each other, and to speak
    /// moq-lite-06 or later.
    ///
    /// What the sibling hands on is charged to whoever feeds it `there`, its own origin.
    #[must_use]
    pub fn with_sibling(mut self, there: OriginConsumer) -> Self {
        self.sibling = Some(there);
        self
    }

    /// Sets where a peer that goes away may send a [`crate::Reconnect`].
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn with_redirects(mut self, redirects: crate::reconnect::Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Bounds each answer of the peer.
    #[must_use]
    pub fn with_answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// Sets what the peer may take of this end.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }
}

impl Config {
    /// What this peer may take.
    pub(crate) fn limits_of(&self, is_relay: bool) -> Limits {
        self.limits.clone().unwrap_or_else(|| match is_relay {
            true => Limits::relay(),
            false => Limits::default(),
        })
    }

    /// What asks the peer for tracks, and charges them to whom the grant names.
    pub(crate) fn source(
        &self,
        subscribe: &OriginProducer,
        grant: &Grant,
    ) -> (RequestSource, RequestQueue) {
        let budget = subscribe.budget();
        let named = |name: &Arc<str>| budget.feeder_named(name);
        let feeder = grant
            .identity
            .as_ref()
            .map_or_else(|| budget.feeder(), named);
        match &self.sibling {
            Some(there) => RequestSource::of_origin(there.clone(), feeder),
            None => RequestSource::new(feeder),
        }
    }

    /// The origin that the peer is served, and the one where its broadcasts appear. Where one of them is
    /// the session's own, it has the identity of the other, by which a circle of relays is recognised.
    pub(crate) fn origins(&self) -> (OriginProducer, OriginProducer) {
        let like = |other: &OriginProducer| OriginProducer::with(other.hop(), Budget::default());
        match (&self.publish, &self.subscribe) {
            (Some(publish), Some(subscribe)) => (publish.clone(), subscribe.clone()),
            (Some(publish), None) => (publish.clone(), like(publish)),
            (None, Some(subscribe)) => (like(subscribe), subscribe.clone()),
            (None, None) => {
                let subscribe = OriginProducer::new();
                (like(&subscribe), subscribe)
            }
        }
    }

    /// A name for the session in both origins.
    pub(crate) fn name_session(&self) -> SessionId {
        let id = SessionId::unique();
        if self.sibling.is_some() {
            id.with_sibling()
        } else {
            id
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            versions: Version::OFFERED.to_vec(),
            publish: None,
            subscribe: None,
            asked: Vec::new(),
            role: None,
            answer_timeout: Duration::from_secs(10),
            limits: None,
            sibling: None,
            #[cfg(feature = "tokio")]
            redirects: crate::reconnect::Redirects::default(),
        }
    }
}
