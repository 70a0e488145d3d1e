//! quinn-proto's knobs: windows, timeouts, congestion control.

use std::sync::Arc;
use std::time::Duration;

use quinn_proto::congestion::{BbrConfig, ControllerFactory, CubicConfig};
use quinn_proto::{AckFrequencyConfig, TransportConfig, VarInt};

use super::packet_size;

/// How the send rate follows the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Congestion {
    /// CUBIC with a larger initial window, so that a key frame leaves in one flight.
    #[default]
    Cubic,
    /// quinn's BBR, which its authors call experimental.
    Bbr,
}

/// How many streams the peer may have open at once, per kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bidirectional streams, at most. The session says how many it can hold; by default, that is the limit.
    pub bidi: u32,
    /// Unidirectional streams.
    pub uni: u32,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            bidi: u32::MAX,
            uni: 1024,
        }
    }
}

impl StreamLimits {
    /// The limit for bidirectional streams while no session has said how many it can hold.
    #[must_use]
    pub fn bidi_at_first(self) -> u32 {
        self.bidi.min(BIDI_AT_FIRST)
    }

    /// The limit for bidirectional streams so that the peer can open as many as the session can hold.
    ///
    /// quinn tells the peer of credit when that amounts to an eighth of all, so that much of it may be
    /// unknown to the peer.
    #[must_use]
    pub fn bidi_for(self, held: usize) -> u32 {
        let known = held.saturating_mul(8).div_ceil(7);
        let most = usize::try_from(MOST_STREAMS).unwrap_or(usize::MAX);
        u32::try_from(known.min(most)).map_or(self.bidi, |count| count.min(self.bidi))
    }
}

/// Bidirectional streams that a peer may open before there is a session.
const BIDI_AT_FIRST: u32 = 1_024;
/// More bidirectional streams than any session has.
const MOST_STREAMS: u32 = 1 << 24;

/// What differs between the two ends of a connection.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Profile {
    /// Stream credit at the handshake; raised as it is used.
    pub streams: StreamLimits,
    /// Bytes that one unread stream may hold.
    pub stream_window: u32,
    /// Bytes that all unread streams of a connection may hold.
    pub window: u32,
    /// The same until the connection is accepted. A flight of a client fits, and 1 024 connections
    /// that wait for an answer hold little.
    window_at_first: u32,
    /// Bytes written and not yet acknowledged.
    send_window: u64,
    /// Silence after which this end pings. A server waits longer, because one end is enough and it
    /// has many connections; but it does ping, because browsers and the like may not.
    keep_alive: Duration,
    /// The peer acknowledges every so many packets; rarer is cheaper at fan-out.
    ack_threshold: Option<u32>,
}

/// A server holds many connections and mostly sends.
pub const SERVER: Profile = Profile {
    streams: StreamLimits { bidi: 16, uni: 16 },
    stream_window: 2 << 20,
    window: 16 << 20,
    window_at_first: 256 << 10,
    send_window: 4 << 20,
    keep_alive: Duration::from_secs(4),
    ack_threshold: Some(8),
};

/// A client holds few connections, and receives a stream per group.
pub const CLIENT: Profile = Profile {
    streams: StreamLimits { bidi: 64, uni: 512 },
    stream_window: 4 << 20,
    window: 32 << 20,
    window_at_first: 32 << 20,
    send_window: 8 << 20,
    keep_alive: Duration::from_secs(3),
    ack_threshold: None,
};

impl Profile {
    /// The same profile, with no more stream credit at first than `limits` allow in the end.
    #[must_use]
    pub fn within(self, limits: StreamLimits) -> Self {
        let streams = StreamLimits {
            bidi: self.streams.bidi.min(limits.bidi),
            uni: self.streams.uni.min(limits.uni),
        };
        Self { streams, ..self }
    }

    /// The bytes that all unread streams may hold, where `paused` of them are not read on: wider by what
    /// these can hold, at most twice the window.
    #[must_use]
    pub fn window_beside(&self, paused: usize) -> u32 {
        let paused = u32::try_from(paused).unwrap_or(u32::MAX);
        self.window + paused.saturating_mul(self.stream_window).min(self.window)
    }

