//! How an export goes on after its broadcast was lost.

use moq_model::{BroadcastConsumer, GroupRange, Start};

use super::catalog::CatalogTrack;
use super::reader::Export;
use super::renditions::{Rendition, open};
use crate::assembler::WrittenStats;
use crate::error::ExportError;

impl Export {
    /// Goes on with the renditions that were lost, in the broadcast as it is found again.
    ///
    /// Where `is_same`, group numbers mean what they meant before: reading goes on at the frame that was
    /// next. Otherwise somebody else publishes it, and reading begins anew; its times go on at the
    /// output's end if they would go back.
    ///
    /// # Errors
    /// [`ExportError::NoCatalog`] without a catalog, [`ExportError::Rendition`] without the track of a
    /// rendition.
    pub fn resume(
        &mut self,
        broadcast: &BroadcastConsumer,
        is_same: bool,
    ) -> Result<(), ExportError> {
        self.catalog = Some(CatalogTrack::open(broadcast)?);
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
        Ok(())
    }

    /// What was written of the renditions.
    pub fn stats(&self) -> impl Iterator<Item = WrittenStats> {
        let written = self.assembler.stats().zip(&self.renditions);
        written.map(|(stats, rendition)| WrittenStats {
            skipped: rendition.skipped,
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
