//! What can be wrong with a catalog.

use std::fmt;

/// Why a document can't be used as a catalog at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A group of the catalog's track has more than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("catalog of {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Bytes of the document and its patches so far.
        size: usize,
        /// The limit that was passed.
        limit: usize,
    },
    /// The bytes are no JSON.
    #[error("catalog is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// The document is no object.
    #[error("catalog: expected an object, found {found}")]
    NotAnObject {
        /// The JSON type that was found.
        found: &'static str,
    },
    /// More renditions than [`MAX_RENDITIONS`](super::MAX_RENDITIONS).
    #[error("catalog with {count} renditions, at most {limit} are allowed")]
    TooManyRenditions {
        /// Video and audio renditions together.
        count: usize,
        /// The limit that was passed.
        limit: usize,
    },
    /// A patch came before any document.
    #[error("catalog patch without a document to apply it to")]
    PatchFirst,
}

/// One field that doesn't say what it should; the rendition or section that it belongs to is left
/// out, everything else is used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Where in the document: `video.renditions.video0.description`.
    pub field: String,
    /// What was expected there.
    pub expected: &'static str,
    /// What was found there instead.
    pub found: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names come from a peer, so what a terminal would act on is escaped.
        let field = self.field.escape_debug();
        let found = self.found.escape_debug();
        write!(
            f,
            "catalog field {field}: expected {}, found {found}",
            self.expected
        )
    }
}