    /// quinn-proto's form of the profile. What is not set here keeps quinn's default on purpose:
    /// segmentation offload is on, loss thresholds are the standard's.
    #[must_use]
    pub fn transport(&self, congestion: Congestion) -> TransportConfig {
        let mut config = TransportConfig::default();
        config
            .max_concurrent_bidi_streams(VarInt::from_u32(self.streams.bidi))
            .max_concurrent_uni_streams(VarInt::from_u32(self.streams.uni))
            .stream_receive_window(VarInt::from_u32(self.stream_window))
            // quinn's default is unbounded, which a hostile peer turns into memory.
            .receive_window(VarInt::from_u32(self.window_at_first))
            .send_window(self.send_window)
            // Without it, a stream that has begun is sent to its end before any other, whatever
            // their priorities.
            .send_fairness(true)
            // Deployed peers use the same; the smaller of both ends' timeouts applies.
            .max_idle_timeout(Some(IDLE_TIMEOUT.into()))
            .keep_alive_interval(Some(self.keep_alive))
            // The standard's 333 ms delay the first retransmission to a second.
            .initial_rtt(Duration::from_millis(100))
            .ack_frequency_config(Some(self.ack_frequency()))
            .mtu_discovery_config(Some(packet_size::discovery()))
            .congestion_controller_factory(congestion.factory())
            // Live datagrams that wait longer than this buffer lasts are of no use.
            .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
            .datagram_send_buffer_size(DATAGRAM_BUFFER);
        config
    }

    fn ack_frequency(&self) -> AckFrequencyConfig {
        let mut config = AckFrequencyConfig::default();
        if let Some(threshold) = self.ack_threshold {
            config
                .ack_eliciting_threshold(VarInt::from_u32(threshold))
                .max_ack_delay(Some(Duration::from_millis(25)))
                .reordering_threshold(VarInt::from_u32(3));
        }
        config
    }
}

impl Congestion {
    fn factory(self) -> Arc<dyn ControllerFactory + Send + Sync> {
        match self {
            Self::Cubic => {
                let mut config = CubicConfig::default();
                config.initial_window(INITIAL_WINDOW);
                Arc::new(config)
            }
            Self::Bbr => {
                let mut config = BbrConfig::default();
                config.initial_window(INITIAL_WINDOW);
                Arc::new(config)
            }
        }
    }
}

/// Milliseconds without a packet until a connection counts as lost.
const IDLE_TIMEOUT: VarInt = VarInt::from_u32(10_000);

/// 32 packets of the largest size that MTU discovery probes for: most key frames.
const INITIAL_WINDOW: u64 = 32 * 1452;

/// Bytes of datagrams kept per direction.
const DATAGRAM_BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paused_streams_widen_the_window_to_twice_its_size() {
        let widened = |paused| SERVER.window_beside(paused);
        assert_eq!(widened(0), 16 << 20);
        assert_eq!(widened(1), 18 << 20);
        assert_eq!(widened(8), 32 << 20);
        assert_eq!(widened(usize::MAX), 32 << 20);
    }

    #[test]
    fn a_peer_can_open_what_the_session_holds_though_it_knows_seven_eighths_of_its_credit() {
        let limits = StreamLimits::default();
        for held in [1, 7, 1_000, 10_000, 21_000] {
            let allowed = limits.bidi_for(held);
            assert!(
                (allowed - allowed / 8) as usize >= held,
                "{held}: {allowed}"
            );
        }
        assert_eq!(limits.bidi_for(usize::MAX), MOST_STREAMS);
        let limits = StreamLimits { bidi: 100, uni: 1 };
        assert_eq!(
            limits.bidi_for(10_000),
            100,
            "whoever sets a limit means it"
        );
    }

    #[test]
    fn either_end_alone_keeps_a_silent_connection_and_clients_ping_first() {
        // The smaller of both ends' timeouts applies, and a ping may be lost.
        let idle = Duration::from_millis(IDLE_TIMEOUT.into_inner());
        assert!(CLIENT.keep_alive < SERVER.keep_alive);
        assert!(SERVER.keep_alive * 2 < idle);
    }
}
