//! The only place that asks for the time.
//!
//! Natively this is tokio's clock, so that tests which pause it are deterministic.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// Where the wall clock stood when the process first asked.
static EPOCH: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (Instant::now(), wall)
});

/// The monotonic time.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// The time since 1970, read once from the wall clock and advanced by the monotonic one, so that
/// it never steps back while the process lives.
#[must_use]
pub fn unix() -> Duration {
    let (start, wall) = *EPOCH;
    wall + now().saturating_duration_since(start)
}
