//! Who has a place among the handshakes, and who gives way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::sync::oneshot;

/// The handshakes of a server, without I/O.
///
/// When all places are taken, a newcomer takes that of the network which has the most, and of its
/// handshakes the oldest: one that goes on has taken milliseconds, one that does not is older.
#[derive(Debug)]
pub(crate) struct Places {
    limit: usize,
    next: u64,
    /// Handshakes by number, so the oldest first.
    waiting: BTreeMap<u64, Waiting>,
    /// Those whose peer may have forged its address.
    unvalidated: BTreeSet<u64>,
    /// The others, by the networks they come from.
    networks: BTreeMap<IpAddr, BTreeSet<u64>>,
    /// Those that are done, and that nobody has taken.
    done: BTreeSet<u64>,
}

#[derive(Debug)]
struct Waiting {
    network: IpAddr,
    evict: oneshot::Sender<()>,
}

/// What becomes of a newcomer.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It has this number, and is told if it has to give way. The handshake that gives way to it
    /// is told by the last of these.
    Place(u64, oneshot::Receiver<()>, Option<oneshot::Sender<()>>),
    /// It first has to show that it receives what is sent to its address.
    Retry,
    /// All places are taken by handshakes that are done.
    Full,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            next: 0,
            waiting: BTreeMap::new(),
            unvalidated: BTreeSet::new(),
            networks: BTreeMap::new(),
            done: BTreeSet::new(),
        }
    }

    /// Finds a place for a newcomer.
    pub(crate) fn enter(&mut self, peer: IpAddr, is_validated: bool) -> Entry {
        let is_under_load = self.taken() >= self.limit / 2;
        if !is_validated && (is_under_load || self.unvalidated.len() >= MAX_UNVALIDATED) {
            return Entry::Retry;
        }
        let network = network(peer);
        let gives_way = if self.taken() >= self.limit {
            let Some(evict) = self.make_room(network) else {
                return Entry::Full;
            };
            Some(evict)
        } else {
            None
        };
        let (evict, evicted) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, Waiting { network, evict });
        self.unvalidated.insert(number);
        if is_validated {
            self.validate(number);
        }
        Entry::Place(number, evicted, gives_way)
    }

    /// Takes in that a peer has shown that it receives what is sent to it.
    pub(crate) fn validate(&mut self, number: u64) {
        if self.unvalidated.remove(&number)
            && let Some(waiting) = self.waiting.get(&number)
        {
            let network = self.networks.entry(waiting.network).or_default();
            network.insert(number);
        }
    }

    /// Takes in that a handshake is done. It keeps its place until somebody takes it.
    pub(crate) fn finish(&mut self, number: u64) {
        if self.forget(number).is_some() {
            self.done.insert(number);
        }
    }

    /// Frees a place.
    pub(crate) fn leave(&mut self, number: u64) {
        self.forget(number);
        self.done.remove(&number);
    }

    /// Takes the place of the handshake that has to give way to a newcomer, if there is one.
    fn make_room(&mut self, newcomer: IpAddr) -> Option<oneshot::Sender<()>> {
        let of_largest = || {
            let rank = |(network, numbers): &(&IpAddr, &BTreeSet<u64>)| {
                let count = numbers.len() + usize::from(**network == newcomer);
                (count, std::cmp::Reverse(numbers.first().copied()))
            };
            let (_, numbers) = self.networks.iter().max_by_key(rank)?;
            numbers.first()
        };
        let victim = self.unvalidated.first().or_else(of_largest).copied();
        let waiting = victim.and_then(|number| self.forget(number))?;
        Some(waiting.evict)
    }

    fn forget(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        if !self.unvalidated.remove(&number)
            && let Some(numbers) = self.networks.get_mut(&waiting.network)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.networks.remove(&waiting.network);
            }
        }
        Some(waiting)
    }

    fn taken(&self) -> usize {
        self.waiting.len() + self.done.len()
    }
}

