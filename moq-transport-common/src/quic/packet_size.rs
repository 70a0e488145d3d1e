//! Which sizes of packets a path is tried with.

use quinn_proto::MtuDiscoveryConfig;

/// How a path's largest packet is found (RFC 9000 §14.3): most paths carry 1452 bytes, so these
/// are tried first, and 1325 where they get lost. quinn's own search goes up from the middle, which
/// takes four probes for most paths.
pub(super) fn discovery() -> MtuDiscoveryConfig {
    let mut config = MtuDiscoveryConfig::default();
    config.minimum_change(STEP);
    config
}

/// Bytes between the sizes that are tried: just more than half of the way from 1200 to 1452.
const STEP: u16 = 127;
