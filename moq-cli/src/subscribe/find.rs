//! Waiting for the broadcast.

use std::collections::BTreeMap;
use std::time::Duration;

use moq_session::{
    Announced, AnnouncedEvent, BroadcastConsumer, BroadcastPath, HopId, OriginConsumer,
    TrackConsumer,
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::args::SubscribeArgs;
use crate::client::Link;
use crate::exit::{Exit, Failure};
use crate::progress::Console;

/// Finds the track of the arguments, as often as it is lost.
#[derive(Debug)]
pub(crate) struct Finder {
    path: BroadcastPath,
    track: String,
    origin: OriginConsumer,
    console: Console,
    /// When waiting ends; `None` for never.
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    /// What is announced at the path and above it, with who publishes it.
    routes: BTreeMap<BroadcastPath, Option<HopId>>,
    /// The broadcast had to be waited for.
    has_waited: bool,
    /// It was found before.
    was_there: bool,
    /// The last attempt found that it is not there, whatever covers it.
    is_missing: bool,
}

/// A track to read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) track: TrackConsumer,
    /// The broadcast that it is of.
    pub(crate) broadcast: BroadcastConsumer,
    /// Whether it had to be waited for.
    pub(crate) is_fresh: bool,
    /// Who publishes it, as far as that is known.
    pub(crate) publisher: Option<HopId>,
    /// Whether the broadcast itself is announced, and not only something above it.
    pub(crate) is_announced: bool,
}

impl Finder {
    pub(super) fn new(args: &SubscribeArgs, origin: OriginConsumer, console: &Console) -> Self {
        let track = &args.media.track;
        Self::of_track(&args.broadcast, track, args.client.timeout, origin, console)
    }

    /// As [`Self::new`], for the track `track` of the broadcast `path`.
    pub(crate) fn of_track(
        path: &BroadcastPath,
        track: &str,
        timeout: Option<Duration>,
        origin: OriginConsumer,
        console: &Console,
    ) -> Self {
        Self {
            path: path.clone(),
            track: track.to_owned(),
            origin,
            console: console.clone(),
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            timeout,
            routes: BTreeMap::new(),
            has_waited: false,
            was_there: false,
            is_missing: false,
        }
    }

    /// The track that was found is not there after all.
    pub(crate) fn not_there(&mut self) {
        self.is_missing = true;
    }

    /// What led to the track is lost.
    pub(crate) fn lost(&mut self) {
        self.is_missing = false;
        self.was_there = true;
        self.deadline = self
            .timeout
            .map(|timeout| Instant::now() + timeout.max(COME_BACK));
    }

    /// Waits until the broadcast can be asked for.
    ///
    /// # Errors
    /// When the time for waiting is over, or the link ended.
    pub(crate) async fn find(&mut self, link: &mut Link) -> anyhow::Result<Found> {
        loop {
            while link.session().is_none() {
                link.event().await?;
            }
            let announced = self.origin.announced(&self.path);
            if let Some(found) = self.follow(announced, link).await? {
                return Ok(found);
            }
        }
    }

    /// Follows the announcements of one session; `None` when it is lost.
    async fn follow(
        &mut self,
        mut announced: Announced,
        link: &mut Link,
    ) -> anyhow::Result<Option<Found>> {
        self.routes.clear();
        let mut is_live = false;
        loop {
            let deadline = self.deadline;
            let event = tokio::select! {
                biased;
                event = announced.next() => event,
                event = link.event() => {
                    event?;
                    return Ok(None);
                }
                () = sleep(RETRY), if self.is_missing && is_live => {
                    self.is_missing = false;
                    if let Some(found) = self.ask(link) {
                        return Ok(Some(found));
                    }
                    continue;
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)),
                    if is_live && deadline.is_some() => return Err(self.not_found()),
            };
            tracing::debug!(?event, "announcement");
            is_live |= event == AnnouncedEvent::Live;
            let is_news = self.note(event);
            if (is_news && !self.is_missing)
                && let Some(found) = self.ask(link)
            {
                return Ok(Some(found));
            }
            if is_live && !self.has_waited {
                self.has_waited = true;
                self.console.note(format_args!(
                    "waiting for `{}` to be published at {}",
                    self.path,
                    link.shown_url()
                ));
            }
        }
    }

    /// Takes an event in; says whether asking for the broadcast is worth a try.
    fn note(&mut self, event: AnnouncedEvent) -> bool {
        match event {
            AnnouncedEvent::Start(path, route) | AnnouncedEvent::Update(path, route) => {
                if !self.path.has_prefix(&path) {
                    return false;
                }
                self.is_missing &= path != self.path;
                self.routes.insert(path, publisher(&route.hops));
                true
            }
            AnnouncedEvent::End(path) => {
                self.routes.remove(&path);
                false
            }
            // Hidden ones are never announced.
            AnnouncedEvent::Live => self.path.is_hidden(),
            _ => false,
        }
    }

    /// The track, if something leads to it.
    fn ask(&self, link: &Link) -> Option<Found> {
        let covering = self.routes.last_key_value();
        let broadcast = match self.origin.broadcast(&self.path) {
            Ok(broadcast) => broadcast,
            Err(_) if self.path.is_hidden() => {
                let session = link.session()?;
                session.broadcast(self.path.as_str()).ok()?
            }
            Err(_) => return None,
        };
        Some(Found {
            track: broadcast.track(&self.track).ok()?,
            broadcast,
            is_fresh: self.has_waited,
            publisher: covering.and_then(|(_, publisher)| *publisher),
            is_announced: covering.is_some_and(|(path, _)| *path == self.path),
        })
    }

    fn not_found(&self) -> anyhow::Error {
        let path = &self.path;
        let failure = if self.was_there {
            let what = format!("`{path}` was not published again after it was lost");
            Failure::new(Exit::Failed, what)
        } else {
            let what = format!("nobody publishes `{path}`");
            let hint = "`moq ls URL` shows what is there; without --timeout it is waited for";
            Failure::new(Exit::NotFound, what).with_hint(hint)
        };
        failure.into()
    }
}

/// Who publishes: the first hop, unless that only stands for somebody without an id.
fn publisher(hops: &[HopId]) -> Option<HopId> {
    let is_stand_in = hops.get(1).is_some_and(|hop| hop.is_anonymous());
    let first = hops.first().copied();
    first.filter(|hop| !hop.is_anonymous() && !is_stand_in)
}

/// How often to ask for a broadcast whose coming is not announced.
const RETRY: Duration = Duration::from_secs(1);

/// How long a broadcast that was there has at least to come back.
const COME_BACK: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_identified_first_hop_tells_the_publisher() {
        let [a, b] = [HopId(7), HopId(8)];
        assert_eq!(publisher(&[a, b]), Some(a));
        assert_eq!(publisher(&[a, HopId::ANONYMOUS, b]), None);
        assert_eq!(publisher(&[HopId::ANONYMOUS]), None);
        assert_eq!(publisher(&[]), None);
    }
}
