//! Boxes cut out of bytes, without reading them.

use std::fmt;

use mp4_atom::Atom;

use super::error::{BoxError, Problem};

/// A box's four letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub(crate) [u8; 4]);

impl Kind {
    /// The letters.
    #[must_use]
    pub fn bytes(self) -> [u8; 4] {
        self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({self})")
    }
}

/// The head of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Bytes of the head itself: 8 or 16.
    pub(crate) len: usize,
    /// Bytes behind the head; `None` means all up to the end.
    pub(crate) body: Option<u64>,
}

impl Header {
    /// Reads a head from the first 8 or 16 bytes of a box; `Ok(None)` asks for more.
    ///
    /// # Errors
    /// The size, when it is too small for the head.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, u64> {
        let Some((size, rest)) = bytes.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let Some((kind, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let kind = Kind(*kind);
        let (size, len) = match u32::from_be_bytes(*size) {
            0 => {
                return Ok(Some(Self {
                    kind,
                    len: 8,
                    body: None,
                }));
            }
            1 => match rest.first_chunk::<8>() {
                Some(size) => (u64::from_be_bytes(*size), 16),
                None => return Ok(None),
            },
            size => (u64::from(size), 8),
        };
        let body = size.checked_sub(len as u64).ok_or(size)?;
        Ok(Some(Self {
            kind,
            len,
            body: Some(body),
        }))
    }
}

/// A box inside bytes that are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) kind: Kind,
    /// Where the box begins in the input.
    pub(crate) offset: u64,
    /// The box with its head.
    pub(crate) whole: &'a [u8],
    /// The box without its head.
    pub(crate) body: &'a [u8],
}

impl<'a> Part<'a> {
    /// Where the body begins in the input.
    pub(crate) fn body_offset(&self) -> u64 {
        self.offset + (self.whole.len() - self.body.len()) as u64
    }

    /// An error about this box.
    pub(crate) fn error(&self, problem: Problem) -> BoxError {
        BoxError::new(self.kind, self.offset, problem)
    }

    /// The boxes in the body, `skip` bytes into it.
    pub(crate) fn children(&self, skip: usize) -> Parts<'a> {
        let body = self.body.get(skip..).unwrap_or_default();
        parts(body, self.body_offset() + skip as u64)
    }

    /// The first box of a kind in the body.
    pub(crate) fn child(&self, kind: &[u8; 4]) -> Result<Option<Self>, BoxError> {
        self.children(0)
            .find(|part| part.as_ref().map_or(true, |part| part.kind.0 == *kind))
            .transpose()
    }

    /// The first box of a kind in the body, which has to be there.
    pub(crate) fn required(&self, kind: &[u8; 4]) -> Result<Self, BoxError> {
        self.child(kind)?
            .ok_or_else(|| self.error(Problem::Missing(Kind(*kind))))
    }

    /// The fields of the body. Bytes behind them are let pass.
    pub(crate) fn decode<T: Atom>(&self) -> Result<T, BoxError> {
        let mut body = self.body;
        T::decode_body(&mut body).map_err(|error| self.error(Problem::Malformed(error.into())))
    }
}

/// Boxes one after the other; an error ends them. Less than a head at the end is padding.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    rest: &'a [u8],
    offset: u64,
}

/// The boxes of `bytes`, which begin at `offset` in the input.
pub(crate) fn parts(bytes: &[u8], offset: u64) -> Parts<'_> {
    Parts {
        rest: bytes,
        offset,
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let whole = self.rest;
        let offset = self.offset;
        let header = match Header::read(whole) {
            Ok(header) => header?,
            Err(size) => {
                self.rest = &[];
                let kind = whole.get(4..8).and_then(|kind| kind.try_into().ok());
                let kind = Kind(kind.unwrap_or_default());
                return Some(Err(BoxError::new(kind, offset, Problem::Size(size))));
            }
        };
        let found = (whole.len() - header.len) as u64;
        let expected = header.body.unwrap_or(found);
        let Some(end) = usize::try_from(expected)
            .ok()
            .and_then(|body| body.checked_add(header.len))
            .filter(|end| *end <= whole.len())
        else {
            self.rest = &[];
            let problem = Problem::Short { expected, found };
            return Some(Err(BoxError::new(header.kind, offset, problem)));
        };
        let (whole, rest) = whole.split_at(end);
        self.rest = rest;
        self.offset += end as u64;
        Some(Ok(Part {
            kind: header.kind,
            offset,
            whole,
            body: &whole[header.len..],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_three_sizes() {
        let read = |bytes: &[u8]| Header::read(bytes);
        let header = |len, body| {
            let kind = Kind(*b"free");
            Ok(Some(Header { kind, len, body }))
        };
        assert_eq!(read(b"\0\0\0\x0afree"), header(8, Some(2)));
        assert_eq!(read(b"\0\0\0\0free"), header(8, None));
        assert_eq!(
            read(b"\0\0\0\x01free\0\0\0\0\0\0\0\x11"),
            header(16, Some(1))
        );
        assert_eq!(read(b"\0\0\0\x01free\0\0\0"), Ok(None));
        assert_eq!(read(b"\0\0\0\x07free"), Err(7));
        assert_eq!(read(b"\0\0\0\x01free\0\0\0\0\0\0\0\x0f"), Err(15));
    }

    #[test]
    fn box_beyond_its_parent_is_an_error_with_its_place() {
        let found: Vec<_> = parts(b"\0\0\0\x08free\0\0\0\x20moof\0", 100).collect();
        assert_eq!(found[0].as_ref().unwrap().offset, 100);
        let error = found[1].as_ref().unwrap_err();
        assert_eq!(
            error.to_string(),
            "box moof at byte 108: expected 24 bytes, found 1"
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn padding_behind_boxes_is_let_pass() {
        assert_eq!(parts(b"\0\0\0\x08free\0\0\0\0", 0).count(), 1);
    }
}
