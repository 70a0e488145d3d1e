//! Packets on their way to a driver's socket.

use quinn_proto::Transmit;

/// What is encoded, in order, and not yet taken by the system.
///
/// Encoding a packet and sending it are each more code than a core's first cache holds. So several
/// connections have theirs encoded before any of it is sent.
#[derive(Default)]
pub(super) struct Outgoing {
    trains: Vec<Transmit>,
    /// Of all trains.
    bytes: Vec<u8>,
    /// How many of the trains were sent.
    sent: usize,
    /// How many of the bytes were sent.
    sent_bytes: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.trains.len()
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
        mut send: impl FnMut(&[Transmit], &[u8]) -> usize,
    ) {
        let is_long = transmit.size >= LONG;
        if is_long && self.send(&mut send) && send(std::slice::from_ref(&transmit), bytes) == 1 {
            return;
        }
        self.bytes.extend_from_slice(&bytes[..transmit.size]);
        self.trains.push(transmit);
    }

    /// Sends what is there, by `send` that says how many of the trains the system took, and says
    /// whether it took all of them.
    pub(super) fn send(&mut self, mut send: impl FnMut(&[Transmit], &[u8]) -> usize) -> bool {
        if self.is_empty() {
            return true;
        }
        let taken = send(&self.trains[self.sent..], &self.bytes[self.sent_bytes..]);
        let (taken, rest) = self.trains[self.sent..].split_at(taken);
        if !rest.is_empty() {
            self.sent += taken.len();
            self.sent_bytes += taken.iter().map(|train| train.size).sum::<usize>();
            return false;
        }
        self.trains.clear();
        self.bytes.clear();
        (self.sent, self.sent_bytes) = (0, 0);
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
        fn take(&mut self, trains: &[Transmit], bytes: &[u8]) -> usize {
            let taken = &trains[..trains.len().min(self.room)];
            self.room -= taken.len();
            let size: usize = taken.iter().map(|train| train.size).sum();
            self.taken.extend_from_slice(&bytes[..size]);
            taken.len()
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
            outgoing.push(train(bytes.len()), bytes, |trains, bytes| {
                system.take(trains, bytes)
            });
        };
        let long = vec![4; LONG];
        push(&mut outgoing, &mut system, &[1; 10]);
        push(&mut outgoing, &mut system, &[2; 20]);
        system.room = 1;
        assert!(!outgoing.send(|trains, bytes| system.take(trains, bytes)));
        push(&mut outgoing, &mut system, &[3; 30]);
        push(&mut outgoing, &mut system, &long);
        assert_eq!(system.taken, [1; 10]);
        system.room = 3;
        assert!(outgoing.send(|trains, bytes| system.take(trains, bytes)));
        assert!(outgoing.is_empty());
        let all = [&[1; 10][..], &[2; 20], &[3; 30], &long].concat();
        assert_eq!(system.taken, all);
    }

    #[test]
    fn a_long_train_goes_at_once_and_not_before_others() {
        let (mut outgoing, mut system) = (Outgoing::default(), System::default());
        system.room = 2;
        for bytes in [vec![1; 10], vec![2; LONG]] {
            outgoing.push(train(bytes.len()), &bytes, |trains, bytes| {
                system.take(trains, bytes)
            });
        }
        assert!(outgoing.is_empty());
        assert_eq!(system.taken, [vec![1; 10], vec![2; LONG]].concat());
    }
}
