//! Catalogs, and what is made of them.

use crate::assembler::{Assembler, AssemblerConfig, Source};
use crate::catalog::{Catalog, CatalogReader};

/// A document and merge patches: what was read is the same once written and read again.
///
/// # Panics
/// When that does not hold.
pub fn catalog(data: &[u8]) {
    let mut reader = CatalogReader::default();
    for (at, json) in data.split(|byte| *byte == 0).enumerate() {
        let reading = if at == 0 {
            reader.snapshot(json)
        } else {
            reader.patch(json)
        };
        let Ok(reading) = reading else {
            continue;
        };
        round_trip(&reading.catalog);
        let _ = Assembler::new(sources(&reading.catalog), AssemblerConfig::default());
    }
}

/// Writes a catalog and reads it again.
pub(super) fn round_trip(catalog: &Catalog) {
    let written = catalog.to_json();
    let again = CatalogReader::default().snapshot(written.as_bytes());
    let again = again.expect("what was written can be read");
    assert_eq!(again.faults, [], "{written}");
    assert_eq!(&again.catalog, catalog, "{written}");
}

/// The renditions that can be written.
pub(super) fn sources(catalog: &Catalog) -> Vec<Source> {
    let video = catalog.video.iter().map(|(name, video)| {
        assert!(video.is_same_stream(video), "{name} differs from itself");
        Source::video(name, video)
    });
    let audio = catalog.audio.iter().map(|(name, audio)| {
        assert!(audio.is_same_stream(audio), "{name} differs from itself");
        Source::audio(name, audio)
    });
    video.chain(audio).filter_map(Result::ok).collect()
}
