//! One broadcast: its catalog, and the tracks that it names.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use moq_media::CatalogTrack;
use moq_media::catalog::{Catalog, TRACK};
use moq_media::recording::Record;
use moq_session::{Abort, BroadcastPath, FoundTrack, HopId, ReadError, Start};
use tokio::time::sleep;

use super::tape::{Taken, Tape};
use super::track::Recorded;
use crate::args::RecordArgs;
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::media;
use crate::progress::Console;
use crate::subscribe::{Ended, Finder, trouble};

/// Records a broadcast as far as it goes.
///
/// # Errors
/// If it can't be found, vanishes without an end, or has nothing to record.
pub(super) async fn record(
    args: &RecordArgs,
    path: &BroadcastPath,
    tape: Tape,
    console: &Console,
) -> anyhow::Result<()> {
    let budget = client::unread(None);
    let (mut link, origin) = client::reader(&args.client, budget, console).await?;
    let first = args.track.first().map_or(TRACK, String::as_str);
    let mut finder = Finder::new((path, first), args.client.timeout, origin, &link, console);
    let number = tape.numbers.next();
    let path = path.as_str().to_owned();
    let broadcast = number;
    tape.put(Record::Broadcast { broadcast, path }).await;
    let mut recording = Recording {
        number,
        tracks: BTreeMap::new(),
        tape: &tape,
        console,
        publisher: None,
    };
    recording.name(TRACK);
    for name in &args.track {
        recording.name(name);
    }
    loop {
        let found = finder.find(&mut link).await?;
        match recording.session(&found, &mut link).await? {
            Ended::Finished | Ended::Closed => return Ok(()),
            Ended::NotThere => finder.not_there(),
            Ended::Lost => finder.lost(),
        }
    }
}

/// What is recorded of a broadcast, over as many sessions as it takes.
struct Recording<'a> {
    number: u32,
    /// Tracks that nobody reads at the moment.
    tracks: BTreeMap<String, Recorded>,
    tape: &'a Tape,
    console: &'a Console,
    publisher: Option<HopId>,
}

type Running<'a> = FuturesUnordered<LocalBoxFuture<'a, (Recorded, Result<(), ReadError>)>>;

impl<'a> Recording<'a> {
    /// Remembers a track, which the file has no word of before it is there.
    fn name(&mut self, name: &str) {
        if !self.tracks.contains_key(name) {
            let taken = Taken::new(self.tape.numbers.next());
            let name = name.to_owned();
            self.tracks.insert(name.clone(), Recorded { name, taken });
        }
    }

    /// Records the tracks until they end or the session is lost.
    async fn session(&mut self, found: &FoundTrack, link: &mut Link) -> anyhow::Result<Ended> {
        let former = std::mem::replace(&mut self.publisher, found.publisher);
        if former.is_some_and(|former| Some(former) != found.publisher) {
            // Its groups count anew, and would be taken for those that are recorded.
            let what = "somebody else publishes the broadcast";
            return Err(Failure::new(Exit::Failed, what).into());
        }
        let mut running: Running<'a> = FuturesUnordered::new();
        let mut known: Vec<String> = Vec::new();
        let mut catalog = CatalogTrack::open(&found.broadcast).ok();
        self.begin(found, &running, &mut known);
        let mut failure = None;
        while !running.is_empty() {
            tokio::select! {
                biased;
                event = link.event() => {
                    event?;
                    self.drain(&mut running).await;
                    return Ok(Ended::Lost);
                }
                reading = next(&mut catalog) => match reading {
                    Some(catalog) => {
                        for name in catalog.video.keys().chain(catalog.audio.keys()) {
                            if !known.contains(name) {
                                self.name(name);
                            }
                        }
                        self.begin(found, &running, &mut known);
                    }
                    None => catalog = None,
                },
                Some((track, ended)) = running.next() => {
                    failure = self.ended(track, ended).await.or(failure);
                }
            }
        }
        self.over(failure, found, link).await
    }

    /// Begins to record the tracks that nobody reads.
    fn begin(&mut self, found: &FoundTrack, running: &Running<'a>, known: &mut Vec<String>) {
        for (name, recorded) in std::mem::take(&mut self.tracks) {
            known.push(name.clone());
            let track = found.broadcast.track(&name);
            let Some(track) = track.ok().filter(|_| !recorded.taken.is_ended) else {
                self.tracks.insert(name, recorded);
                continue;
            };
            let start = if found.was_awaited && name != TRACK {
                Start::OLDEST
            } else {
                Start::Newest
            };
            let (broadcast, tape) = (self.number, self.tape);
            running.push(Box::pin(recorded.record(track, start, broadcast, tape)));
        }
    }

    /// A track is not read any more; why, unless it ended well.
    async fn ended(
        &mut self,
        mut recorded: Recorded,
        ended: Result<(), ReadError>,
    ) -> Option<ReadError> {
        recorded.taken.is_ended = ended.is_ok();
        if ended.is_ok() {
            let (track, at) = (recorded.taken.number, self.tape.at());
            let is_finished = true;
            let record = Record::TrackEnd {
                track,
                at,
                is_finished,
            };
            self.tape.put(record).await;
        }
        self.tracks.insert(recorded.name.clone(), recorded);
        ended.err()
    }

    /// The session is lost, and with it all tracks: what is recorded of them is kept for the next.
    async fn drain(&mut self, running: &mut Running<'a>) {
        while let Some((track, ended)) = running.next().await {
            self.ended(track, ended).await;
        }
    }

    /// No track is read any more.
    async fn over(
        &self,
        failure: Option<ReadError>,
        found: &FoundTrack,
        link: &mut Link,
    ) -> anyhow::Result<Ended> {
        let has_some = self.tracks.values().any(|track| track.taken.is_named);
        let Some(error) = failure else {
            return Ok(Ended::Finished);
        };
        if !has_some {
            return match trouble::absent(error, found)? {
                Some(ended) => Ok(ended),
                None => self.vanished(error, link).await,
            };
        }
        let is_missing = error == ReadError::Aborted(Abort::NotFound);
        let all_ended = self
            .tracks
            .values()
            .all(|track| track.taken.is_ended || !track.taken.is_named);
        if is_missing && all_ended {
            for track in self.tracks.values().filter(|track| !track.taken.is_named) {
                self.console
                    .note(format_args!("there is no track `{}`", track.name));
            }
            return Ok(Ended::Finished);
        }
        self.vanished(error, link).await
    }

    async fn vanished(&self, error: ReadError, link: &mut Link) -> anyhow::Result<Ended> {
        tokio::select! {
            event = link.event() => {
                event?;
                Ok(Ended::Lost)
            }
            () = sleep(GRACE) => {
                tracing::debug!(error = media::chain(&error), "the broadcast vanished");
                Err(trouble::vanished(error))
            }
        }
    }
}

/// The next catalog that can be used; `None` when there is no further one.
async fn next(catalog: &mut Option<CatalogTrack>) -> Option<Catalog> {
    let Some(track) = catalog else {
        return std::future::pending().await;
    };
    loop {
        match track.next().await {
            Ok(Some(Ok(reading))) => return Some(reading.catalog),
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

/// A relay that goes down takes its broadcasts with it before its sessions.
const GRACE: Duration = Duration::from_millis(500);
