//! Starting a session: as a client, and what both roles have in common.

use std::fmt;
use std::sync::Arc;

use moq_model::BroadcastPath;
use moq_wire::{Setup, Version, code};
use tokio::sync::watch;

use crate::config::Config;
use crate::context::{Context, Shared};
use crate::driver::{Driver, Spawner};
use crate::error::ConnectError;
use crate::grant::Grant;
use crate::granted::Granted;
use crate::handshake::SessionStream;
use crate::limiter::Limiter;
use crate::negotiate::Agreed;
use crate::policy::Policy;
use crate::session::{Session, StatsSource};
use crate::subscriber::{Probing, Subscribing};
use crate::transport::{Transport, TransportInfo, TransportStats};
use crate::{handshake, negotiate, publisher, setup, subscriber};

impl Session {
    /// Starts a session as a client, with the default parameters, and spawns its driver.
    ///
    /// # Errors
    /// [`ConnectError::NoCommonVersion`] when the transport agreed on no draft.
    ///
    /// Not cancel safe: the connection is lost.
    #[cfg(feature = "tokio")]
    pub async fn connect<T: Transport>(transport: T) -> Result<Self, ConnectError>
    where
        Driver<T>: Send,
    {
        Self::connect_with(transport, Config::default()).await
    }

    /// Starts a session as a client and spawns its driver.
    ///
    /// # Errors
    /// As [`Self::connect`].
    ///
    /// Not cancel safe: the connection is lost.
    #[cfg(feature = "tokio")]
    pub async fn connect_with<T: Transport>(
        transport: T,
        config: Config,
    ) -> Result<Self, ConnectError>
    where
        Driver<T>: Send,
    {
        let (session, driver) = Self::connect_with_driver(transport, config).await?;
        tokio::spawn(driver);
        Ok(session)
    }

    /// Starts a session as a client; the caller polls the driver.
    ///
    /// Waits for the server only where the draft is agreed on inside the session, for as long as an
    /// answer may take.
    ///
    /// # Errors
    /// As [`Self::connect`].
    ///
    /// Not cancel safe: the connection is lost.
    pub async fn connect_with_driver<T: Transport>(
        mut transport: T,
        config: Config,
    ) -> Result<(Self, Driver<T>), ConnectError> {
        let chosen = transport.info().protocol.clone();
        let (version, stream) = match negotiate::agreed(chosen.as_deref(), &config.versions) {
            Some(Agreed::Version(version)) => (version, None),
            Some(Agreed::Handshake) => {
                let agreement = handshake::connect(&mut transport, &config).await?;
                (agreement.version, Some(agreement.stream))
            }
            None => {
                transport.close(code::session::VERSION, "no common version");
                return Err(ConnectError::NoCommonVersion {
                    offered: config.versions,
                    chosen,
                });
            }
        };
        let start = SessionStart {
            is_server: false,
            info: transport.info().clone(),
            grant: Grant::everything(BroadcastPath::root()),
            peer: None,
            stream,
        };
        Ok(start.session(transport, version, &config))
    }
}

/// What client and server start with differently.
pub(crate) struct SessionStart<T: Transport> {
    pub(crate) is_server: bool,
    pub(crate) info: TransportInfo,
    pub(crate) grant: Grant,
    /// The peer's SETUP, if it was read already.
    pub(crate) peer: Option<Setup>,
    /// What the handshake inside the session left behind, where there was one.
    pub(crate) stream: Option<SessionStream<T>>,
}

impl<T: Transport> SessionStart<T> {
    /// Puts a session together; nothing happens until the driver is polled.
    pub(crate) fn session(
        self,
        transport: T,
        version: Version,
        config: &Config,
    ) -> (Session, Driver<T>) {
        let (publish, subscribe) = config.origins();
        let (source, requests) = config.source(&subscribe, &self.grant);
        let has_setup = version.features().setup_stream;
        let was_read = self.peer.is_some();
        let peer = self.peer.or_else(|| (!has_setup).then(Setup::default));
        let is_expected = peer.is_none();
        let policy = Policy {
            is_relay: !self.is_server || self.grant.is_relay,
            is_sibling: config.sibling.is_some(),
        };
        let limits = config.limits_of(policy.is_relay);
        transport.set_stream_limit(limits.requests());
        let shared = Arc::new(Shared {
            version,
            info: self.info,
            is_server: self.is_server,
            grant: Granted::new(self.grant),
            hop: publish.hop(),
            id: config.name_session(),
            policy,
            publish,
            subscribe,
            answer_timeout: config.answer_timeout,
            limiter: Limiter::new(limits, transport.info().remote),
            peer: watch::Sender::new(peer),
            has_setup: was_read.into(),
            close: watch::Sender::new(None),
            ended: watch::Sender::new(None),
            served: Default::default(),
            subscribing: Subscribing::new(source, config.asked.clone()),
            probing: Probing::new(transport.stats()),
            leaving: Default::default(),
        });
        if config.subscribe.is_some() {
            shared.subscribing.wants_announcements.notify_one();
        }
        let stats = Box::new(Stats(transport.clone()));
        let context = Context {
            transport,
            spawner: Spawner::default(),
            shared: shared.clone(),
        };
        let own = setup::own(config, &shared);
        let spawner = &context.spawner;
        spawner.spawn(Box::pin(setup::send(context.clone(), own)));
        if is_expected {
            spawner.spawn(Box::pin(setup::expect(context.clone())));
        }
        if let Some(stream) = self.stream {
            spawner.spawn(Box::pin(handshake::follow(stream)));
        }
        publisher::spawn(&context);
        subscriber::spawn(&context, requests);
        (Session::new(shared, stats), Driver::new(context))
    }
}

struct Stats<T>(T);

impl<T: Transport> StatsSource for Stats<T> {
    fn stats(&self) -> TransportStats {
        self.0.stats()
    }
}

impl<T> fmt::Debug for Stats<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stats")
    }
}
