//! The catalog's track, group by group.

use moq_model::{
    BroadcastConsumer, GroupConsumer, GroupRead, ReadError, Subscription, TrackReader,
};
use serde_json::Value;

use crate::catalog::{CatalogError, CatalogReader, Reading, TRACK};
use crate::error::ExportError;

/// Follows a broadcast's catalog.
#[derive(Debug)]
pub struct CatalogTrack {
    groups: TrackReader,
    group: Option<GroupConsumer>,
    is_snapshot: bool,
    reader: CatalogReader,
}

impl CatalogTrack {
    /// Begins with the newest catalog.
    ///
    /// # Errors
    /// [`ExportError::NoCatalog`] when the broadcast is known to have none.
    pub fn open(broadcast: &BroadcastConsumer) -> Result<Self, ExportError> {
        let track = broadcast.track(TRACK);
        let track = track.map_err(|source| ExportError::NoCatalog {
            track: TRACK,
            source,
        })?;
        Ok(Self {
            groups: track.subscribe(Subscription::default()),
            group: None,
            is_snapshot: true,
            reader: CatalogReader::default(),
        })
    }

    /// The document that the last catalog was read from, with its patches.
    #[must_use]
    pub fn document(&self) -> Option<&Value> {
        self.reader.document()
    }

    /// The next catalog, or why it can't be used; `None` at the track's end.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Result<Reading, CatalogError>>, ReadError> {
        loop {
            let Some(group) = &mut self.group else {
                let Some(group) = self.groups.next_group().await? else {
                    return Ok(None);
                };
                self.group = Some(group);
                self.is_snapshot = true;
                continue;
            };
            let GroupRead::Frame(frame) = group.next().await else {
                self.group = None;
                continue;
            };
            let reading = if self.is_snapshot {
                self.reader.snapshot(&frame.payload)
            } else {
                self.reader.patch(&frame.payload)
            };
            self.is_snapshot = false;
            if reading.is_err() {
                // Patches on a document that can't be used mean nothing.
                self.group = None;
            }
            return Ok(Some(reading));
        }
    }
}
