//! Bytes that may lie in several pieces.

use bytes::Bytes;

/// What one sample or frame carries, as slices of the input that it came in.
///
/// A sample often spans two reads of a file or socket. It stays in pieces until it is written into
/// its frame, so that its bytes are copied once.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    first: Bytes,
    rest: Vec<Bytes>,
    len: usize,
}

impl Payload {
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// Adds a piece at the end.
    pub fn push(&mut self, chunk: Bytes) {
        self.len += chunk.len();
        if self.first.is_empty() {
            self.first = chunk;
        } else if !chunk.is_empty() {
            self.rest.push(chunk);
        }
    }

    /// Appends all bytes to `to`.
    pub fn copy_to(&self, to: &mut Vec<u8>) {
        to.reserve(self.len);
        for chunk in self.chunks() {
            to.extend_from_slice(chunk);
        }
    }

    /// All bytes in one piece, which copies only if there are several.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let mut whole = Vec::new();
        self.copy_to(&mut whole);
        whole.into()
    }

    /// The `N` bytes from offset `at` on, or `None` if they are not all there.
    #[must_use]
    pub fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let end = at.checked_add(N).filter(|end| *end <= self.len)?;
        let mut found = [0; N];
        let mut start = 0;
        for chunk in self.chunks() {
            let (from, to) = (at.max(start), end.min(start + chunk.len()));
            if from < to {
                // Cannot panic: `from` and `to` lie in both what is wanted and this chunk.
                found[from - at..to - at].copy_from_slice(&chunk[from - start..to - start]);
            }
            start += chunk.len();
        }
        Some(found)
    }

    /// The bytes from `start` up to `end`, shared; `None` if they are not all there.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Option<Self> {
        if start > end || end > self.len {
            return None;
        }
        let mut found = Self::default();
        let mut at = 0;
        for chunk in self.chunks() {
            let (from, to) = (start.max(at), end.min(at + chunk.len()));
            if from < to {
                found.push(chunk.slice(from - at..to - at));
            }
            at += chunk.len();
        }
        Some(found)
    }
}

impl From<Bytes> for Payload {
    fn from(first: Bytes) -> Self {
        let len = first.len();
        Self {
            first,
            rest: Vec::new(),
            len,
        }
    }
}

impl PartialEq for Payload {
    /// Whether the bytes agree, wherever the pieces end.
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.chunks().flatten(), other.chunks().flatten());
        self.len == other.len && ours.eq(theirs)
    }
}

impl Eq for Payload {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_as_one() {
        let mut payload = Payload::from(Bytes::from_static(b"ab"));
        payload.push(Bytes::from_static(b""));
        payload.push(Bytes::from_static(b"cde"));
        assert_eq!(payload.len(), 5);
        assert_eq!(payload.read::<3>(1), Some(*b"bcd"));
        assert_eq!(payload.read::<3>(3), None);
        assert_eq!(payload.slice(1, 3).unwrap().to_bytes(), "bc");
        assert_eq!(payload.slice(3, 6), None);
        assert_eq!(payload, Payload::from(Bytes::from_static(b"abcde")));
        assert_eq!(payload.to_bytes(), "abcde");
    }
}
