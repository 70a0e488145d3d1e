//! How many sessions each address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the sessions of each address.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

impl Places {
    pub(crate) fn new(most: NonZeroUsize) -> Self {
        Self {
            counts: Arc::default(),
            most: most.get(),
        }
    }

    /// How many sessions an address may have.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A place for one more session, unless the address has too many. This machine's own are not
    /// counted.
    pub(crate) fn take(&self, remote: SocketAddr) -> Option<Place> {
        let key = network(remote.ip());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= self.most && !key.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Place {
            places: self.clone(),
            key,
        })
    }
}

/// A place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    key: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .places
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// What one subscriber line has: an IPv4 address, or an IPv6 network of 64 bits.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)))
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    fn take(pool: &Places, remote: &str) -> Option<Place> {
        pool.take(remote.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_others_are_not_concerned() {
        let pool = Places::new(MOST);
        let places: Vec<_> = (0..MOST.get())
            .map(|_| take(&pool, "192.0.2.1:5").unwrap())
            .collect();
        assert!(take(&pool, "192.0.2.1:6").is_none());
        assert!(take(&pool, "192.0.2.2:5").is_some());
        drop(places);
        assert!(take(&pool, "192.0.2.1:6").is_some());
        assert!(pool.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let key = |ip: &str| network(ip.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::2:3:4:5"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn this_machine_has_no_limit() {
        let pool = Places::new(MOST);
        let places: Vec<_> = (0..=MOST.get()).map(|_| take(&pool, "[::1]:5")).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
