//! How many connections that a driver does not know are reset.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Bounds the stateless resets to each address.
///
/// A reset is smaller than the packet that it answers, so nothing is won by forging that packet's
/// source. A restarted server may have to answer thousands of peers in a second, many of them
/// behind one address. Addresses share a place where there are more of them than places.
pub(super) struct Resets {
    hasher: RandomState,
    /// When the counting began.
    since: Option<Instant>,
    /// How many were sent since then, by place.
    sent: Box<[u16]>,
}

impl Default for Resets {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            since: None,
            sent: vec![0; PLACES].into(),
        }
    }
}

impl Resets {
    /// Says whether one more may be sent to an address, and counts it.
    pub(super) fn allow(&mut self, to: IpAddr, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= PERIOD;
        if self.since.is_none_or(is_over) {
            self.since = Some(now);
            self.sent.fill(0);
        }
        let place = self.hasher.hash_one(prefix(to)) % PLACES as u64;
        let sent = &mut self.sent[place as usize];
        let is_allowed = *sent < MAX_SENT;
        *sent += u16::from(is_allowed);
        is_allowed
    }
}

/// What a peer cannot choose of its address: it has all of a /64.
fn prefix(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    }
}

/// How long resets are counted.
const PERIOD: Duration = Duration::from_secs(1);

/// The most resets per address and period.
const MAX_SENT: u16 = 8192;

/// Addresses that are told apart.
const PLACES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn an_address_gets_only_so_many_in_a_second() {
        let (mut resets, start) = (Resets::default(), Instant::now());
        let address = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1));
        let granted = (0..10_000).filter(|_| resets.allow(address, start));
        assert_eq!(granted.count(), usize::from(MAX_SENT));
        let mapped = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
        assert!(!resets.allow(mapped, start + PERIOD / 2));
        assert!(resets.allow(address, start + PERIOD));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let (mut resets, start) = (Resets::default(), Instant::now());
        let address = |host: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host).into();
        let granted = (0..10_000).filter(|host| resets.allow(address(*host), start));
        assert_eq!(granted.count(), usize::from(MAX_SENT));
    }
}
