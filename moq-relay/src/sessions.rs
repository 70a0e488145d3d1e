//! From incoming connections to sessions.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moq_model::text::Escaped;
use moq_session::transport::Incoming;
use moq_session::{AcceptError, BroadcastPath, Grant, Refusal, Session};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::admission::{Applicant, Denial, Desk, WebOrigin};
use crate::listener::{Arrival, Listener};
use crate::places::{Places, network};
use crate::siblings::Siblings;

/// What all sessions of a relay share.
pub(crate) struct Hall {
    pub(crate) desk: Box<dyn Desk>,
    /// The pages that may connect; all if there is none.
    pub(crate) web_origins: Vec<WebOrigin>,
    pub(crate) places: Places,
    pub(crate) siblings: Siblings,
    /// Where the sessions of each origin run.
    pub(crate) runtimes: Vec<Handle>,
    pub(crate) live: Live,
}

impl Hall {
    /// Whether a page may connect. What has no origin is no page.
    fn lets_in(&self, origin: Option<&str>) -> bool {
        lets_in(&self.web_origins, origin)
    }
}

fn lets_in(web_origins: &[WebOrigin], origin: Option<&str>) -> bool {
    let is_one = |origin: &str| web_origins.iter().any(|one| one.matches(origin));
    web_origins.is_empty() || origin.is_none_or(is_one)
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Denied(#[from] Denial),
    #[error("cannot start the session")]
    Failed(#[from] AcceptError),
}

/// Lets a listener's peers in until it is closed. Its first worker is the relay's number `first`.
pub(crate) async fn serve<L: Listener>(listener: L, first: usize, hall: Arc<Hall>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            arrival = listener.accept() => {
                let Some(arrival) = arrival else { return };
                let runtime = hall.runtimes[first + arrival.worker].clone();
                tasks.spawn_on(answer(arrival, first, hall.clone()), &runtime);
            }
            Some(ended) = tasks.join_next() => tell_panic(ended),
        }
    }
}

/// Tells the log of a task that panicked; the others go on.
fn tell_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a bug on this side ended a session");
    }
}

/// Finds a connection its place, and serves it.
async fn answer<I>(arrival: Arrival<I>, first: usize, hall: Arc<Hall>)
where
    I: Incoming<Transport: Send> + Send,
{
    let Arrival {
        incoming,
        remote,
        worker,
    } = arrival;
    let refuse = |refusal: Refusal| (refusal.status(), refusal.close_code());
    if hall.live.is_draining() {
        let (status, code) = refuse(Refusal::Unavailable);
        return incoming.refuse(status, code).await;
    }
    let Some(_place) = hall.places.take(remote) else {
        tracing::warn!(%remote, limit = hall.places.most(), "refused: too many sessions from this address");
        let (status, code) = refuse(Refusal::TooManyRequests);
        return incoming.refuse(status, code).await;
    };
    if let Err(error) = run(incoming, remote, first + worker, &hall).await {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::info!(%remote, %error, source, "refused");
    }
}

/// One session, from its request to its end.
async fn run<I>(incoming: I, remote: SocketAddr, worker: usize, hall: &Hall) -> Result<(), Refused>
where
    I: Incoming<Transport: Send> + Send,
{
    // In a box of its own, because the task would keep the room for it as long as the session.
    let (session, root) = Box::pin(establish(incoming, remote, worker, hall)).await?;
    let _presence = hall.live.enter(session.clone());
    let (version, transport) = (session.version(), session.info().kind);
    tracing::info!(%remote, %version, %transport, root = %format_args!("/{root}"), "session opened");
    let error = session.closed().await;
    tracing::info!(%remote, root = %format_args!("/{root}"), reason = %error, "session closed");
    Ok(())
}

/// Answers a peer's request; gives the session and its root.
async fn establish<I>(
    incoming: I,
    remote: SocketAddr,
    worker: usize,
    hall: &Hall,
) -> Result<(Session, BroadcastPath), Refused>
where
    I: Incoming<Transport: Send> + Send,
{
    let config = hall.siblings.config(worker).clone();
    let request = Session::accept(incoming, config).await?;
    let applicant = Applicant::of(&request, remote);
    let grant = match judge(&applicant, hall).await {
        Ok(grant) => grant,
        Err(denial) => {
            request.refuse(denial.refusal).await;
            return Err(denial.into());
        }
    };
    // What one address publishes shares memory as one, unless the peer has a name.
    let grant = match grant.identity {
        Some(_) => grant,
        None => grant.with_identity(network(remote.ip()).to_string()),
    };
    let root = grant.root.clone();
    Ok((request.accept(grant).await?, root))
}

/// Asks the rules of the relay, then the admission.
async fn judge(applicant: &Applicant, hall: &Hall) -> Result<Grant, Denial> {
    if hall.live.is_draining() {
        return Err(Denial::new(Refusal::Unavailable, "the relay is going down"));
    }
    if !hall.lets_in(applicant.web_origin()) {
        let origin = applicant.web_origin().unwrap_or_default();
        let reason = format!("pages of {} may not connect", Escaped(origin));
        return Err(Denial::new(Refusal::Forbidden, reason));
    }
    let answer = timeout(ADMISSION, hall.desk.answer(applicant)).await;
    answer.unwrap_or_else(|_| {
        let reason = "the admission gave no answer in time";
        Err(Denial::new(Refusal::Unavailable, reason))
    })
}

/// The sessions that are up.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    sessions: Arc<Mutex<HashMap<u64, Session>>>,
    /// How many there are, and have been.
    count: watch::Sender<Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    now: usize,
    next: u64,
    is_draining: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sessions: Arc::default(),
            count: watch::Sender::new(Count::default()),
        }
    }
}

impl Live {
    /// Counts a session until what this returns is dropped.
    fn enter(&self, session: Session) -> Presence {
        let mut id = 0;
        self.count.send_modify(|count| {
            id = count.next;
            count.next += 1;
            count.now += 1;
        });
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(id, session);
        Presence {
            live: self.clone(),
            id,
        }
    }

    /// Takes in nobody from here on.
    pub(crate) fn begin_drain(&self) {
        self.count.send_modify(|count| count.is_draining = true);
    }

    /// Whether nobody is taken in any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.count.borrow().is_draining
    }

    /// The sessions that are up now.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.values().cloned().collect()
    }

    /// Waits until there is none.
    pub(crate) async fn none(&self) {
        let mut counts = self.count.subscribe();
        // The sender is held by `self`.
        let _ = counts.wait_for(|count| count.now == 0).await;
    }
}

/// A session that is up.
#[derive(Debug)]
struct Presence {
    live: Live,
    id: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let live = &self.live;
        let removed = {
            let mut sessions = live.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.remove(&self.id)
        };
        drop(removed);
        live.count.send_modify(|count| count.now -= 1);
    }
}

/// How long an admission may take.
const ADMISSION: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_origins_are_kept_out_and_programs_are_not() {
        let mut web_origins = Vec::new();
        assert!(lets_in(&web_origins, Some("https://evil.example")));
        assert!(lets_in(&web_origins, None));
        for pattern in ["https://page.example", "https://*.other.example"] {
            web_origins.push(pattern.parse().unwrap());
        }
        for (origin, is_in) in [
            (Some("https://page.example"), true),
            (Some("https://a.other.example"), true),
            (Some("https://evil.example"), false),
            (Some("null"), false),
            (None, true),
        ] {
            assert_eq!(lets_in(&web_origins, origin), is_in, "{origin:?}");
        }
    }
}
