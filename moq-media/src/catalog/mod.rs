//! The hang catalog: what media a broadcast has, as JSON.
//!
//! A broadcast's track [`TRACK`] has a group per change. The first frame of a group is the whole
//! document, each further frame an RFC 7396 merge patch on it; [`CatalogReader`] follows both.
//! [`Catalog`] has the known fields as types and keeps the others as JSON, so that reading and
//! writing loses nothing.
//!
//! ```
//! use moq_media::catalog::{Catalog, CatalogReader};
//!
//! let json = br#"{"audio":{"renditions":{"audio0":{"codec":"opus","sampleRate":48000,
//!     "numberOfChannels":2,"mood":"calm"}}}}"#;
//! let reading = CatalogReader::default().snapshot(json)?;
//! let rendition = &reading.catalog.audio["audio0"];
//! assert_eq!(rendition.sample_rate, 48_000);
//! assert!(reading.catalog.to_json().contains(r#""mood":"calm""#));
//! # Ok::<(), moq_media::catalog::CatalogError>(())
//! ```

mod error;
mod fields;
mod reader;
mod rendition;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub use error::{CatalogError, Fault};
pub use reader::{CatalogReader, Reading};
pub use rendition::{AudioRendition, Catalog, Container, Size, VideoRendition};

/// The name of the track that carries the catalog.
pub const TRACK: &str = "catalog.json";

/// The priority of the catalog's track: above all media.
pub const PRIORITY: u8 = 100;

/// How many renditions a catalog may have, video and audio together.
pub const MAX_RENDITIONS: usize = 64;

/// How many bytes of JSON one group of the catalog's track may have.
pub const MAX_BYTES: usize = 1 << 20;
