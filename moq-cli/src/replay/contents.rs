//! What a recording holds: by its index or, where that is missing, by reading all of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use moq_media::recording::{
    END_BYTES, Entry, MAGIC, Record, RecordingError, RecordingReader, START_BYTES,
};

/// What one file of a recording holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// When the recording began, since 1970.
    pub(crate) unix: Duration,
    /// Which of several files it is, and when it begins.
    pub(crate) part: Option<(u32, Duration)>,
    /// Paths by number.
    pub(crate) broadcasts: BTreeMap<u32, String>,
    /// Tracks by number.
    pub(crate) tracks: BTreeMap<u32, TrackOf>,
    /// Where groups begin, in the order of the file.
    pub(crate) groups: Vec<Entry>,
    /// When it ends, since the recording's start.
    pub(crate) length: Duration,
    /// Where the last record of its tracks ends, in bytes.
    pub(crate) end: u64,
    /// What is wrong with its end, for people.
    pub(crate) cut: Option<String>,
}

/// A track of a recording.
#[derive(Debug, Clone)]
pub(crate) struct TrackOf {
    pub(crate) broadcast: u32,
    pub(crate) name: String,
    pub(crate) priority: u8,
    pub(crate) max_age: Duration,
    pub(crate) timescale: u64,
}

impl Contents {
    /// Reads what a recording holds.
    ///
    /// # Errors
    /// If the file can't be read, or is no recording.
    pub(crate) fn load(file: &mut File) -> anyhow::Result<Self> {
        let mut start = Self::default();
        let mut reader = RecordingReader::default();
        let mut head = [0; START_BYTES];
        let len = read_some(file, &mut head)?;
        reader.push(&head[..len]);
        while let Some((offset, record)) = reader.next()? {
            start.note(offset, record);
        }
        if reader.offset() == 0 {
            return Err(RecordingError::NotARecording.into());
        }
        let mut contents = match Self::by_index(file)? {
            Some(contents) => contents,
            None => Self::by_reading(file)?,
        };
        (contents.unix, contents.part) = (start.unix, start.part);
        Ok(contents)
    }

    /// `None` if there is no index.
    fn by_index(file: &mut File) -> anyhow::Result<Option<Self>> {
        let size = file.metadata()?.len();
        let Some(last) = size.checked_sub(END_BYTES as u64) else {
            return Ok(None);
        };
        let mut contents = Self::default();
        let Ok(Some(Record::End { at, index })) = contents.note_all(file, last) else {
            return Ok(None);
        };
        if !matches!(contents.note_all(file, index), Ok(Some(Record::End { .. }))) {
            return Ok(None);
        }
        (contents.length, contents.end) = (at, index);
        Ok(Some(contents))
    }

    fn by_reading(file: &mut File) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        let mut reader = RecordingReader::at(MAGIC.len() as u64);
        let read = contents.note_from(file, &mut reader);
        contents.end = reader.offset();
        contents.cut = Some(match read {
            Ok(_) if reader.rest() > 0 => format!(
                "the recording was cut off: {} bytes behind byte {} are dropped",
                reader.rest(),
                contents.end
            ),
            Ok(_) => "the recording was cut off: it has no index".to_owned(),
            Err(error) => match error.downcast::<RecordingError>() {
                Ok(error) => format!("{error}; what follows is dropped"),
                Err(error) => return Err(error),
            },
        });
        Ok(contents)
    }

    /// Notes all records from `offset` on; yields the last.
    fn note_all(&mut self, file: &mut File, offset: u64) -> anyhow::Result<Option<Record>> {
        self.note_from(file, &mut RecordingReader::at(offset))
    }

    fn note_from(
        &mut self,
        file: &mut File,
        reader: &mut RecordingReader,
    ) -> anyhow::Result<Option<Record>> {
        file.seek(SeekFrom::Start(reader.offset()))?;
        let (mut buffer, mut last) = (vec![0; CHUNK], None);
        loop {
            while let Some((offset, record)) = reader.next()? {
                last = Some(self.note(offset, record));
            }
            let len = read_some(file, &mut buffer)?;
            if len == 0 {
                return Ok(last);
            }
            reader.push(&buffer[..len]);
        }
    }

    fn note(&mut self, offset: u64, record: Record) -> Record {
        self.length = self.length.max(record.at().unwrap_or_default());
        match &record {
            Record::Start { unix } => self.unix = *unix,
            Record::Part { number, at } => self.part = Some((*number, *at)),
            Record::Broadcast { broadcast, path } => {
                self.broadcasts.insert(*broadcast, path.clone());
            }
            Record::Track {
                track,
                broadcast,
                name,
                priority,
                max_age,
                timescale,
            } => {
                let of = TrackOf {
                    broadcast: *broadcast,
                    name: name.clone(),
                    priority: *priority,
                    max_age: *max_age,
                    timescale: *timescale,
                };
                self.tracks.insert(*track, of);
            }
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
            } => self.groups.push(Entry::new(*track, *sequence, *at, offset)),
            Record::Index { entries } => self.groups.extend_from_slice(entries),
            _ => {}
        }
        record
    }
}

fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Bytes of one read.
const CHUNK: usize = 1 << 20;
