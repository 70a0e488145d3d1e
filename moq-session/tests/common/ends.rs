//! How tracks end, as text.

use std::time::Duration;

use moq_session::{Abort, OrderedRead, OrderedReader, ReadError, Version};
use moq_wire::{SubscribeResponse, code};

pub fn drop_of(start: u64, end: u64) -> SubscribeResponse {
    SubscribeResponse::Drop {
        start,
        end,
        code: u64::from(code::stream::EVICTED),
    }
}

/// What a reader in order gets, up to the end, as text.
pub async fn rest(reader: &mut OrderedReader) -> (Vec<String>, Option<ReadError>) {
    let mut reads = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(100), reader.next());
        match next.await.expect("a read, or an end") {
            Ok(Some(OrderedRead::Frame { group, frame, .. })) => {
                let text = String::from_utf8(frame.payload.to_vec()).unwrap();
                reads.push(format!("{group} {text}"));
            }
            Ok(Some(OrderedRead::Skipped { groups, .. })) => reads.push(format!("no {groups:?}")),
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
    version.features().start_is_floor
}
