//! Waiting for the broadcast.

use std::time::Duration;

use moq_session::{BroadcastPath, FoundTrack, OriginConsumer, Search, TrackFinder};

use super::patience::Patience;
use crate::client::Link;
use crate::progress::Console;

/// Finds one track of a broadcast as often as it is lost, and says what is waited for.
#[derive(Debug)]
pub(crate) struct Finder {
    finder: TrackFinder,
    patience: Patience,
    console: Console,
}

/// Why reading ended without an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The track is finished.
    Finished,
    /// Nobody reads stdout any more.
    Closed,
    /// There is no such broadcast at the moment.
    NotThere,
    /// The session was lost, or the broadcast vanished and is waited for.
    Lost,
}

impl Finder {
    /// Looks in `origin`, which the link fills, as long as the timeout, without one for ever.
    pub(crate) fn new(
        (path, track): (&BroadcastPath, &str),
        timeout: Option<Duration>,
        origin: OriginConsumer,
        link: &Link,
        console: &Console,
    ) -> Self {
        let finder = TrackFinder::new(origin, path.clone(), track);
        Self {
            finder: finder.with_sessions(link.sessions()),
            patience: Patience::new(timeout),
            console: console.clone(),
        }
    }

    /// The track that was found is not there after all.
    pub(crate) fn not_there(&mut self) {
        self.finder.refused();
    }

    /// What led to the track is lost.
    pub(crate) fn lost(&mut self) {
        self.finder.reached();
        self.patience.lost();
    }

    /// Waits until the track can be asked for and the link is up.
    ///
    /// # Errors
    /// When the time for waiting is over, or the link ended.
    pub(crate) async fn find(&mut self, link: &mut Link) -> anyhow::Result<FoundTrack> {
        loop {
            let is_connected = link.session().is_some();
            let search = tokio::select! {
                biased;
                search = self.finder.next(), if is_connected => search,
                event = link.event() => {
                    event?;
                    continue;
                }
                () = self.patience.over(), if is_connected => {
                    return Err(self.patience.not_found(self.finder.path()));
                }
            };
            match search {
                Ok(Search::Found(found)) => return Ok(found),
                Ok(_) => self.waits(link),
                // The link knows why.
                Err(error) => return Err(link.over().await.context(error)),
            }
        }
    }

    fn waits(&mut self, link: &Link) {
        if self.patience.waits() {
            self.console.note(format_args!(
                "waiting for `{}` to be published at {}",
                self.finder.path(),
                link.shown_url()
            ));
        }
    }
}
