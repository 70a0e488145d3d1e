//! The catalog of a broadcast that is being written.

use moq_model::ReadError;

use super::notice::ExportNotice;
use super::reader::Export;
use super::renditions::{Rendition, is_changed};
use crate::catalog::{CatalogError, Reading};
use crate::error::ExportError;

impl Export {
    /// Takes a change of the catalog. Only another decoder matters to what is being written.
    pub(super) fn follow(
        &mut self,
        next: Result<Option<Result<Reading, CatalogError>>, ReadError>,
    ) -> Result<(), ExportError> {
        let reading = match next {
            Ok(Some(Ok(reading))) => reading,
            Ok(Some(Err(error))) => {
                self.notices.push_back(ExportNotice::Catalog(error));
                return Ok(());
            }
            // The renditions tell how the broadcast ended.
            Ok(None) | Err(_) => {
                self.catalog = None;
                return Ok(());
            }
        };
        self.notices
            .extend(reading.faults.into_iter().map(ExportNotice::Field));
        for Rendition { name, reader, .. } in &self.renditions {
            if reader.is_some() && is_changed(&self.known, &reading.catalog, name) {
                return Err(ExportError::Changed { name: name.clone() });
            }
        }
        let (old, new) = (&self.known, &reading.catalog);
        let video = new
            .video
            .keys()
            .filter(|name| !old.video.contains_key(*name));
        let audio = new
            .audio
            .keys()
            .filter(|name| !old.audio.contains_key(*name));
        let appeared = video
            .chain(audio)
            .map(|name| ExportNotice::Appeared(name.clone()));
        self.notices.extend(appeared);
        self.known = reading.catalog;
        Ok(())
    }
}
