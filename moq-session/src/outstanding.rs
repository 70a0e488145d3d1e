//! What this end still owes to the peer, and leaving without cutting it off.

use std::pin::pin;
use std::sync::atomic::Ordering;

use crate::error::SessionError;
use crate::session::Session;

/// What this end still owes to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outstanding {
    /// Subscriptions of the peer that are not delivered and acknowledged to their end.
    pub subscriptions: usize,
    /// Subscriptions that are, while the peer has not let go of them: its transport has everything,
    /// it may not have read it all. They are waited for with a limit.
    pub unconfirmed: usize,
    /// Fetches of the peer that are not answered and acknowledged to their end.
    pub fetches: usize,
    /// Bytes of groups written so far, to see progress by.
    pub bytes: u64,
}

impl Outstanding {
    /// Whether nothing is owed, and nobody still has to read what was acknowledged.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.subscriptions + self.unconfirmed + self.fetches == 0
    }
}

impl Session {
    /// What this end still owes to the peer.
    #[must_use]
    pub fn outstanding(&self) -> Outstanding {
        let served = &self.shared().served;
        let (subscriptions, unconfirmed) = served.count();
        Outstanding {
            subscriptions,
            unconfirmed,
            fetches: served.fetches(),
            bytes: served.bytes.load(Ordering::Relaxed),
        }
    }

    /// Waits until this end owes nothing to the peer, for leaving without cutting anything off.
    ///
    /// Everything that was served to the peer's subscriptions and fetches is acknowledged then, and
    /// the peer has let go of what is complete. A subscription is owed to its end, so finish the
    /// tracks first. Returns at once if the peer has asked for nothing.
    ///
    /// Waits as long as the peer takes; [`Self::outstanding`] shows progress for giving up.
    ///
    /// ```
    /// # use moq_session::testing::{memory_pair, serve};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use moq_session::{BroadcastProducer, OriginProducer, Session, Track};
    /// # let (client, server) = memory_pair(moq_session::Version::Lite06);
    /// # let _relay = serve(server, &OriginProducer::new());
    /// # let session = Session::connect(client).await?;
    /// # let broadcast = BroadcastProducer::new();
    /// # let track = broadcast.create(Track::new("data"))?;
    /// # let publication = session.publish("room", broadcast.consume())?;
    /// track.finish();
    /// session.delivered().await?;
    /// session.close(0, "done");
    /// # drop(publication);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SessionError`] if the session ends first, or has ended.
    ///
    /// Cancel safe.
    pub async fn delivered(&self) -> Result<(), SessionError> {
        let served = &self.shared().served;
        let mut ended = pin!(self.closed());
        loop {
            let mut relieved = pin!(served.relieved.notified());
            // From here on no change is missed.
            relieved.as_mut().enable();
            // What an ended session owed it counts no longer, so its end is looked at first.
            if self.is_open() && self.outstanding().is_nothing() {
                return Ok(());
            }
            tokio::select! {
                biased;
                error = &mut ended => return Err(error),
                () = relieved => {}
            }
        }
    }

    /// Whether the session carries no track in either direction.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_idle(&self) -> bool {
        self.outstanding().is_nothing() && !self.shared().is_fed()
    }
}
