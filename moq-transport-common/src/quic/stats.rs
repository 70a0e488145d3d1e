//! What a transport tells of its path.

use std::time::Duration;

use moq_session::transport::TransportStats;

/// The statistics of a path: its round-trip time, and the congestion window (bytes) per round trip as a
/// rate in bits per second.
#[must_use]
pub fn path_stats(rtt: Duration, congestion_window: u64) -> TransportStats {
    let mut stats = TransportStats::default();
    stats.rtt = Some(rtt);
    let bits = u128::from(congestion_window) * 8 * 1_000_000;
    stats.send_rate = bits
        .checked_div(rtt.as_micros())
        .map(|rate| u64::try_from(rate).unwrap_or(u64::MAX));
    stats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_per_round_trip_is_a_rate() {
        let stats = path_stats(Duration::from_millis(100), 125_000);
        assert_eq!(stats.rtt, Some(Duration::from_millis(100)));
        assert_eq!(stats.send_rate, Some(10_000_000));
        assert_eq!(path_stats(Duration::ZERO, 1).send_rate, None);
    }
}
