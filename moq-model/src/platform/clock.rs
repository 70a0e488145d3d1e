//! The only place that asks for the time.
//!
//! Natively this is tokio's clock, so that tests which pause it are deterministic. In a browser
//! (`wasm32-unknown-unknown`) it is the browser's, because neither the standard library nor tokio has
//! one there. The names are the same.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Duration;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use super::browser::wall;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub use super::browser::{Elapsed, Instant, Sleep, sleep, sleep_until, timeout, timeout_at};
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub use tokio::time::{Instant, Sleep, error::Elapsed, sleep, sleep_until, timeout, timeout_at};

thread_local! {
    /// Where the wall clock stands for this thread instead, if it was told.
    static SET: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Where the wall clock stood when the process first asked.
static EPOCH: LazyLock<(Instant, Duration)> = LazyLock::new(|| (Instant::now(), wall()));

/// The time since 1970 by the wall clock.
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
fn wall() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// The monotonic time.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// The time since 1970, read once from the wall clock and advanced by the monotonic one, so that
/// it never steps back while the process lives.
#[must_use]
pub fn unix() -> Duration {
    let (start, wall) = SET.get().unwrap_or_else(|| *EPOCH);
    wall + now().saturating_duration_since(start)
}

/// Sets the wall clock of this thread, for simulations that are to be repeated.
pub fn set_unix(wall: Duration) {
    SET.set(Some((now(), wall)));
}
