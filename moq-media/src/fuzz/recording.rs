//! Recordings.

use super::check;
use crate::recording::{MAGIC, Record, RecordingReader, RecordingWriter, framed};

/// Bytes of a file or, if the first byte is odd, bodies of records, each behind its length in one byte.
///
/// # Panics
/// When how a file is cut changes what is read, when a record is another one once it is written and read
/// again, or when reading takes more memory than some times the input.
pub fn recording(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    let file = if kind % 2 == 0 {
        data.to_vec()
    } else {
        whole(data)
    };
    let mut records = Vec::new();
    let most = file.len() as u64 * 8 + (64 << 10);
    check::bounded(most, || records = read(&file, file.len().max(1)));
    let pieces = usize::from(kind / 2) + 1;
    assert_eq!(read(&file, pieces), records, "pieces of {pieces}");
    for record in records {
        let (mut writer, start) = RecordingWriter::start(std::time::Duration::ZERO);
        let written = writer.write(&record);
        let file: Vec<u8> = start
            .into_iter()
            .chain(written.into_iter().flatten())
            .collect();
        let again = read(&file, file.len());
        assert_eq!(again.last(), Some(&record));
    }
}

/// A file of these bodies, whose lengths and checksums are right.
fn whole(mut bodies: &[u8]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    while let Some((&len, rest)) = bodies.split_first() {
        let (body, rest) = rest.split_at(rest.len().min(len.into()));
        file.extend(framed(body));
        bodies = rest;
    }
    file
}

/// The records up to the first that can't be read.
fn read(file: &[u8], size: usize) -> Vec<Record> {
    let mut reader = RecordingReader::default();
    let mut records = Vec::new();
    for piece in file.chunks(size) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some((_, record))) => records.push(record),
                Ok(None) => break,
                Err(_) => return records,
            }
        }
    }
    records
}
