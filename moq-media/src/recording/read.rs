//! Bytes → records.

use bytes::BytesMut;

use super::body::{Body, decode};
use super::checksum::checksum;
use super::record::Record;
use super::{HEAD, MAGIC, MAX_BODY};

/// Reads a recording as its bytes come.
///
/// It never holds more than one record that is not whole.
#[derive(Debug, Default)]
pub struct RecordingReader {
    bytes: BytesMut,
    /// Where in the file `bytes` begins.
    offset: u64,
    has_begun: bool,
    is_complete: bool,
}

/// Why a recording can't be read any further. What came before it is good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// It does not begin as recordings do.
    #[error("it is no recording of version {}: it does not begin with {:?}", MAGIC[7], "moqrec")]
    NotARecording,
    /// A record whose bytes are not those that were written.
    #[error(
        "the record at byte {offset} is damaged: expected checksum {expected:08x}, found {found:08x}"
    )]
    Checksum {
        /// Where the record begins.
        offset: u64,
        /// What the record says.
        expected: u32,
        /// What its bytes have.
        found: u32,
    },
    /// A record that claims more bytes than any has.
    #[error(
        "the record at byte {offset} is damaged: expected at most {MAX_BODY} bytes, found {found}"
    )]
    TooLong {
        /// Where the record begins.
        offset: u64,
        /// How many bytes it claims.
        found: u32,
    },
    /// A record that has fewer bytes than its kind, or a text that is none.
    #[error("the record at byte {offset} is malformed")]
    Malformed {
        /// Where the record begins.
        offset: u64,
    },
}

impl RecordingReader {
    /// A reader from the middle of a file: `offset` is where a record begins.
    #[must_use]
    pub fn at(offset: u64) -> Self {
        Self {
            offset,
            has_begun: true,
            ..Self::default()
        }
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next record and where it begins; `None` asks for more bytes.
    ///
    /// Kinds of records that are not known here are passed over.
    ///
    /// # Errors
    /// [`RecordingError`] when nothing behind this place can be trusted.
    #[expect(
        clippy::should_implement_trait,
        reason = "`None` is not the end, as it is for an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<(u64, Record)>, RecordingError> {
        if !self.begin()? {
            return Ok(None);
        }
        loop {
            let offset = self.offset;
            let Some((len, expected)) = self.head() else {
                return Ok(None);
            };
            let found = len;
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            if len > MAX_BODY {
                return Err(RecordingError::TooLong { offset, found });
            }
            if self.bytes.len() < HEAD + len {
                return Ok(None);
            }
            let found = checksum(&[&self.bytes[HEAD..HEAD + len]]);
            if found != expected {
                return Err(RecordingError::Checksum {
                    offset,
                    expected,
                    found,
                });
            }
            let record = self.take(HEAD + len).split_off(HEAD).freeze();
            match decode(record) {
                Body::Known(record) => {
                    self.is_complete = matches!(record, Record::End { .. });
                    return Ok(Some((offset, record)));
                }
                Body::Unknown => {}
                Body::Malformed => return Err(RecordingError::Malformed { offset }),
            }
        }
    }

    /// Whether the last record of a whole recording was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Where the next record begins, in bytes from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Pushed bytes behind the last whole record. At the end of a file they are dropped: it was cut off.
    #[must_use]
    pub fn rest(&self) -> usize {
        self.bytes.len()
    }

    fn begin(&mut self) -> Result<bool, RecordingError> {
        if self.has_begun {
            return Ok(true);
        }
        let len = self.bytes.len().min(MAGIC.len());
        if self.bytes[..len] != MAGIC[..len] {
            return Err(RecordingError::NotARecording);
        }
        if len == MAGIC.len() {
            self.take(len);
            self.has_begun = true;
        }
        Ok(self.has_begun)
    }

    /// The length and the checksum of the next record.
    fn head(&self) -> Option<(u32, u32)> {
        let number = |at: usize| {
            let bytes = self.bytes.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        Some((number(0)?, number(4)?))
    }

    fn take(&mut self, len: usize) -> BytesMut {
        self.offset += len as u64;
        self.bytes.split_to(len)
    }
}
