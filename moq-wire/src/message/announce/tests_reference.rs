//! Announcements that refer to earlier ones.

use bytes::BytesMut;

use super::{AnnounceDecoder, AnnounceEvent};
use crate::error::{DecodeError, PathError};
use crate::version::Version;

/// START of `a/b` by hops 9 and 10, at no cost.
const FIRST: &[u8] = b"\x00\x00\x00\x03a/b\x00\x02\x09\x0a\x00\x00\x00";

#[test]
fn a_suffix_begins_and_a_chain_ends_like_that_of_its_base() {
    let event = last(&[FIRST, b"\x00\x01\x01\x01c\x01\x01\x08\x01\x00\x00"]);
    assert_eq!(described(event), ("a/c".into(), vec![8, 10]));
    let event = last(&[FIRST, b"\x00\x01\x02\x01c\x00\x00\x00\x00\x00"]);
    assert_eq!(described(event), ("a/b/c".into(), vec![]));
}

#[test]
fn the_two_bases_are_independent() {
    let second = b"\x00\x00\x00\x01x\x00\x01\x05\x00\x00\x00";
    let event = last(&[FIRST, second, b"\x00\x02\x01\x01y\x01\x00\x01\x00\x00"]);
    assert_eq!(described(event), ("a/y".into(), vec![5]));
}

// spec: Announce compression, "may name the announcement being updated"
#[test]
fn an_update_may_refer_to_itself() {
    let event = last(&[FIRST, b"\x02\x00\x01\x01\x08\x02\x03\x03"]);
    assert_eq!(described(event), ("a/b".into(), vec![8, 9, 10]));
    let event = last(&[
        FIRST,
        b"\x02\x00\x00\x01\x08\x00\x03\x03",
        b"\x02\x00\x01\x00\x01\x03\x03",
    ]);
    assert_eq!(described(event), ("a/b".into(), vec![8]));
}

#[test]
fn a_base_has_to_be_live() {
    let never = b"\x00\x02\x01\x01y\x00\x00\x00\x00\x00";
    assert_eq!(last(&[FIRST, never]), Err(DecodeError::UnknownBase(2)));
    let retired = b"\x00\x01\x00\x01y\x00\x00\x00\x00\x00";
    assert_eq!(
        last(&[FIRST, b"\x01\x00", retired]),
        Err(DecodeError::UnknownBase(1))
    );
    let hops = b"\x00\x00\x00\x01y\x02\x00\x00\x00\x00";
    assert_eq!(last(&[FIRST, hops]), Err(DecodeError::UnknownBase(2)));
}

#[test]
fn no_more_is_kept_than_there_is() {
    let segments = b"\x00\x01\x03\x01y\x00\x00\x00\x00\x00";
    assert_eq!(last(&[FIRST, segments]), Err(DecodeError::KeepsTooMuch(3)));
    let hops = b"\x00\x00\x00\x01y\x01\x00\x03\x00\x00";
    assert_eq!(last(&[FIRST, hops]), Err(DecodeError::KeepsTooMuch(3)));
    let of_nothing = b"\x00\x00\x01\x01y\x00\x00\x00\x00\x00";
    assert_eq!(
        last(&[FIRST, of_nothing]),
        Err(DecodeError::KeepsTooMuch(1))
    );
    let hop_of_nothing = b"\x00\x00\x00\x01y\x00\x00\x01\x00\x00";
    assert_eq!(
        last(&[FIRST, hop_of_nothing]),
        Err(DecodeError::KeepsTooMuch(1))
    );
}

#[test]
fn what_results_is_checked_like_what_is_spelled() {
    let repeated = b"\x00\x00\x00\x01y\x01\x01\x0a\x01\x00\x00";
    assert_eq!(last(&[FIRST, repeated]), Err(DecodeError::RepeatedHop(10)));
    let mut long = vec![2, 0, 1, 31];
    long.extend([0; 31]);
    long.extend([2, 0, 0]);
    assert_eq!(last(&[FIRST, &long]), Err(DecodeError::TooManyHops));
    long[35] = 1;
    assert_eq!(described(last(&[FIRST, &long])).1.len(), 32);

    let mut deep = vec![0, 1, 2, 61];
    deep.extend_from_slice("s/".repeat(31).trim_end_matches('/').as_bytes());
    deep.extend([0; 5]);
    assert_eq!(
        last(&[FIRST, &deep]),
        Err(DecodeError::Path(PathError::Segments))
    );
}

/// What the decoder says last about messages, each a type and a body.
fn last(messages: &[&[u8]]) -> Result<Option<AnnounceEvent>, DecodeError> {
    let mut decoder = AnnounceDecoder::new(Version::Lite07Wip);
    let mut buf = BytesMut::new();
    for message in messages {
        let (kind, body) = message.split_at(1);
        buf.extend_from_slice(kind);
        buf.extend_from_slice(&[u8::try_from(body.len()).unwrap()]);
        buf.extend_from_slice(body);
    }
    let mut last = None;
    while let Some(event) = decoder.decode(&mut buf)? {
        last = Some(event);
    }
    assert!(buf.is_empty());
    Ok(last)
}

fn described(event: Result<Option<AnnounceEvent>, DecodeError>) -> (String, Vec<u64>) {
    match event {
        Ok(Some(
            AnnounceEvent::Start { suffix, route } | AnnounceEvent::Update { suffix, route },
        )) => (
            suffix.as_str().to_owned(),
            route.hops.iter().map(|hop| hop.0).collect(),
        ),
        other => panic!("{other:?}"),
    }
}
