//! What is announced of a broadcast that is looked for.

use std::collections::BTreeMap;
use std::future::pending;

use moq_model::platform::clock::{self, Instant};
use moq_model::{Announced, AnnouncedEvent, BroadcastPath, HopId};

use crate::session::Session;

/// What is announced, as long as one session lasts.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) announced: Option<Announced>,
    pub(super) session: Option<Session>,
    /// What is announced at the path and above it, with who publishes it.
    pub(super) routes: BTreeMap<BroadcastPath, Option<HopId>>,
    /// Everything that existed was told.
    pub(super) is_live: bool,
    /// The peer was asked for what is not announced.
    pub(super) has_asked: bool,
}

/// Waits for the next announcement; without an origin there is only one, that there is none.
pub(super) async fn next(announced: Option<&mut Announced>, has_asked: bool) -> AnnouncedEvent {
    match announced {
        Some(announced) => announced.next().await,
        None if !has_asked => AnnouncedEvent::Live,
        None => pending().await,
    }
}

impl Following {
    /// Takes an event in; says whether it is a reason to ask for what was refused.
    pub(super) fn note(&mut self, event: AnnouncedEvent, wanted: &BroadcastPath) -> bool {
        tracing::debug!(?event, "announcement");
        match event {
            AnnouncedEvent::Start(path, route) | AnnouncedEvent::Update(path, route) => {
                if !wanted.has_prefix(&path) {
                    return false;
                }
                let is_exact = path == *wanted;
                self.routes.insert(path, publisher(&route.hops));
                is_exact
            }
            AnnouncedEvent::End(path) => {
                self.routes.remove(&path);
                false
            }
            AnnouncedEvent::Live => {
                self.is_live = true;
                false
            }
            _ => false,
        }
    }
}

/// Waits for the end of a session, for ever without one.
pub(super) async fn closed(session: Option<&Session>) {
    match session {
        Some(session) => drop(session.closed().await),
        None => pending().await,
    }
}

/// Waits until a time, for ever without one.
pub(super) async fn until(time: Option<Instant>) {
    match time {
        Some(time) => clock::sleep_until(time).await,
        None => pending().await,
    }
}

/// Who publishes: the first hop, unless that only stands for somebody without an id.
fn publisher(hops: &[HopId]) -> Option<HopId> {
    let is_stand_in = hops.get(1).is_some_and(|hop| hop.is_anonymous());
    let first = hops.first().copied();
    first.filter(|hop| !hop.is_anonymous() && !is_stand_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_identified_first_hop_tells_the_publisher() {
        let [a, b] = [HopId(7), HopId(8)];
        assert_eq!(publisher(&[a, b]), Some(a));
        assert_eq!(publisher(&[a, HopId::ANONYMOUS, b]), None);
        assert_eq!(publisher(&[HopId::ANONYMOUS]), None);
        assert_eq!(publisher(&[]), None);
    }
}
