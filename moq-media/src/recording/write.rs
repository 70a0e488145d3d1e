//! Records → bytes.

use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use super::record::{Entry, Record};
use super::{HEAD, MAGIC, body, checksum};

/// Writes a recording, and remembers what its index needs.
#[derive(Debug, Default)]
pub struct RecordingWriter {
    offset: u64,
    /// Broadcasts and tracks, which stand in front of the index once more.
    named: Vec<Record>,
    entries: Vec<Entry>,
}

impl RecordingWriter {
    /// Begins a recording at a moment since 1970; yields its first bytes.
    #[must_use]
    pub fn start(unix: Duration) -> (Self, Bytes) {
        let mut writer = Self {
            offset: MAGIC.len() as u64,
            ..Self::default()
        };
        let [head, _] = writer.write(&Record::Start { unix });
        (writer, [&MAGIC[..], &head].concat().into())
    }

    /// How many bytes the recording has.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of a record in two pieces, of which the second is a frame's payload as it is.
    #[must_use]
    pub fn write(&mut self, record: &Record) -> [Bytes; 2] {
        match record {
            Record::Broadcast { .. } | Record::Track { .. } => self.named.push(record.clone()),
            Record::Group {
                track,
                sequence,
                at,
            }
            | Record::GroupAgain {
                track,
                sequence,
                at,
                first: 0,
            } => self.entries.push(Entry {
                track: *track,
                sequence: *sequence,
                at: *at,
                offset: self.offset,
            }),
            _ => {}
        }
        self.append(record)
    }

    /// Ends the recording, `at` so long after its start: the index and the last record.
    #[must_use]
    pub fn finish(mut self, at: Duration) -> Bytes {
        let index = self.offset;
        let (named, entries) = (
            std::mem::take(&mut self.named),
            std::mem::take(&mut self.entries),
        );
        let parts = entries.chunks(INDEX_ENTRIES).map(|entries| Record::Index {
            entries: entries.to_vec(),
        });
        let end = Record::End { at, index };
        let records = named.into_iter().chain(parts).chain([end]);
        let bytes = records.flat_map(|record| self.append(&record));
        bytes.flatten().collect()
    }

    fn append(&mut self, record: &Record) -> [Bytes; 2] {
        let payload = match record {
            Record::Frame { payload, .. } => payload.clone(),
            _ => Bytes::new(),
        };
        let head = behind_head(&body::encode(record), &payload);
        self.offset += (head.len() + payload.len()) as u64;
        [head.into(), payload]
    }
}

/// The head of a record and the first part of its body.
fn behind_head(body: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    // A group's limit keeps every frame far below what the length can say.
    let len = u32::try_from(body.len() + payload.len());
    bytes.put_u32(len.unwrap_or(u32::MAX));
    bytes.put_u32(checksum::checksum(&[body, payload]));
    bytes.put_slice(body);
    bytes
}

/// A record of this body, whatever that is.
#[cfg(feature = "fuzz")]
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    behind_head(body, &[])
}

/// Groups in one record of the index.
const INDEX_ENTRIES: usize = 16_384;
