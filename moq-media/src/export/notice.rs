//! What a person should know of an export.

use moq_model::{Abort, GroupRange, ReadError};

use crate::catalog::{CatalogError, Fault};
use crate::container::ContainerError;
use crate::error::ExportError;

/// Something that went wrong, or that was left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportNotice {
    /// A field of the catalog is wrong.
    #[error("{0}")]
    Field(Fault),
    /// A change of the catalog can't be used.
    #[error("a change of the catalog is ignored")]
    Catalog(#[source] CatalogError),
    /// A rendition that was chosen can't be written.
    #[error("left out")]
    LeftOut(#[source] ExportError),
    /// The output started without a rendition, which had no frame yet.
    #[error("{0} is left out, it had no frame when the output started")]
    Late(String),
    /// A rendition is in the catalog that was not there when the output started.
    #[error("{0} appeared, and can't be added to the output")]
    Appeared(String),
    /// Groups of a track are missing.
    #[error("{name}: groups {} to {} are missing: {cause}", groups.start, groups.end - 1)]
    Skipped {
        /// The track's name.
        name: String,
        /// Their sequence numbers.
        groups: GroupRange,
        /// Why all of them are missing.
        cause: Abort,
    },
    /// A frame can't be used, and its group is left.
    #[error("{name}: a group is left")]
    BadFrame {
        /// The track's name.
        name: String,
        /// What is wrong.
        #[source]
        error: ContainerError,
    },
    /// A track failed; others go on.
    #[error("{name} ended early")]
    Failed {
        /// The track's name.
        name: String,
        /// How it ended.
        #[source]
        error: ReadError,
    },
}
