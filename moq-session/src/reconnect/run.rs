//! Dialling, over and over, and moving.

use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::session::SyncGuard;
use moq_model::text::Escaped;
use moq_model::{AnnouncedEvent, BroadcastPath};
use tokio::task::JoinSet;

use super::board::{Board, Lingering};
use super::policy::{FirstFailure, ReconnectPolicy};
use super::{Dial, DialError, Status};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConnectError, SessionError};
use crate::session::Session;

/// How long a session is kept for the tracks it carries once there is a new one.
const LINGER: Duration = Duration::from_secs(5);
/// How often is looked whether it carries any.
const LOOK: Duration = Duration::from_millis(500);

/// Why a dialer has no session.
type Refused<D> = DialError<<D as Dial>::Error>;

/// Keeps one session up.
pub(super) struct Runner<D: Dial> {
    home: D,
    /// Where a peer has sent this end.
    away: Option<D>,
    config: Config,
    policy: ReconnectPolicy,
    board: Board<D::Error>,
    /// Dials in a row without a session that lived for a while.
    attempt: u32,
    /// Sessions that are replaced already.
    old: JoinSet<()>,
}

impl<D: Dial> Runner<D>
where
    Driver<D::Transport>: Send,
    D::Transport: Send,
{
    pub(super) fn new(
        home: D,
        config: Config,
        policy: ReconnectPolicy,
        board: Board<D::Error>,
    ) -> Self {
        Self {
            home,
            away: None,
            config,
            policy,
            board,
            attempt: 1,
            old: JoinSet::new(),
        }
    }

    /// Dials until there is no use in it. The guard is held until a first session is up.
    pub(super) async fn run(mut self, mut sync: Option<SyncGuard>) {
        let mut was_up = false;
        loop {
            let error = match self.connect().await {
                Ok(session) => {
                    was_up = true;
                    sync = None;
                    self.board.post(Status::Connected(session.clone()));
                    DialError::Session(self.follow(session).await)
                }
                Err(error) if self.away.take().is_some() => {
                    tracing::debug!(%error, "no session where the peer pointed to");
                    continue;
                }
                Err(error) => error,
            };
            let error = Arc::new(error);
            if !self.goes_on(&error, was_up).await {
                drop(sync);
                self.board.post(Status::Failed(error));
                return;
            }
            let retry_in = self.policy.wait(self.attempt);
            self.board.post(Status::Waiting { error, retry_in });
            clock::sleep(retry_in).await;
            self.attempt += 1;
            let attempt = self.attempt;
            self.board.post(Status::Connecting { attempt });
        }
    }

    /// Whether there is a further attempt after a failure, perhaps with a fresh credential.
    async fn goes_on(&mut self, error: &Refused<D>, was_up: bool) -> bool {
        if self.policy.is_last(self.attempt) {
            return false;
        }
        if !is_terminal::<D>(error) {
            return was_up || self.policy.first_failure == FirstFailure::Retried;
        }
        if self.away.take().is_some() {
            // That place has refused, not the one that was dialled first.
            return true;
        }
        match self.home.renew(error).await {
            Some(renewed) => {
                tracing::debug!(%error, "dialling with a fresh credential");
                self.home = renewed;
                true
            }
            None => false,
        }
    }

    async fn connect(&self) -> Result<Session, Refused<D>> {
        let dialer = self.away.as_ref().unwrap_or(&self.home);
        let transport = dialer.dial().await.map_err(DialError::Dial)?;
        Session::connect_with(transport, self.config.clone())
            .await
            .map_err(DialError::Connect)
    }

    /// Stays with a session, and with those that replace it, until one is lost; says why.
    async fn follow(&mut self, mut session: Session) -> SessionError {
        loop {
            let since = clock::now();
            let mut asked = session.going_away();
            let asked = tokio::select! {
                error = session.closed() => Err(error),
                asked = asked.wait_for(Option::is_some) => Ok(asked.ok().and_then(|uri| uri.clone())),
            };
            // Time that a peer gives for leaving says nothing for it: who sends everybody away at
            // once is not asked again and again at once.
            if since.elapsed() >= self.policy.stable_after {
                self.attempt = 0;
            }
            match asked {
                Ok(uri) => self.redirect(&uri.unwrap_or_default()),
                Err(error) => return error,
            }
            let next = tokio::select! {
                error = session.closed() => return error,
                next = self.replace() => next,
            };
            self.board.post(Status::Connected(next.clone()));
            while self.old.try_join_next().is_some() {}
            let old = std::mem::replace(&mut session, next);
            self.old.spawn(linger(Lingering(old)));
        }
    }

    /// Takes over where the peer points to, as far as that is allowed.
    fn redirect(&mut self, uri: &str) {
        if uri.is_empty() {
            return;
        }
        let dialer = self.away.as_ref().unwrap_or(&self.home);
        let target = dialer
            .uri()
            .and_then(|from| self.config.redirects.target(&from, uri))
            .and_then(|target| dialer.at(&target));
        match target {
            Some(target) => self.away = Some(target),
            None => {
                tracing::warn!(uri = %Escaped(uri), "the peer points to where this end does not go")
            }
        }
    }

    /// Dials until there is another session that is ready to replace one. Once there is no use in it, the
    /// one that there is stays until it ends.
    async fn replace(&mut self) -> Session {
        loop {
            if self.attempt > 0 {
                clock::sleep(self.policy.wait(self.attempt)).await;
            }
            self.attempt += 1;
            match self.ready().await {
                Ok(session) => return session,
                Err(error) if self.away.take().is_some() => {
                    tracing::debug!(%error, "no session where the peer pointed to");
                }
                Err(error) if self.goes_on(&error, true).await => {
                    tracing::debug!(%error, "no session to move to yet");
                }
                Err(error) => {
                    tracing::warn!(%error, "there is no session to move to");
                    std::future::pending().await
                }
            }
        }
    }

    /// Connects, and waits until the new session has told what it announces.
    async fn ready(&self) -> Result<Session, Refused<D>> {
        let session = self.connect().await?;
        let told = async {
            session.set_up().await;
            if let Some(origin) = &self.config.subscribe {
                let mut announced = origin.consume().announced(&BroadcastPath::root());
                while announced.next().await != AnnouncedEvent::Live {}
            }
        };
        tokio::select! {
            error = session.closed() => return Err(DialError::Session(error)),
            _ = clock::timeout(self.config.answer_timeout, told) => {}
        }
        if !session.is_open() {
            return Err(DialError::Session(session.closed().await));
        }
        Ok(session)
    }
}

/// Keeps a session that is replaced until the tracks that it carries have ended or moved, within
/// limits.
async fn linger(lingering: Lingering) {
    let session = &lingering.0;
    let idle = async {
        clock::sleep(LOOK).await;
        while !session.is_idle() {
            clock::sleep(LOOK).await;
        }
    };
    tokio::select! {
        _ = session.closed() => {}
        _ = clock::timeout(LINGER, idle) => {}
    }
}

fn is_terminal<D: Dial>(error: &DialError<D::Error>) -> bool {
    match error {
        DialError::Dial(error) => D::is_terminal(error),
        DialError::Connect(ConnectError::NoCommonVersion { .. }) => true,
        DialError::Connect(ConnectError::Session(error)) | DialError::Session(error) => {
            D::is_final(error)
        }
    }
}
