//! Connection ids that name the driver of their connection.

use std::time::Duration;

use quinn_proto::{ConnectionId, ConnectionIdGenerator, HashedConnectionIdGenerator, InvalidCid};

/// Makes ids of a byte for the driver's number, and eight that quinn-proto recognises.
pub(super) struct SteeredIds {
    driver: u8,
    rest: HashedConnectionIdGenerator,
}

impl SteeredIds {
    /// `key` has to be the same in all lives of a server that resets what former ones left.
    pub(super) fn new(driver: u8, key: Option<u64>) -> Self {
        let rest = key.map_or_else(
            HashedConnectionIdGenerator::new,
            HashedConnectionIdGenerator::from_key,
        );
        Self { driver, rest }
    }
}

impl ConnectionIdGenerator for SteeredIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let rest = self.rest.generate_cid();
        let mut id = [0; LENGTH];
        id[0] = self.driver;
        id[1..].copy_from_slice(&rest);
        ConnectionId::new(&id)
    }

    fn validate(&self, id: &ConnectionId) -> Result<(), InvalidCid> {
        match id.split_first() {
            Some((_, rest)) if id.len() == LENGTH => self.rest.validate(&ConnectionId::new(rest)),
            _ => Err(InvalidCid),
        }
    }

    fn cid_len(&self) -> usize {
        LENGTH
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        self.rest.cid_lifetime()
    }
}

/// The driver that a datagram seems to be for, by the id at its beginning.
///
/// A client's first packets carry an id of its own choice. Where that is as long as one of ours,
/// all of them name the same driver nevertheless.
pub(super) fn driver_of(datagram: &[u8]) -> Option<usize> {
    let first = *datagram.first()?;
    let driver = if first & LONG_HEADER == 0 {
        datagram.get(1)?
    } else if usize::from(*datagram.get(ID_LENGTH_AT)?) == LENGTH {
        datagram.get(ID_LENGTH_AT + 1)?
    } else {
        return None;
    };
    Some(usize::from(*driver))
}

/// Bytes of an id.
const LENGTH: usize = 9;

/// The bit of a packet's first byte that tells the two forms of headers apart.
pub(super) const LONG_HEADER: u8 = 0x80;

/// Where a long header has the length of the destination's id.
const ID_LENGTH_AT: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_driver_and_is_recognised_in_another_life() {
        let id = SteeredIds::new(3, Some(7)).generate_cid();
        assert!(SteeredIds::new(0, Some(7)).validate(&id).is_ok());
        assert!(SteeredIds::new(3, Some(8)).validate(&id).is_err());
        assert!(
            SteeredIds::new(3, Some(7))
                .validate(&ConnectionId::new(&id[..8]))
                .is_err()
        );

        let short = [&[0x40], &id[..], &[1, 2, 3]].concat();
        assert_eq!(driver_of(&short), Some(3));
        let long = [&[0xe0, 0, 0, 0, 1, 9], &id[..], &[0]].concat();
        assert_eq!(driver_of(&long), Some(3));
        let initial = [&[0xc0, 0, 0, 0, 1, 8][..], &[3; 8], &[0]].concat();
        assert_eq!(driver_of(&initial), None);
    }

    #[test]
    fn what_is_cut_short_names_none() {
        for datagram in [
            &[][..],
            &[0x40],
            &[0xc0, 0, 0, 0, 1],
            &[0xc0, 0, 0, 0, 1, 9],
        ] {
            assert_eq!(driver_of(datagram), None);
        }
    }
}
