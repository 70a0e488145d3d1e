//! How much memory something takes.

use std::sync::OnceLock;

/// Runs a function once and says how many bytes it had allocated at most.
pub type Meter = fn(&mut dyn FnMut()) -> u64;

/// Lets targets check, with `meter`, how much memory it takes to read.
///
/// Only the first call has an effect.
pub fn measure_with(meter: Meter) {
    METER.get_or_init(|| meter);
}

static METER: OnceLock<Meter> = OnceLock::new();

/// Runs `read`, which may have allocated `most` bytes at one time.
pub(super) fn bounded(most: u64, mut read: impl FnMut()) {
    let Some(meter) = METER.get() else {
        read();
        return;
    };
    let peak = meter(&mut read);
    assert!(peak <= most, "{peak} bytes were allocated, {most} may be");
}
