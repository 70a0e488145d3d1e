//! Relays of two parts, joined in memory.

use std::sync::{Arc, Mutex, PoisonError};

use moq_session::memory::memory_pair;
use moq_session::{BroadcastPath, Config, Established, Grant, Limits, Session, Version};

use crate::judge::Judge;

/// Streams of a kind that one part may have open to the other.
const STREAMS: usize = 16_384;
/// The draft that parts speak to each other.
const LINK: Version = Version::Lite06;

/// The sessions between the parts of a relay, both ends of each.
pub type Joints = Arc<Mutex<Vec<Session>>>;

/// Keeps two parts of a relay joined. Neither ends the session, so its end is a defect.
pub async fn join(parts: [Config; 2], joints: Joints, judge: Judge) {
    let (near, far) = memory_pair(LINK);
    for end in [&near, &far] {
        end.allow_uni(STREAMS);
        end.allow_bi(STREAMS);
    }
    let [one, other] = &parts;
    let (one, other) = (sibling(one, other), sibling(other, one));
    let accept = async {
        let request = Session::accept(Established::new(far), other).await.ok()?;
        let everything = Grant::everything(BroadcastPath::root());
        request.accept(everything).await.ok()
    };
    let (connected, accepted) = tokio::join!(Session::connect_with(near, one), accept);
    let (Ok(connected), Some(accepted)) = (connected, accepted) else {
        return judge.violation("the parts of a relay are not joined".to_owned());
    };
    joints
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend([connected.clone(), accepted]);
    let error = connected.closed().await;
    judge.violation(format!("the parts of a relay lose each other: {error}"));
}

/// What a part is joined to the part `there` with.
fn sibling(config: &Config, there: &Config) -> Config {
    let there = there.subscribe.clone().unwrap_or_default();
    config
        .clone()
        .with_versions([LINK])
        .with_limits(Limits::trusted())
        .with_sibling(there.consume())
}

/// What is served over such sessions now, and bytes of groups so far.
pub fn carried(joints: &Joints) -> (u64, u64) {
    let joints = joints.lock().unwrap_or_else(PoisonError::into_inner);
    let owed = joints.iter().map(Session::outstanding);
    owed.fold((0, 0), |(served, bytes), owed| {
        let now = owed.subscriptions + owed.unconfirmed + owed.fetches;
        (served + now as u64, bytes + owed.bytes)
    })
}
