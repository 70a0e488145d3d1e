//! Which track a group belongs to, by the subscriptions that were seen.

use std::collections::BTreeMap;

use super::half::{Found, Item};
use super::message::Value;
use super::recording::End;

/// The tracks that were subscribed to: broadcast and name, by subscriber and id.
#[derive(Debug, Default)]
pub(crate) struct Tracks(BTreeMap<(End, u64), (Value, Value)>);

impl Tracks {
    /// Learns from a subscription; adds to a group what it belongs to.
    pub(crate) fn apply(&mut self, from: End, found: &mut Found) {
        let Item::Message(message) = &mut found.item else {
            return;
        };
        match message.name {
            "SUBSCRIBE" => {
                let track = [message.get("broadcast"), message.get("track")];
                if let (Some(&Value::Number(id)), [Some(broadcast), Some(track)]) =
                    (message.get("id"), track)
                {
                    let track = (broadcast.clone(), track.clone());
                    self.0.insert((from, id), track);
                }
            }
            "GROUP" | "DATAGRAM" => {
                let Some(&Value::Number(id)) = message.get("subscribe_id") else {
                    return;
                };
                if let Some((broadcast, track)) = self.0.get(&(from.peer(), id)) {
                    let track = [("broadcast", broadcast), ("track", track)];
                    message.insert_after("subscribe_id", track);
                }
            }
            _ => {}
        }
    }
}
