//! How an export goes on after its broadcast was lost.

use moq_model::platform::clock::{self, Instant};
use moq_model::{BroadcastConsumer, GroupRange, Start};

use super::catalog::CatalogTrack;
use super::opening::{SETTLE, read};
use super::reader::Export;
use super::renditions::{Rendition, open};
use crate::assembler::WrittenStats;
use crate::catalog::{Catalog, Reading};
use crate::error::ExportError;

impl Export {
    /// Goes on with the renditions that were lost, in the broadcast as it is found again.
    ///
    /// Where `is_same`, group numbers mean what they meant before: reading goes on at the frame that was
    /// next. Otherwise somebody else publishes it, and reading begins anew; its times go on at the
    /// output's end if they would go back. Its catalog has to name a rendition before that is asked for,
    /// because a publisher may have no tracks at first; one that names others is given half a second.
    ///
    /// # Errors
    /// [`ExportError::NoCatalog`] without a catalog, [`ExportError::Track`] when it fails,
    /// [`ExportError::Changed`] when a rendition needs another decoder, [`ExportError::Rendition`]
    /// without the track of a rendition.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if a rendition has to be waited for.
    ///
    /// Cancel safe.
    pub async fn resume(
        &mut self,
        broadcast: &BroadcastConsumer,
        is_same: bool,
    ) -> Result<(), ExportError> {
        let mut catalog = CatalogTrack::open(broadcast)?;
        let reading = match is_same {
            true => None,
            false => self.named(&mut catalog).await?,
        };
        self.catalog = Some(catalog);
        for (at, rendition) in self.renditions.iter_mut().enumerate() {
            if !std::mem::take(&mut rendition.is_lost) {
                continue;
            }
            if !is_same {
                rendition.position = None;
                self.assembler.gap(at);
            }
            let start = rendition.position.map(|(group, _)| Start::Floor(group));
            let start = start.unwrap_or(self.config.start);
            rendition.awaited = rendition.position.map(|(group, _)| group);
            rendition.reader = Some(open(broadcast, &rendition.name, start, &self.config)?);
        }
        self.failure = None;
        match reading {
            Some(reading) => self.follow(Ok(Some(Ok(reading)))),
            None => Ok(()),
        }
    }

    /// Waits until the catalog names all renditions that were lost, or until it names others and some
    /// time has passed. The last reading; `None` at the end of the catalog's track.
    async fn named(&self, catalog: &mut CatalogTrack) -> Result<Option<Reading>, ExportError> {
        let mut last: Option<Reading> = None;
        let mut deadline: Option<Instant> = None;
        loop {
            let next = match deadline {
                None => read(catalog).await?,
                Some(deadline) => match clock::timeout_at(deadline, read(catalog)).await {
                    Ok(next) => next?,
                    Err(_) => None,
                },
            };
            let Some(reading) = next else {
                return Ok(last);
            };
            let Catalog { video, audio, .. } = &reading.catalog;
            let mut lost = self.renditions.iter().filter(|rendition| rendition.is_lost);
            if lost.all(|lost| video.contains_key(&lost.name) || audio.contains_key(&lost.name)) {
                return Ok(Some(reading));
            }
            if deadline.is_none() && !(video.is_empty() && audio.is_empty()) {
                deadline = Some(clock::now() + SETTLE);
            }
            last = Some(reading);
        }
    }

    /// What was written of the renditions.
    pub fn stats(&self) -> impl Iterator<Item = WrittenStats> {
        let written = self.assembler.stats().zip(&self.renditions);
        written.map(|(stats, rendition)| WrittenStats {
            skipped: rendition.skipped,
            age: rendition.newest_at.map(|at| at.elapsed()),
            ..stats
        })
    }
}

impl Rendition {
    /// The track failed: what would come next is remembered.
    pub(super) fn lose(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.position = self.position.max(reader.position());
            self.is_lost = true;
        }
    }

    /// Missing groups: from the one that was next up to `group`, the first after the loss.
    pub(super) fn resumed_behind(&mut self, group: u64) -> Option<GroupRange> {
        let next = self.awaited.take().filter(|next| group > *next)?;
        Some(next..group)
    }

    /// Whether a frame came before the rendition was lost.
    pub(super) fn was_written(&self, group: u64, index: usize) -> bool {
        self.position
            .is_some_and(|position| (group, index) < position)
    }
}
