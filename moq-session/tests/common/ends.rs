//! How tracks end, as text.

use std::time::Duration;

use moq_session::{Abort, OrderedReader, ReadError, TrackRead, Version};
use moq_wire::{GroupSequence, SubscribeResponse, code, varint};

/// Delivery begins with this group.
pub fn begun(group: u64) -> SubscribeResponse {
    SubscribeResponse::Start(GroupSequence(group))
}

/// The end of a track, after more streams than ever come: their number settles nothing.
pub fn over(end: u64) -> SubscribeResponse {
    over_after(end, varint::MAX)
}

/// The end of a track after so many group streams.
pub fn over_after(end: u64, streams: u64) -> SubscribeResponse {
    SubscribeResponse::End {
        end: GroupSequence(end),
        streams: Some(streams),
    }
}

/// The end of a track as it is read: with the number of streams where the draft has that.
pub fn heard_over(version: Version, end: u64, streams: u64) -> SubscribeResponse {
    SubscribeResponse::End {
        end: GroupSequence(end),
        streams: version.features().end_stream_count.then_some(streams),
    }
}

pub fn drop_of(first: u64, last: u64) -> SubscribeResponse {
    SubscribeResponse::Drop {
        first: GroupSequence(first),
        last: GroupSequence(last),
        code: u64::from(code::stream::EVICTED),
    }
}

/// What a reader in order gets, up to the end, as text.
pub async fn rest(reader: &mut OrderedReader) -> (Vec<String>, Option<ReadError>) {
    let mut reads = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(100), reader.next());
        match next.await.expect("a read, or an end") {
            Ok(Some(TrackRead::Frame { group, frame, .. })) => {
                let text = String::from_utf8(frame.payload.to_vec()).unwrap();
                reads.push(format!("{group} {text}"));
            }
            Ok(Some(TrackRead::Skipped { groups, .. })) => reads.push(format!("no {groups:?}")),
            Ok(Some(other)) => panic!("{other:?}"),
            Ok(None) => return (reads, None),
            Err(error) => return (reads, Some(error)),
        }
    }
}

pub fn finished(reads: &[&str]) -> (Vec<String>, Option<ReadError>) {
    (reads.iter().map(|&read| read.to_owned()).collect(), None)
}

pub fn malformed() -> ReadError {
    ReadError::Aborted(Abort::Malformed)
}

pub fn is_exact(version: Version) -> bool {
    version.features().end_is_exact
}
