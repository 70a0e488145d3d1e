//! Clients that stay connected, and do nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moq_session::{Config, FirstFailure, Reconnect, ReconnectPolicy, Session, Status};
use tokio::sync::Semaphore;

use crate::place::{Dialer, Place};
use crate::tell;

/// How many clients are where.
#[derive(Debug)]
struct Tally {
    count: usize,
    connected: AtomicUsize,
    back: AtomicUsize,
    /// Bounds those that connect for the first time.
    turns: Semaphore,
}

/// Connects so many, tells when all are, and then of each that has lost its session and has another.
pub(crate) fn start(place: &Place, count: usize) {
    let tally = Arc::new(Tally {
        count,
        connected: AtomicUsize::new(0),
        back: AtomicUsize::new(0),
        turns: Semaphore::new(AT_ONCE),
    });
    for _ in 0..count {
        let config = Config::default().with_versions([place.version]);
        tokio::spawn(stay(place.dialer(), config, tally.clone()));
    }
}

async fn stay(dialer: Dialer, config: Config, tally: Arc<Tally>) {
    let turn = tally.turns.acquire().await;
    let policy = ReconnectPolicy::default().with_first_failure(FirstFailure::Retried);
    let reconnect = Reconnect::with_policy(dialer, config, policy);
    let mut session = open(&reconnect).await;
    drop(turn);
    if tally.connected.fetch_add(1, Ordering::Relaxed) + 1 == tally.count {
        tell(&format!("idle {}", tally.count));
    }
    while let Some(lost) = session {
        lost.closed().await;
        session = open(&reconnect).await;
        let back = tally.back.fetch_add(1, Ordering::Relaxed) + 1;
        tell(&format!("back {back}"));
    }
}

/// Waits for a session; `None` if there never will be one.
async fn open(reconnect: &Reconnect<Dialer>) -> Option<Session> {
    let mut status = reconnect.status();
    loop {
        match &*status.borrow_and_update() {
            Status::Connected(session) if session.is_open() => return Some(session.clone()),
            Status::Failed(error) => {
                tell(&format!("failed {error}"));
                return None;
            }
            _ => {}
        }
        status.changed().await.ok()?;
    }
}

const AT_ONCE: usize = 50;
