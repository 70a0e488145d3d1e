//! What all fuzz targets have in common.
//!
//! One target: `cargo +nightly fuzz run demux tests/corpus/demux` in the folder of moq-media.

/// Lets the targets check how much memory it takes to read.
pub fn start() {
    moq_media::fuzz::measure_with(|run| allocation_counter::measure(run).bytes_max);
}
