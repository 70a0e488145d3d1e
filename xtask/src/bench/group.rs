//! A group stream, read as its bytes come in.

/// Follows the frames of one group stream and keeps no payload.
#[derive(Debug, Default)]
pub(super) struct GroupReader {
    state: State,
    varint: PartialVarint,
    sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waiting for that field of the head.
    Head(HeadField),
    /// Waiting for a frame's timestamp; a stream may end here.
    Timestamp,
    Size,
    Payload {
        seen: u64,
        left: u64,
        stamp: u64,
    },
    /// Not a group stream.
    Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeadField {
    Kind,
    Length,
    Subscribe,
    Sequence,
    FrameStart,
}

impl GroupReader {
    /// Reads on, and hands over the stamp of every frame that became whole: its first 8 bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut on_frame: impl FnMut(u64)) {
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Foreign => return,
                State::Payload { seen, left, stamp } => {
                    let some = bytes
                        .len()
                        .min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let (payload, rest) = bytes.split_at(some);
                    for byte in payload
                        .iter()
                        .take(STAMP_BYTES.saturating_sub(*seen) as usize)
                    {
                        *stamp = *stamp << 8 | u64::from(*byte);
                    }
                    *seen += some as u64;
                    *left -= some as u64;
                    bytes = rest;
                    if *left == 0 {
                        on_frame(*stamp);
                        self.state = State::Timestamp;
                    }
                }
                _ => {
                    bytes = rest;
                    if let Some(value) = self.varint.push(first) {
                        self.take(value);
                    }
                }
            }
        }
    }

    /// The group's number, once the head is read.
    pub(super) fn sequence(&self) -> Option<u64> {
        let headless = matches!(self.state, State::Head(_) | State::Foreign);
        (!headless).then_some(self.sequence)
    }

    /// Whether the stream may end here.
    pub(super) fn is_between_frames(&self) -> bool {
        self.state == State::Timestamp
    }

    fn take(&mut self, value: u64) {
        self.state = match self.state {
            State::Head(HeadField::Kind) if value != 0 => State::Foreign,
            State::Head(HeadField::Kind) => State::Head(HeadField::Length),
            State::Head(HeadField::Length) => State::Head(HeadField::Subscribe),
            State::Head(HeadField::Subscribe) => State::Head(HeadField::Sequence),
            State::Head(HeadField::Sequence) => {
                self.sequence = value;
                State::Head(HeadField::FrameStart)
            }
            State::Timestamp => State::Size,
            State::Size if value > 0 => State::Payload {
                seen: 0,
                left: value,
                stamp: 0,
            },
            State::Head(HeadField::FrameStart) | State::Size => State::Timestamp,
            state @ (State::Payload { .. } | State::Foreign) => state,
        };
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Head(HeadField::Kind)
    }
}

/// A QUIC variable-length integer of which some bytes may be missing.
#[derive(Debug, Default)]
struct PartialVarint {
    value: u64,
    missing: u32,
}

impl PartialVarint {
    fn push(&mut self, byte: u8) -> Option<u64> {
        if self.missing == 0 {
            self.missing = 1 << (byte >> 6);
            self.value = u64::from(byte & 0x3f);
        } else {
            self.value = self.value << 8 | u64::from(byte);
        }
        self.missing -= 1;
        (self.missing == 0).then_some(self.value)
    }
}

const STAMP_BYTES: u64 = 8;

#[cfg(test)]
mod tests {
    use super::super::lite;
    use super::*;

    fn stream() -> Vec<u8> {
        let mut bytes = lite::group_head(3, 70).to_vec();
        bytes.extend_from_slice(&lite::frame(0, 11, 8));
        bytes.extend_from_slice(&lite::frame(17, 1 << 40, 4000));
        bytes
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let stream = stream();
        for size in [1, 2, 3, 7, 1000, stream.len()] {
            let mut reader = GroupReader::default();
            let mut stamps = Vec::new();
            for chunk in stream.chunks(size) {
                reader.feed(chunk, |stamp| stamps.push(stamp));
            }
            assert_eq!(stamps, [11, 1 << 40], "in pieces of {size}");
            assert_eq!(reader.sequence(), Some(70));
            assert!(reader.is_between_frames());
        }
    }

    #[test]
    fn stream_cut_within_a_frame_is_not_whole() {
        let mut reader = GroupReader::default();
        let stream = stream();
        reader.feed(&stream[..stream.len() - 1], |_| {});
        assert!(!reader.is_between_frames());
    }

    #[test]
    fn other_streams_are_left_alone() {
        let mut reader = GroupReader::default();
        reader.feed(&lite::setup(lite::Role::Subscriber), |_| {
            panic!("a frame in a SETUP")
        });
        assert_eq!(reader.sequence(), None);
    }
}
