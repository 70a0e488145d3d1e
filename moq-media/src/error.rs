//! What ends an import or an export.

use moq_model::{ReadError, RouteError, WriteError};

use crate::catalog::CatalogError;
use crate::container::ContainerError;
use crate::fmp4::{DemuxError, MuxError};

/// Why media can't be published any further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The input can't be read any further.
    #[error(transparent)]
    Input(#[from] DemuxError),
    /// No track of the input can be published. The text has the reason for each.
    #[error("no track can be published: {0}")]
    NoTracks(String),
    /// A frame can't be written.
    #[error("writing a frame")]
    Frame(#[from] ContainerError),
    /// A fragment can't be written.
    #[error("writing a fragment")]
    Fragment(#[from] MuxError),
    /// The broadcast does not take what is published.
    #[error("publishing")]
    Publish(#[from] WriteError),
}

/// Why media can't be written any further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The catalog can't be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The broadcast has no catalog that can be read.
    #[error("broadcast has no track {track}")]
    NoCatalog {
        /// The catalog's track.
        track: &'static str,
        /// Why.
        #[source]
        source: RouteError,
    },
    /// The catalog names nothing that could be written, or its track ended before it did.
    #[error("the catalog names no rendition that can be written{}", listed(why))]
    NothingToWrite {
        /// What is wrong with those that it names.
        why: Vec<String>,
    },
    /// The catalog lacks a rendition that was chosen by its name.
    #[error("the catalog has no rendition {name}, it has: {}", there.join(", "))]
    NoRendition {
        /// The name.
        name: String,
        /// The names that it has.
        there: Vec<String>,
    },
    /// A track failed, and no other one is left.
    #[error("track {name} failed")]
    Track {
        /// The track's name.
        name: String,
        /// How it ended.
        #[source]
        source: ReadError,
    },
    /// A rendition that is being written changed in a way that needs another decoder.
    #[error("rendition {name} changed its configuration; start again to write the new one")]
    Changed {
        /// The rendition's track.
        name: String,
    },
    /// A rendition can't be written as MP4.
    #[error("rendition {name}: {reason}")]
    Rendition {
        /// The rendition's track.
        name: String,
        /// What is in the way.
        reason: String,
    },
    /// The output can't be written.
    #[error("writing boxes")]
    Output(#[from] MuxError),
}

/// Reasons behind what they are for, if there are any.
fn listed(reasons: &[String]) -> String {
    let reasons = reasons.iter().map(|reason| format!(": {reason}"));
    reasons.collect()
}
