//! Following what the peer announces.

mod listen;
mod pace;
mod table;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use moq_model::BroadcastPath;
use moq_model::platform::clock;
use moq_model::session::SyncGuard;
use tokio::sync::oneshot;

use crate::context::{Context, Shared};
use crate::error::{SessionError, StreamError};
use crate::transport::Transport;
use listen::listen;
pub(super) use pace::Hurried;

/// How long to wait before asking again a peer that reset the stream; doubled each time.
const RETRY: Duration = Duration::from_millis(500);
/// The longest such wait.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// What waits for the initial set of a stream.
#[derive(Debug, Clone)]
struct Waiting {
    /// Watchers are told that the set is not complete yet.
    sync: Option<Arc<SyncGuard>>,
    /// Streams that a wider grant has made superfluous: they end once every stream that takes their place
    /// has told its set, so that nobody sees a gap.
    outdated: Option<Arc<Vec<Asked>>>,
}

/// Keeps a stream, which ends when this is dropped.
type Asked = oneshot::Sender<Infallible>;

impl Waiting {
    fn is_over(&self) -> bool {
        self.sync.is_none() && self.outdated.is_none()
    }

    /// The set is complete, or will not be known.
    fn end(&mut self) {
        self.sync = None;
        self.outdated = None;
    }
}

/// Follows the peer's announcements once somebody wants them, below each prefix that it may publish at,
/// as far as the grant goes at the time.
pub(super) async fn follow<T: Transport>(
    context: Context<T>,
    sync: SyncGuard,
) -> Result<(), SessionError> {
    context.subscribing.wants_announcements.notified().await;
    let mut granted = context.grant.changes();
    let mut sync = Some(Arc::new(sync));
    let mut asked: BTreeMap<BroadcastPath, Asked> = BTreeMap::new();
    loop {
        let prefixes = context
            .subscribing
            .asked_below(&granted.current(), context.version);
        let (kept, outdated): (BTreeMap<_, _>, BTreeMap<_, _>) = asked
            .into_iter()
            .partition(|(prefix, _)| prefixes.contains(prefix));
        asked = kept;
        let outdated: Vec<_> = outdated.into_values().collect();
        let waiting = Waiting {
            sync: sync.take(),
            outdated: (!outdated.is_empty()).then(|| Arc::new(outdated)),
        };
        log_prefixes(&context, &prefixes);
        for prefix in prefixes {
            if asked.contains_key(&prefix) {
                continue;
            }
            let (stream, end) = oneshot::channel();
            let follow = follow_below(context.clone(), prefix.clone(), waiting.clone(), end);
            context.spawner.spawn(Box::pin(follow));
            asked.insert(prefix, stream);
        }
        drop(waiting);
        granted.changed().await;
    }
}

/// Tells the log where not everything is asked for.
fn log_prefixes(context: &Shared, prefixes: &[BroadcastPath]) {
    if prefixes.iter().any(BroadcastPath::is_root) {
        return;
    }
    let below: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
    let (remote, below) = (context.info.remote, below.join(", "));
    tracing::info!(
        ?remote,
        below,
        "announcements are asked for below these only"
    );
}

/// Follows what the peer announces below one prefix, until others take the place of that.
async fn follow_below<T: Transport>(
    context: Context<T>,
    prefix: BroadcastPath,
    waiting: Waiting,
    end: oneshot::Receiver<Infallible>,
) -> Result<(), SessionError> {
    tokio::select! {
        biased;
        _ = end => Ok(()),
        followed = keep_listening(&context, &prefix, waiting) => followed,
    }
}

async fn keep_listening<T: Transport>(
    context: &Context<T>,
    prefix: &BroadcastPath,
    mut waiting: Waiting,
) -> Result<(), SessionError> {
    let mut retry = RETRY;
    loop {
        let mut is_answered = false;
        match listen(context, prefix, &mut waiting, &mut is_answered).await {
            Ok(()) => return Ok(()),
            Err(StreamError::Peer(fault)) => return Err(fault.into()),
            // It would be no other the next time.
            Err(StreamError::Encode(error)) => return Err(error.into()),
            Err(StreamError::Transport) => return Ok(()),
            Err(_) if context.is_leaving() => return Ok(()),
            Err(error) => tracing::debug!(%error, ?retry, "announcements ended, asking again"),
        }
        // The streams whose place this one takes are needed until it is answered.
        waiting.sync = None;
        if is_answered {
            retry = RETRY;
        }
        clock::sleep(retry).await;
        retry = (retry * 2).min(MAX_RETRY);
    }
}