/// The network that an address counts for: 24 bits of IPv4, 64 of IPv6.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & 0xffff_ff00).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Handshakes at once with peers that have not shown that they receive what is sent to them.
/// Further ones cost them a round trip, and this end no memory.
const MAX_UNVALIDATED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(places: &mut Places, ip: &str, is_validated: bool) -> (u64, oneshot::Receiver<()>) {
        match places.enter(ip.parse().unwrap(), is_validated) {
            Entry::Place(number, evicted, gives_way) => {
                gives_way.map(|evict| evict.send(()));
                (number, evicted)
            }
            other => panic!("{other:?}"),
        }
    }

    fn is_evicted(handshake: &mut (u64, oneshot::Receiver<()>)) -> bool {
        handshake.1.try_recv().is_ok()
    }

    fn is_retried(places: &mut Places, ip: &str) -> bool {
        matches!(places.enter(ip.parse().unwrap(), false), Entry::Retry)
    }

    #[test]
    fn forged_addresses_cost_others_a_round_trip_and_nothing_else() {
        let mut places = Places::new(1024);
        let forged: Vec<_> = (0..MAX_UNVALIDATED)
            .map(|_| enter(&mut places, "192.0.2.1", false))
            .collect();
        assert!(is_retried(&mut places, "198.51.100.1"));
        let (number, _evicted) = enter(&mut places, "198.51.100.1", true);

        places.validate(forged[0].0);
        assert!(!is_retried(&mut places, "198.51.100.1"));
        assert!(is_retried(&mut places, "198.51.100.1"));
        places.leave(number);
    }

    #[test]
    fn under_load_an_address_has_to_be_shown_first() {
        let mut places = Places::new(20);
        for _ in 0..10 {
            enter(&mut places, "192.0.2.1", true);
        }
        assert!(is_retried(&mut places, "198.51.100.1"));
    }

    /// 2000 silent clients of one network: whoever comes from elsewhere stays, and whoever comes
    /// from there has as long as it takes 1000 others to begin.
    #[test]
    fn silent_clients_of_a_network_give_way_oldest_first() {
        let mut places = Places::new(1024);
        let mut silent: Vec<_> = (0..2000)
            .map(|_| enter(&mut places, "192.0.2.1", true))
            .collect();
        let mut other = enter(&mut places, "198.51.100.1", true);
        let mut same = enter(&mut places, "192.0.2.200", true);
        for _ in 0..1000 {
            silent.push(enter(&mut places, "192.0.2.1", true));
        }
        assert!(!is_evicted(&mut other) && !is_evicted(&mut same));
        assert_eq!(places.taken(), 1024);
        let are_evicted: Vec<_> = silent.iter_mut().map(is_evicted).collect();
        let evicted = are_evicted.iter().take_while(|is| **is).count();
        assert_eq!(evicted, 3000 + 2 - 1024);
        assert!(!are_evicted[evicted..].contains(&true));
        for _ in 0..100 {
            enter(&mut places, "192.0.2.1", true);
        }
        assert!(is_evicted(&mut same) && !is_evicted(&mut other));
    }

    #[test]
    fn of_networks_with_as_many_the_oldest_gives_way() {
        let mut places = Places::new(2);
        let mut first = enter(&mut places, "192.0.2.1", true);
        let mut second = enter(&mut places, "198.51.100.1", true);
        let mut third = enter(&mut places, "2001:db8::1", true);
        assert!(is_evicted(&mut first) && !is_evicted(&mut second));
        // The newcomer would be the second of its network, so that gives way.
        enter(&mut places, "2001:db8::2:3", true);
        assert!(is_evicted(&mut third) && !is_evicted(&mut second));
    }

    #[test]
    fn forged_addresses_give_way_before_all_others() {
        let mut places = Places::new(4);
        let mut forged = enter(&mut places, "192.0.2.1", false);
        let mut validated: Vec<_> = (0..3)
            .map(|_| enter(&mut places, "198.51.100.1", true))
            .collect();
        enter(&mut places, "203.0.113.1", true);
        assert!(is_evicted(&mut forged));
        assert!(!validated.iter_mut().any(is_evicted));
    }

    #[test]
    fn what_is_done_does_not_give_way() {
        let mut places = Places::new(2);
        for _ in 0..2 {
            let (number, _evicted) = enter(&mut places, "192.0.2.1", true);
            places.finish(number);
        }
        let other = "198.51.100.1".parse().unwrap();
        assert!(matches!(places.enter(other, true), Entry::Full));
        places.leave(0);
        enter(&mut places, "198.51.100.1", true);
    }
}
