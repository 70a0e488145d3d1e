//! What a session may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use moq_model::platform::clock::Instant;
use moq_model::{BroadcastPath, PathError};

/// What a peer is allowed: the answer to a [`crate::Request`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Grant {
    /// Every path of the session lies below it.
    pub root: BroadcastPath,
    /// Where the peer may publish; absolute, not relative to the root.
    pub publish: Vec<Pattern>,
    /// What the peer may subscribe to and hear announced; absolute, not relative to the root.
    pub subscribe: Vec<Pattern>,
    /// When the session ends at the latest.
    pub until: Option<Instant>,
    /// Who the peer is, as far as memory is concerned: what sessions of one identity publish is
    /// one [`Feeder`](moq_model::Feeder) of the budget. Without an identity each session is one.
    pub identity: Option<Arc<str>>,
    /// The peer is a relay, which asks and announces on behalf of all its own peers.
    pub is_relay: bool,
}

impl Grant {
    /// Nothing below `root`, for adding to.
    #[must_use]
    pub fn new(root: BroadcastPath) -> Self {
        Self {
            root,
            publish: Vec::new(),
            subscribe: Vec::new(),
            until: None,
            identity: None,
            is_relay: false,
        }
    }

    /// Everything below `root`.
    #[must_use]
    pub fn everything(root: BroadcastPath) -> Self {
        Self::new(root)
            .publish([Pattern::everything()])
            .subscribe([Pattern::everything()])
    }

    /// Also allows publishing where one of the patterns matches.
    #[must_use]
    pub fn publish(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.publish.extend(patterns);
        self
    }

    /// Also allows subscribing where one of the patterns matches.
    #[must_use]
    pub fn subscribe(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.subscribe.extend(patterns);
        self
    }

    /// Ends the session at `until`.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Names the peer, for sharing memory with others.
    #[must_use]
    pub fn with_identity(mut self, identity: impl Into<Arc<str>>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// The prefixes below which the peer can publish, relative to the root: the literal part of each
    /// pattern. A prefix below another one is left out, unless it has a hidden segment and the draft `hides`
    /// such paths from requests above them.
    pub(crate) fn publish_prefixes(&self, hides: bool) -> Vec<BroadcastPath> {
        let patterns = self.publish.iter();
        let granted = patterns.filter(|pattern| pattern.overlaps(&self.root));
        let relative = |pattern: &Pattern| pattern.prefix.strip_prefix(&self.root);
        let prefixes = granted.map(|pattern| relative(pattern).unwrap_or_else(BroadcastPath::root));
        let prefixes: BTreeSet<_> = prefixes.collect();
        let is_covered = |prefix: &BroadcastPath| {
            let above = prefixes.iter().filter(|other| *other != prefix);
            let mut suffixes = above.filter_map(|other| prefix.strip_prefix(other));
            suffixes.any(|suffix| !hides || !suffix.is_hidden())
        };
        let asked = prefixes.iter().filter(|prefix| !is_covered(prefix));
        asked.cloned().collect()
    }

    /// Whether everything that `other` allows is allowed by this, too, to the same peer below the same
    /// root. How long either lasts makes no difference.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.root == other.root
            && self.identity == other.identity
            && covers(&self.publish, &other.publish)
            && self.may_subscribe_all(other)
    }

    /// Whether everything that `other` allows to subscribe to is allowed by this, too.
    pub(crate) fn may_subscribe_all(&self, other: &Self) -> bool {
        covers(&self.subscribe, &other.subscribe)
    }

    /// Takes the peer for a relay: it may ask for as much as a session that this end has dialled, and what
    /// it announces beyond the limit is left out, instead of closing the session.
    #[must_use]
    pub fn for_relay(mut self) -> Self {
        self.is_relay = true;
        self
    }

    pub(crate) fn may_publish(&self, path: &BroadcastPath) -> bool {
        self.publish.iter().any(|pattern| pattern.matches(path))
    }

    pub(crate) fn may_subscribe(&self, path: &BroadcastPath) -> bool {
        self.subscribe.iter().any(|pattern| pattern.matches(path))
    }
}

/// Whether each of the other patterns lies in one of these.
fn covers(own: &[Pattern], others: &[Pattern]) -> bool {
    let mut others = others.iter();
    others.all(|other| own.iter().any(|pattern| pattern.covers(other)))
}

/// A set of broadcast paths: `**` for all, `room/**` for `room` and what lies below, `room` for that
/// one alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    prefix: BroadcastPath,
    is_subtree: bool,
}

impl Pattern {
    /// All paths.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            prefix: BroadcastPath::root(),
            is_subtree: true,
        }
    }

    /// Whether `path` is in the set.
    #[must_use]
    pub fn matches(&self, path: &BroadcastPath) -> bool {
        if self.is_subtree {
            path.has_prefix(&self.prefix)
        } else {
            *path == self.prefix
        }
    }

    /// Whether the set has every path of another one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let has_all = self.is_subtree || !other.is_subtree;
        has_all && self.matches(&other.prefix)
    }

    /// Whether the set has a path at or below `root`.
    #[must_use]
    pub fn overlaps(&self, root: &BroadcastPath) -> bool {
        self.prefix.has_prefix(root) || self.matches(root)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (prefix, is_subtree) = match text.strip_suffix("**") {
            Some("") => ("", true),
            Some(prefix) if prefix.ends_with('/') => (prefix, true),
            _ => (text, false),
        };
        if prefix.contains('*') {
            return Err(PatternError::Wildcard);
        }
        Ok(Self {
            prefix: BroadcastPath::new(prefix)?,
            is_subtree,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_subtree, self.prefix.is_root()) {
            (true, true) => f.write_str("**"),
            (true, false) => write!(f, "{}/**", self.prefix),
            (false, _) => write!(f, "{}", self.prefix),
        }
    }
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A `*` elsewhere than as a last segment `**`.
    #[error("`*` may only stand in a last segment `**`, as in `**` or `room/**`")]
    Wildcard,
    /// What stands before it is no path.
    #[error(transparent)]
    Path(#[from] PathError),
}

#[cfg(test)]
mod tests;
