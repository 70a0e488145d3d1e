//! Records ↔ their bytes. Numbers are big-endian, a text or a payload goes to the end of its record.

use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};

use super::record::{Entry, Record};

/// The bytes of a record but for a frame's payload.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut to = Vec::new();
    to.put_u8(kind(record));
    match record {
        Record::Start { unix } => to.put_u64(micros(*unix)),
        Record::Part { number, at } => {
            to.put_u32(*number);
            to.put_u64(micros(*at));
        }
        Record::Broadcast { broadcast, path } => {
            to.put_u32(*broadcast);
            to.put_slice(path.as_bytes());
        }
        Record::Track {
            track,
            broadcast,
            name,
            priority,
            max_age,
            timescale,
        } => {
            to.put_u32(*track);
            to.put_u32(*broadcast);
            to.put_u8(*priority);
            to.put_u64(u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX));
            to.put_u64(*timescale);
            to.put_slice(name.as_bytes());
        }
        Record::TrackEnd {
            track,
            at,
            is_finished,
        } => {
            to.put_u32(*track);
            to.put_u64(micros(*at));
            to.put_u8(u8::from(*is_finished));
        }
        Record::Index { entries } => {
            for entry in entries {
                put_group(&mut to, entry.track, entry.sequence, entry.at);
                to.put_u64(entry.offset);
            }
        }
        Record::End { at, index } => {
            to.put_u64(micros(*at));
            to.put_u64(*index);
        }
        other => put_of_group(&mut to, other),
    }
    to
}

/// Writes a record of a group.
fn put_of_group(to: &mut Vec<u8>, record: &Record) {
    match record {
        Record::Group {
            track,
            sequence,
            at,
        } => put_group(to, *track, *sequence, *at),
        Record::GroupAgain {
            track,
            sequence,
            at,
            first,
        } => {
            put_group(to, *track, *sequence, *at);
            to.put_u64(*first);
        }
        Record::Frame {
            track,
            sequence,
            at,
            timestamp,
            ..
        } => {
            put_group(to, *track, *sequence, *at);
            to.put_u64(*timestamp);
        }
        Record::GroupEnd {
            track,
            sequence,
            at,
            is_whole,
        } => {
            put_group(to, *track, *sequence, *at);
            to.put_u8(u8::from(*is_whole));
        }
        Record::Lost {
            track,
            first,
            end,
            at,
        } => {
            put_group(to, *track, *first, *at);
            to.put_u64(*end);
        }
        _ => {}
    }
}

fn put_group(to: &mut Vec<u8>, track: u32, sequence: u64, at: Duration) {
    to.put_u32(track);
    to.put_u64(sequence);
    to.put_u64(micros(at));
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn kind(record: &Record) -> u8 {
    match record {
        Record::Start { .. } => 1,
        Record::Broadcast { .. } => 2,
        Record::Track { .. } => 3,
        Record::Group { .. } => 4,
        Record::Frame { .. } => 5,
        Record::GroupEnd { .. } => 6,
        Record::Lost { .. } => 7,
        Record::TrackEnd { .. } => 8,
        Record::Index { .. } => 9,
        Record::End { .. } => 10,
        Record::Part { .. } => 11,
        Record::GroupAgain { .. } => 12,
    }
}

/// What a record's bytes are.
pub(super) enum Body {
    /// A record.
    Known(Record),
    /// A kind that a later version has.
    Unknown,
    /// Fewer bytes than its kind has, or a text that is none.
    Malformed,
}

/// Reads the bytes of a record.
pub(super) fn decode(mut body: Bytes) -> Body {
    let Ok(kind) = body.try_get_u8() else {
        return Body::Malformed;
    };
    let record = match kind {
        1 => time(&mut body).map(|unix| Record::Start { unix }),
        2 => broadcast(body),
        3 => track(body),
        4 => group(&mut body).map(|(track, sequence, at)| Record::Group {
            track,
            sequence,
            at,
        }),
        5 => frame(body),
        6 => group_end(body),
        7 => lost(body),
        8 => track_end(body),
        9 => index(body),
        10 => end(body),
        11 => part(body),
        12 => group_again(body),
        _ => return Body::Unknown,
    };
    record.map_or(Body::Malformed, Body::Known)
}

fn time(body: &mut Bytes) -> Option<Duration> {
    body.try_get_u64().ok().map(Duration::from_micros)
}

fn text(body: Bytes) -> Option<String> {
    String::from_utf8(body.into()).ok()
}

fn group(body: &mut Bytes) -> Option<(u32, u64, Duration)> {
    let track = body.try_get_u32().ok()?;
    let sequence = body.try_get_u64().ok()?;
    Some((track, sequence, time(body)?))
}

fn part(mut body: Bytes) -> Option<Record> {
    let number = body.try_get_u32().ok()?;
    let at = time(&mut body)?;
    Some(Record::Part { number, at })
}

fn broadcast(mut body: Bytes) -> Option<Record> {
    let broadcast = body.try_get_u32().ok()?;
    let path = text(body)?;
    Some(Record::Broadcast { broadcast, path })
}

fn track(mut body: Bytes) -> Option<Record> {
    Some(Record::Track {
        track: body.try_get_u32().ok()?,
        broadcast: body.try_get_u32().ok()?,
        priority: body.try_get_u8().ok()?,
        max_age: body.try_get_u64().ok().map(Duration::from_millis)?,
        timescale: body.try_get_u64().ok()?,
        name: text(body)?,
    })
}

fn frame(mut body: Bytes) -> Option<Record> {
    let (track, sequence, at) = group(&mut body)?;
    Some(Record::Frame {
        track,
        sequence,
        at,
        timestamp: body.try_get_u64().ok()?,
        payload: body,
    })
}

fn group_again(mut body: Bytes) -> Option<Record> {
    let (track, sequence, at) = group(&mut body)?;
    let first = body.try_get_u64().ok()?;
    Some(Record::GroupAgain {
        track,
        sequence,
        at,
        first,
    })
}

fn group_end(mut body: Bytes) -> Option<Record> {
    let (track, sequence, at) = group(&mut body)?;
    Some(Record::GroupEnd {
        track,
        sequence,
        at,
        is_whole: body.try_get_u8().ok()? != 0,
    })
}

fn lost(mut body: Bytes) -> Option<Record> {
    let (track, first, at) = group(&mut body)?;
    Some(Record::Lost {
        track,
        first,
        end: body.try_get_u64().ok()?,
        at,
    })
}

fn track_end(mut body: Bytes) -> Option<Record> {
    Some(Record::TrackEnd {
        track: body.try_get_u32().ok()?,
        at: time(&mut body)?,
        is_finished: body.try_get_u8().ok()? != 0,
    })
}

fn index(mut body: Bytes) -> Option<Record> {
    let mut entries = Vec::new();
    while body.has_remaining() {
        let (track, sequence, at) = group(&mut body)?;
        let offset = body.try_get_u64().ok()?;
        entries.push(Entry {
            track,
            sequence,
            at,
            offset,
        });
    }
    Some(Record::Index { entries })
}

fn end(mut body: Bytes) -> Option<Record> {
    let at = time(&mut body)?;
    let index = body.try_get_u64().ok()?;
    Some(Record::End { at, index })
}
