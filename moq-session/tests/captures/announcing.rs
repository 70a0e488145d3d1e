//! What a publishing application announced.

use moq_model::Route;
use moq_session::{BroadcastPath, HopId};
use moq_wire::{AnnounceEvent, UniStream};

use crate::message::{Message, Purpose};
use crate::plan::{Action, Talk, path};
use crate::publishing::Publishing;
use crate::words;

impl Publishing<'_> {
    pub(crate) fn announcements(
        &mut self,
        stream: usize,
        talk: &Talk,
        request: &moq_wire::AnnounceRequest,
    ) {
        let Some(prefix) = path(&request.prefix) else {
            return;
        };
        self.withheld(request.exclude_hop.0);
        for (offset, message) in &talk.answers {
            let Message::Announce(change) = message else {
                continue;
            };
            let joined = path(change.suffix()).and_then(|suffix| prefix.join(&suffix).ok());
            let Some(mut path) = joined else { continue };
            if change.suffix().as_str().is_empty() {
                path = self.presented(path);
            }
            let action = match change {
                AnnounceEvent::Start { route, .. } | AnnounceEvent::Update { route, .. } => {
                    self.announced.push(path.clone());
                    Action::Announce(path, self.route(route))
                }
                AnnounceEvent::End { .. } => Action::Retract(path),
            };
            let recording = self.scene.recording;
            let event = recording.written(stream, self.scene.own, *offset);
            self.plan.shown(recording, event, action);
        }
    }

    /// What was announced where a request for a path got that path itself for an answer: a path
    /// above it, if the description or an answer to another request says so.
    fn presented(&self, path: BroadcastPath) -> BroadcastPath {
        if let Some(broader) = words::broader(&self.scene.recording.description, &path) {
            return broader;
        }
        let above = self.scene.announced_by_name();
        let above = above.into_iter().filter(|shown| path.has_prefix(shown));
        let nearest = above.max_by_key(|shown| shown.as_str().len());
        nearest.unwrap_or(path)
    }

    /// A route through the peer, which the recorded end had and was not to tell.
    fn withheld(&mut self, excluded: u64) {
        let setups = self
            .scene
            .opened_by(self.peer(), Purpose::Uni(UniStream::Setup));
        let declared = setups
            .flat_map(|(_, talk)| &talk.requests)
            .find_map(|(_, message)| match message {
                Message::Setup(_, setup) => setup.hop,
                _ => None,
            });
        for hop in [excluded, declared.map_or(0, |hop| hop.0)] {
            if let Some(path) = words::route_through(&self.scene.recording.description, hop) {
                let mut route = Route::local();
                route.hops = vec![HopId(hop)];
                self.plan.before.push(Action::Announce(path.clone(), route));
                self.announced.push(path);
            }
        }
    }

    /// A route as the application gave it: without the sender itself.
    fn route(&self, route: &moq_wire::Route) -> Route {
        let features = self.scene.recording.version.features();
        let mut hops: Vec<_> = route.hops.iter().map(|hop| HopId(hop.0)).collect();
        if features.sender_in_chain {
            hops.pop();
        }
        let (warm, cold) = match features.typed_announce {
            // No sender was ever found to give two different ones.
            true => (route.warm_cost, route.warm_cost),
            false => (0, 0),
        };
        let mut route = Route::local();
        (route.hops, route.warm_cost, route.cold_cost) = (hops, warm, cold);
        route
    }
}
