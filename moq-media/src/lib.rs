//! Live media over moq: fragmented MP4 in and out, MPEG-TS and Annex B in, the hang catalog, containers, codecs'
//! configurations.
//!
//! [`Import`] turns what an encoder writes into a broadcast, and [`Export`] turns a broadcast into a
//! file that players read while it grows:
//!
//! ```
//! # let from_the_encoder = moq_media::doc::audio();
//! use std::time::Duration;
//!
//! use moq_media::{Export, ExportConfig, Import, ImportConfig};
//! use moq_model::{BroadcastProducer, Start};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! // Publish: bytes in any pieces become a catalog, tracks and groups.
//! let broadcast = BroadcastProducer::new();
//! let mut import = Import::new(broadcast.clone(), ImportConfig::default())?;
//! import.push(from_the_encoder, Duration::ZERO)?;
//! import.publish(Duration::MAX)?;
//!
//! // Subscribe: the same media, as one file.
//! let mut config = ExportConfig::default();
//! config.start = Start::OLDEST;
//! let mut export = Export::open(&broadcast.consume(), config).await?;
//! let first = export.next().await?.expect("the broadcast has media");
//! assert_eq!(&first[4..8], b"ftyp");
//! # import.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Below these two, nothing waits and nothing knows the model. Each layer can be used alone:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`fmp4`] | bytes of a file | samples with their times, and back |
//! | [`ts`], [`annexb`] | bytes of a transport stream, of H.264 with start codes | the same samples |
//! | [`codec`] | configuration records, bitstreams | codec strings, records |
//! | [`container`] | a sample | a frame: `legacy`, `loc`, `cmaf`, and back |
//! | [`timeline`] | times | groups, anchors, jitter, decode times |
//! | [`catalog`] | renditions | JSON, and back |
//! | [`packager`] | samples | catalogs, tracks, groups, frames |
//! | [`assembler`] | frames | bytes of a file |
//! | [`recording`] | tracks, groups, frames, arrivals | bytes of a file, and back |
//!
//! Input is never trusted: memory is bounded by [`fmp4::Limits`], one bad fragment costs one group,
//! and messages say which box at which byte was wrong, what was expected and what helps.

pub mod annexb;
pub mod assembler;
pub mod catalog;
pub mod codec;
pub mod container;
pub mod fmp4;
pub mod packager;
pub mod recording;
pub mod timeline;
pub mod ts;

mod error;
mod es;
mod export;
mod import;
mod payload;

#[doc(hidden)]
pub mod doc;
#[cfg(feature = "fuzz")]
pub mod fuzz;

pub use error::{ExportError, ImportError};
pub use es::{StreamError, StreamProblem};
pub use export::{CatalogTrack, Choice, Export, ExportConfig, ExportNotice};
pub use import::{Import, ImportConfig, InputFormat};
pub use payload::Payload;
