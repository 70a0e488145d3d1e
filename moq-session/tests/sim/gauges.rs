//! What is in use.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::siblings::carried;
use crate::world::World;

impl World {
    /// What is in use: by name, with a number each.
    ///
    /// Peers that were asked to leave for another node stay there, so what such a move takes along is
    /// counted together for both places.
    pub fn gauges(&self) -> Vec<(String, u64)> {
        let mut gauges = Gauges::default();
        for (link, open) in self.net.open_streams().into_iter().enumerate() {
            let home = self.plan.links[link].spare_of.unwrap_or(link);
            gauges.add(format!("open streams of link {home}"), open as u64);
        }
        let has_spares = self.plan.links.iter().any(|link| link.spare_of.is_some());
        self.nodes(|nodes| {
            for (node, up) in nodes {
                let sessions = up.sessions.lock().unwrap_or_else(PoisonError::into_inner);
                let owed = sessions.1.values().map(|session| session.outstanding());
                let owed: usize = owed
                    .map(|owed| owed.subscriptions + owed.unconfirmed + owed.fetches)
                    .sum();
                let is_shared = has_spares && (1..=self.plan.relays).contains(node);
                let count = sessions.1.len() as u64;
                if is_shared {
                    gauges.add("sessions of all relays".to_owned(), count);
                } else {
                    gauges.add(format!("sessions of node {node}"), count);
                }
                gauges.add(format!("requests served by node {node}"), owed as u64);
                let (served, _) = carried(&up.joints);
                gauges.add(format!("requests served inside node {node}"), served);
                let held = up.origin.budget().used();
                gauges.add(format!("bytes held by node {node}"), held);
            }
        });
        let metrics = tokio::runtime::Handle::current().metrics();
        gauges.add("tasks".to_owned(), metrics.num_alive_tasks() as u64);
        gauges.0.into_iter().collect()
    }
}

#[derive(Debug, Default)]
struct Gauges(BTreeMap<String, u64>);

impl Gauges {
    fn add(&mut self, name: String, count: u64) {
        *self.0.entry(name).or_default() += count;
    }
}
