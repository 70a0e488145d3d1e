//! An origin for each worker, and what joins them.

use std::time::Duration;

use moq_session::memory::{MemoryConnection, memory_pair};
use moq_session::{
    Budget, Config, Established, Grant, HopId, Limits, OriginProducer, Session, Version,
};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::memory;

/// What the sessions of each worker are started with. The workers' origins are siblings, each joined
/// to each, so that a track comes to a worker once, and its viewers share no lock with those of others.
#[derive(Debug)]
pub(crate) struct Siblings {
    origin: OriginProducer,
    configs: Vec<Config>,
    _links: JoinSet<()>,
}

/// One end of a link: a worker's runtime, and what it starts the session with.
#[derive(Debug, Clone)]
struct End {
    runtime: Handle,
    config: Config,
}

impl Siblings {
    /// One for each runtime, of which there is one at least. They share an identity and a budget, which is larger for more of them,
    /// because what viewers of several workers read is held by each.
    pub(crate) fn new(
        runtimes: &[Handle],
        versions: &[Version],
        limits: &Limits,
        cache: Option<u64>,
    ) -> Self {
        let cached = Budget::DEFAULT_BYTES.saturating_mul(runtimes.len() as u64);
        let budget = Budget::new(cache.unwrap_or_else(|| memory::quarter(cached)));
        let hop = HopId::random();
        let origin = || OriginProducer::with(hop, budget.clone());
        let origins: Vec<_> = runtimes.iter().map(|_| origin()).collect();
        let config_of = |origin| config(origin, versions).with_limits(limits.clone());
        let configs = origins.iter().map(config_of);
        let configs: Vec<_> = configs.collect();
        let end = |(runtime, origin): (&Handle, &OriginProducer), there: &OriginProducer| End {
            runtime: runtime.clone(),
            config: sibling(config(origin, versions), there),
        };
        let workers: Vec<_> = runtimes.iter().zip(&origins).collect();
        let mut links = JoinSet::new();
        for (at, &one) in workers.iter().enumerate() {
            for &other in &workers[at + 1..] {
                links.spawn(join(end(one, other.1), end(other, one.1)));
            }
        }
        Self {
            origin: origins[0].clone(),
            configs,
            _links: links,
        }
    }

    /// The origin of the first worker.
    pub(crate) fn origin(&self) -> &OriginProducer {
        &self.origin
    }

    /// What the sessions of a worker are started with.
    pub(crate) fn config(&self, worker: usize) -> &Config {
        &self.configs[worker]
    }
}

/// What sessions of an origin are started with.
fn config(origin: &OriginProducer, versions: &[Version]) -> Config {
    Config::default()
        .with_versions(versions)
        .with_publish(origin.clone())
        .with_subscribe(origin.clone())
}

/// The same for a session with another worker's origin.
fn sibling(config: Config, there: &OriginProducer) -> Config {
    config
        .with_versions([LINK_VERSION])
        .with_limits(Limits::trusted())
        .with_sibling(there.consume())
}

/// Keeps two origins joined.
async fn join(client: End, server: End) {
    loop {
        let (near, far) = memory_pair(LINK_VERSION);
        for end in [&near, &far] {
            end.allow_uni(MAX_GROUPS);
            // What viewers may ask for is bounded where they ask.
            end.allow_bi(usize::MAX);
        }
        let mut sessions = JoinSet::new();
        sessions.spawn_on(connect(near, client.config.clone()), &client.runtime);
        sessions.spawn_on(accept(far, server.config.clone()), &server.runtime);
        // Neither end closes, so this is a defect; but a relay goes on.
        let ended = sessions.join_next().await;
        if matches!(&ended, Some(Err(error)) if error.is_cancelled()) {
            // The worker is gone for good.
            return;
        }
        tracing::error!(?ended, "two workers lost each other, and are joined again");
        drop(sessions);
        tokio::time::sleep(RETRY).await;
    }
}

/// Says why the session ended.
async fn connect(connection: MemoryConnection, config: Config) -> String {
    match Session::connect_with(connection, config).await {
        Ok(session) => session.closed().await.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Says why the session ended.
async fn accept(connection: MemoryConnection, config: Config) -> String {
    let everything = Grant::everything(moq_session::BroadcastPath::root());
    let session = match Session::accept(Established::new(connection), config).await {
        Ok(request) => request.accept(everything).await,
        Err(error) => Err(error),
    };
    match session {
        Ok(session) => session.closed().await.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The draft that workers speak to each other.
const LINK_VERSION: Version = Version::Lite06;

/// Groups of one worker that may be on their way to another.
const MAX_GROUPS: usize = 16_384;

/// How long workers that lost each other wait.
const RETRY: Duration = Duration::from_secs(1);
