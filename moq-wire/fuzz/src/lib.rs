//! What all fuzz targets have in common.
//!
//! One target: `cargo +nightly fuzz run announce tests/corpus/announce` in the folder of moq-wire.

/// Lets the targets check how much memory it takes to decode.
pub fn start() {
    moq_wire::fuzz::measure_with(|run| allocation_counter::measure(run).bytes_max);
}
