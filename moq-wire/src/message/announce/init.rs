//! The list that an answer starts with, where the draft has one.

use bytes::{Buf, BytesMut};

use super::event::AnnounceEvent;
use crate::codec::{Decode, Encode};
use crate::envelope::{decode_or_put_back, put_envelope};
use crate::error::{DecodeError, EncodeError};
use crate::limits::MAX_MESSAGE;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

/// How far an ANNOUNCE_INIT was read. It is taken apart suffix by suffix, because as a whole it may
/// be of any size.
#[derive(Debug)]
pub(super) enum Init {
    /// Not even its length is here.
    Ahead,
    /// What is left of it.
    Inside {
        bytes: u64,
        suffixes: u64,
        /// How many there were to begin with.
        count: u64,
    },
    /// All of it was read.
    Over { count: u64 },
}

impl Init {
    /// How many suffixes there are, once that is known.
    pub(super) fn count(&self) -> Option<u64> {
        match *self {
            Self::Ahead => None,
            Self::Inside { count, .. } | Self::Over { count } => Some(count),
        }
    }

    /// Whether nothing of it is to come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over { .. })
    }

    /// Takes the next suffix off the front of `buf`, and what is before the first of them.
    ///
    /// `Ok(None)` means that more bytes are needed, or that there are no more suffixes.
    pub(super) fn next(
        &mut self,
        buf: &mut BytesMut,
        version: Version,
    ) -> Result<Option<Path>, DecodeError> {
        if matches!(self, Self::Ahead) {
            self.begin(buf, version)?;
        }
        let Self::Inside {
            bytes, suffixes, ..
        } = self
        else {
            return Ok(None);
        };
        let Some((len, size)) = peek(buf, *bytes, version)? else {
            return Ok(None);
        };
        let end = len.saturating_add(size as u64);
        if end > *bytes {
            return Err(DecodeError::PastEnd);
        }
        let end = usize::try_from(end)
            .ok()
            .filter(|&end| end <= MAX_MESSAGE)
            .ok_or(DecodeError::TooLong)?;
        if buf.len() < end {
            return Ok(None);
        }
        *bytes -= end as u64;
        *suffixes -= 1;
        let suffix = buf.split_to(end).freeze();
        let suffix = decode_or_put_back(suffix, buf, |suffix| Path::decode(suffix, version))?;
        // What may be wrong with the end of the list is wrong behind the suffix.
        self.settle()?;
        Ok(Some(suffix))
    }

    /// Takes the length and the count, if both are there.
    fn begin(&mut self, buf: &mut BytesMut, version: Version) -> Result<(), DecodeError> {
        let Some((len, len_size)) = varint::peek(buf, version)? else {
            return Ok(());
        };
        let Some((count, count_size)) = peek(&buf[len_size..], len, version)? else {
            return Ok(());
        };
        buf.advance(len_size + count_size);
        *self = Self::Inside {
            bytes: len - count_size as u64,
            suffixes: count,
            count,
        };
        self.settle()
    }

    /// Ends the list after its last suffix, where the message has to end too.
    fn settle(&mut self) -> Result<(), DecodeError> {
        match *self {
            Self::Inside {
                bytes: 0,
                suffixes: 0,
                count,
            } => *self = Self::Over { count },
            Self::Inside { suffixes: 0, .. } => return Err(DecodeError::Trailing),
            _ => {}
        }
        Ok(())
    }
}

/// Reads an integer at the front of `buf`, of which `left` bytes belong to the message.
fn peek(buf: &[u8], left: u64, version: Version) -> Result<Option<(u64, usize)>, DecodeError> {
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    match varint::peek(&buf[..left.min(buf.len())], version)? {
        None if left <= buf.len() => Err(DecodeError::PastEnd),
        found => Ok(found),
    }
}

/// Appends the suffixes of `started` as a list, which may be longer than other messages.
pub(super) fn put_init(
    started: &[AnnounceEvent],
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    put_envelope(usize::MAX, buf, version, |buf| {
        (started.len() as u64).encode(buf, version)?;
        let mut started = started.iter();
        started.try_for_each(|event| event.suffix().encode(buf, version))
    })
}

/// Appends the head of a list of `count` suffixes, which have `bytes` bytes in all.
pub(super) fn begin_init(
    count: usize,
    bytes: usize,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    let count = count as u64;
    let len = varint::size(count, version) as u64 + bytes as u64;
    varint::put(len, buf, version)?;
    varint::put(count, buf, version)
}
