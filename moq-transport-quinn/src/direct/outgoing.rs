//! Packets on their way to a driver's socket.

use std::collections::VecDeque;

use quinn_proto::Transmit;

/// What is encoded, in order, and not yet taken by the system.
///
/// Encoding a packet and sending it are each more code than a core's first cache holds. So several
/// connections have theirs encoded before any of it is sent.
#[derive(Default)]
pub(super) struct Outgoing {
    trains: VecDeque<Transmit>,
    /// Of all trains, and before them of those that were sent.
    bytes: Vec<u8>,
    /// How many bytes were sent.
    sent: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.trains.is_empty()
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.trains.len() >= MAX_TRAINS || self.bytes.len() >= MAX_SIZE
    }

    /// Takes in a train. A long one is sent at once, because nothing is won by copying it.
    pub(super) fn push(
        &mut self,
        transmit: Transmit,
        bytes: &[u8],
        mut send: impl FnMut(&Transmit, &[u8]) -> bool,
    ) {
        let is_long = transmit.size >= LONG;
        if is_long && self.send(&mut send) && send(&transmit, bytes) {
            return;
        }
        self.bytes.extend_from_slice(&bytes[..transmit.size]);
        self.trains.push_back(transmit);
    }

    /// Sends what is there, by `send` that says whether the system took a train, and says whether
    /// it took all of them.
    pub(super) fn send(&mut self, mut send: impl FnMut(&Transmit, &[u8]) -> bool) -> bool {
        while let Some(transmit) = self.trains.front() {
            if !send(transmit, &self.bytes[self.sent..]) {
                return false;
            }
            self.sent += transmit.size;
            self.trains.pop_front();
        }
        self.bytes.clear();
        self.sent = 0;
        true
    }
}

/// Trains that are encoded before they are sent.
const MAX_TRAINS: usize = 32;

/// Bytes of trains that are encoded before they are sent.
const MAX_SIZE: usize = 32 << 10;

/// Bytes of a train that is sent by itself.
const LONG: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// A system that takes so many more trains.
    #[derive(Default)]
    struct System {
        room: usize,
        taken: Vec<u8>,
    }

    impl System {
        fn take(&mut self, transmit: &Transmit, bytes: &[u8]) -> bool {
            if self.room == 0 {
                return false;
            }
            self.room -= 1;
            self.taken.extend_from_slice(&bytes[..transmit.size]);
            true
        }
    }

    fn train(size: usize) -> Transmit {
        Transmit {
            destination: ([127, 0, 0, 1], 4443).into(),
            ecn: None,
            size,
            segment_size: None,
            src_ip: None,
        }
    }

    #[test]
    fn what_the_system_refuses_is_sent_later_in_its_order() {
        let (mut outgoing, mut system) = (Outgoing::default(), System::default());
        let push = |outgoing: &mut Outgoing, system: &mut System, bytes: &[u8]| {
            outgoing.push(train(bytes.len()), bytes, |train, bytes| {
                system.take(train, bytes)
            });
        };
        let long = vec![4; LONG];
        push(&mut outgoing, &mut system, &[1; 10]);
        push(&mut outgoing, &mut system, &[2; 20]);
        system.room = 1;
        assert!(!outgoing.send(|train, bytes| system.take(train, bytes)));
        push(&mut outgoing, &mut system, &[3; 30]);
        push(&mut outgoing, &mut system, &long);
        assert_eq!(system.taken, [1; 10]);
        system.room = 3;
        assert!(outgoing.send(|train, bytes| system.take(train, bytes)));
        assert!(outgoing.is_empty());
        let all = [&[1; 10][..], &[2; 20], &[3; 30], &long].concat();
        assert_eq!(system.taken, all);
    }

    #[test]
    fn a_long_train_goes_at_once_and_not_before_others() {
        let (mut outgoing, mut system) = (Outgoing::default(), System::default());
        system.room = 2;
        for bytes in [vec![1; 10], vec![2; LONG]] {
            outgoing.push(train(bytes.len()), &bytes, |train, bytes| {
                system.take(train, bytes)
            });
        }
        assert!(outgoing.is_empty());
        assert_eq!(system.taken, [vec![1; 10], vec![2; LONG]].concat());
    }
}
