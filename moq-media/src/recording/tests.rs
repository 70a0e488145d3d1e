use std::time::Duration;

use bytes::Bytes;

use super::*;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A record of each kind but the first and those of the end.
fn records() -> Vec<Record> {
    let (track, sequence) = (1, 7);
    vec![
        Record::Broadcast {
            broadcast: 0,
            path: "live/zwölf".to_owned(),
        },
        Record::Track {
            track,
            broadcast: 0,
            name: "video0".to_owned(),
            priority: 60,
            max_age: at(30_000),
            timescale: 1_000_000,
        },
        Record::Group {
            track,
            sequence,
            at: at(5),
        },
        Record::Frame {
            track,
            sequence,
            at: at(6),
            timestamp: u64::MAX,
            payload: Bytes::from_static(b"picture"),
        },
        Record::Frame {
            track,
            sequence,
            at: at(7),
            timestamp: 0,
            payload: Bytes::new(),
        },
        Record::GroupEnd {
            track,
            sequence,
            at: at(8),
            is_whole: true,
        },
        Record::Lost {
            track,
            first: 8,
            end: 10,
            at: at(9),
        },
        Record::TrackEnd {
            track,
            at: at(10),
            is_finished: false,
        },
        part(2),
        again(sequence, 2),
    ]
}

fn part(number: u32) -> Record {
    let at = at(10);
    Record::Part { number, at }
}

fn again(sequence: u64, first: u64) -> Record {
    let at = at(10);
    Record::GroupAgain {
        track: 1,
        sequence,
        at,
        first,
    }
}

/// The file of these records, and where the last of them ends.
fn file(records: &[Record]) -> (Vec<u8>, usize) {
    let (mut writer, start) = RecordingWriter::start(Duration::from_secs(1));
    let mut file = start.to_vec();
    for record in records {
        file.extend(writer.write(record).into_iter().flatten());
    }
    let end = file.len();
    assert_eq!(writer.offset(), end as u64);
    file.extend(writer.finish(at(11)));
    (file, end)
}

fn read(reader: &mut RecordingReader) -> Result<Vec<(u64, Record)>, RecordingError> {
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(record);
    }
    Ok(records)
}

#[test]
fn what_is_written_is_read_in_any_pieces() {
    let (file, end) = file(&records());
    for size in [1, 3, 64, file.len()] {
        let mut reader = RecordingReader::default();
        let mut found = Vec::new();
        for piece in file.chunks(size) {
            reader.push(piece);
            found.extend(read(&mut reader).unwrap());
        }
        assert!(reader.is_complete() && reader.rest() == 0);
        let start = Record::Start {
            unix: Duration::from_secs(1),
        };
        assert_eq!(found.remove(0).1, start);
        let known: Vec<_> = found
            .iter()
            .take(10)
            .map(|(_, record)| record.clone())
            .collect();
        assert_eq!(known, records());
        let (group, _) = found[2];
        let index = end as u64;
        let tail: Vec<_> = found.drain(10..).map(|(_, record)| record).collect();
        let entry = Entry {
            track: 1,
            sequence: 7,
            at: at(5),
            offset: group,
        };
        let expected = [
            records()[0].clone(),
            records()[1].clone(),
            Record::Index {
                entries: vec![entry],
            },
            Record::End { at: at(11), index },
        ];
        assert_eq!(tail, expected);
    }
}

#[test]
fn a_later_file_says_so_first_and_its_index_has_the_groups_that_are_whole_in_it() {
    let (file, end) = file(&[part(2), again(7, 2), again(8, 0)]);
    let mut reader = RecordingReader::default();
    reader.push(&file[..START_BYTES]);
    let records = read(&mut reader).unwrap();
    assert_eq!(records[1].1, part(2));
    assert_eq!(reader.rest(), 0);
    let mut reader = RecordingReader::at(end as u64);
    reader.push(&file[end..]);
    let (_, index) = reader.next().unwrap().unwrap();
    let Record::Index { entries } = index else {
        panic!("nothing is named");
    };
    let sequences: Vec<_> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [8]);
}

#[test]
fn reading_can_begin_at_the_last_record_and_at_the_index() {
    let (file, end) = file(&records());
    let from = file.len() - END_BYTES;
    let mut reader = RecordingReader::at(from as u64);
    reader.push(&file[from..]);
    let (_, last) = reader.next().unwrap().unwrap();
    assert!(matches!(last, Record::End { index, .. } if index == end as u64));
    let mut reader = RecordingReader::at(end as u64);
    reader.push(&file[end..]);
    assert_eq!(read(&mut reader).unwrap().len(), 4);
}

#[test]
fn cut_anywhere_it_is_good_up_to_the_last_whole_record() {
    let (file, _) = file(&records());
    let mut whole = RecordingReader::default();
    whole.push(&file);
    let all = read(&mut whole).unwrap();
    for len in 0..file.len() {
        let mut reader = RecordingReader::default();
        reader.push(&file[..len]);
        let found = read(&mut reader).unwrap();
        assert_eq!(found[..], all[..found.len()], "{len}");
        assert!(!reader.is_complete());
        assert_eq!(reader.offset() + reader.rest() as u64, len as u64);
    }
}

#[test]
fn damage_is_found_where_it_is() {
    let (good, _) = file(&records());
    let mut whole = RecordingReader::default();
    whole.push(&good);
    let offsets: Vec<u64> = read(&mut whole)
        .unwrap()
        .iter()
        .map(|(at, _)| *at)
        .collect();
    for at in MAGIC.len()..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let mut reader = RecordingReader::default();
        reader.push(&bad);
        let damaged = offsets.iter().filter(|offset| **offset <= at as u64).max();
        let found = read(&mut reader);
        // A longer length waits for bytes that never come.
        let is_found = found.is_err() || !reader.is_complete();
        assert!(
            is_found && Some(&reader.offset()) == damaged,
            "{at}: {found:?}"
        );
    }
    let mut reader = RecordingReader::default();
    reader.push(b"moqrec\0\x02");
    assert_eq!(reader.next(), Err(RecordingError::NotARecording));
}

#[test]
fn length_of_a_record_allocates_nothing_and_unknown_kinds_are_passed_over() {
    let mut reader = RecordingReader::at(0);
    reader.push(&[0xff; 8]);
    let error = reader.next().unwrap_err().to_string();
    assert!(
        error.starts_with("the record at byte 0 is damaged: expected at most"),
        "{error}"
    );
    let mut reader = RecordingReader::at(0);
    let unknown = [99, 1, 2];
    reader.push(&[0, 0, 0, 3]);
    reader.push(&checksum::checksum(&[&unknown]).to_be_bytes());
    reader.push(&unknown);
    assert_eq!(reader.next(), Ok(None));
    assert_eq!(reader.offset(), 11);
    let cut = [4, 0];
    reader.push(&[0, 0, 0, 2]);
    reader.push(&checksum::checksum(&[&cut]).to_be_bytes());
    reader.push(&cut);
    assert_eq!(reader.next(), Err(RecordingError::Malformed { offset: 11 }));
}
