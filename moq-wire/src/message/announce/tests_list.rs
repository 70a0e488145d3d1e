//! Answers that start with a list.

use bytes::BytesMut;

use super::{AnnounceDecoder, AnnounceEncoder, AnnounceEvent, Route};
use crate::error::{DecodeError, EncodeError};
use crate::path::Path;
use crate::varint;
use crate::version::Version;

const VERSIONS: [Version; 2] = [Version::Lite01, Version::Lite02];

#[test]
fn a_list_is_read_suffix_by_suffix() {
    for version in VERSIONS {
        let mut decoder = AnnounceDecoder::new(version);
        let mut buf = BytesMut::from(&b"\x05\x02\x01a"[..]);
        assert_eq!(decoder.listed(), None);
        assert_eq!(decoder.decode(&mut buf), Ok(Some(start("a"))));
        assert_eq!(decoder.listed(), Some(2));
        assert!(buf.is_empty() && !decoder.may_end());
        buf.extend_from_slice(b"\x01b\x03\x00\x01a");
        assert_eq!(decoder.decode(&mut buf), Ok(Some(start("b"))));
        assert!(decoder.may_end());
        assert_eq!(decoder.decode(&mut buf), Ok(Some(end("a"))));
    }
}

#[test]
fn a_list_may_be_longer_than_any_message() {
    let paths = (0..20_000).map(|n| start(&format!("room/{n}")));
    let events = paths.collect::<Vec<_>>();
    let mut buf = BytesMut::new();
    AnnounceEncoder::with_initial(Version::Lite02, &events, &mut buf).unwrap();
    assert!(buf.len() > 2 * crate::limits::MAX_MESSAGE);
    let mut decoder = AnnounceDecoder::new(Version::Lite02);
    for event in events {
        assert_eq!(decoder.decode(&mut buf), Ok(Some(event)));
    }
    assert!(buf.is_empty());
}

#[test]
fn a_list_may_be_written_suffix_by_suffix() {
    for version in VERSIONS {
        let events = ["a", "room/b"].map(start);
        let mut whole = BytesMut::new();
        AnnounceEncoder::with_initial(version, &events, &mut whole).unwrap();
        let mut encoder = AnnounceEncoder::new(version);
        let suffixes = events.iter().map(AnnounceEvent::suffix);
        let bytes = suffixes
            .clone()
            .map(|suffix| encoder.listed_len(suffix))
            .sum();
        let mut parts = BytesMut::new();
        encoder.begin_list(2, bytes, &mut parts).unwrap();
        for suffix in suffixes {
            encoder.list(suffix, &mut parts).unwrap();
        }
        assert_eq!(parts, whole);
        assert_eq!(encoder.live(), 2);
        let again = encoder.list(events[0].suffix(), &mut parts);
        assert_eq!(again, Err(EncodeError::AlreadyAnnounced));
        let again = encoder.begin_list(0, 0, &mut parts);
        assert_eq!(again, Err(EncodeError::NotInVersion));
    }
}

#[test]
fn an_empty_list_says_nothing_and_is_written_all_the_same() {
    for version in VERSIONS {
        let mut buf = BytesMut::new();
        AnnounceEncoder::with_initial(version, &[], &mut buf).unwrap();
        assert_eq!(buf, b"\x01\x00"[..]);
        let mut decoder = AnnounceDecoder::new(version);
        assert_eq!(decoder.decode(&mut buf), Ok(None));
        assert_eq!(decoder.listed(), Some(0));
        assert!(decoder.may_end());

        let mut encoder = AnnounceEncoder::new(version);
        encoder.encode(&start("a"), &mut buf).unwrap();
        assert_eq!(buf, b"\x01\x00\x03\x01\x01a"[..]);
        let mut decoder = AnnounceDecoder::new(version);
        assert_eq!(decoder.decode(&mut buf), Ok(Some(start("a"))));
    }
}

#[test]
fn only_the_starts_in_front_are_listed() {
    let events = [start("a"), start("b"), end("a"), start("c")];
    let mut buf = BytesMut::new();
    AnnounceEncoder::with_initial(Version::Lite01, &events, &mut buf).unwrap();
    assert_eq!(buf, b"\x05\x02\x01a\x01b\x03\x00\x01a\x03\x01\x01c"[..]);
}

#[test]
fn without_a_list_the_initial_set_is_announced_one_by_one() {
    let mut buf = BytesMut::new();
    AnnounceEncoder::with_initial(Version::Lite03, &[start("a")], &mut buf).unwrap();
    assert_eq!(buf, b"\x04\x01\x01a\x00"[..]);
}

#[test]
fn an_initial_set_that_contradicts_itself_is_not_written() {
    for version in Version::ALL.iter().copied() {
        let mut buf = BytesMut::new();
        let result = AnnounceEncoder::with_initial(version, &[start("a"), start("a")], &mut buf);
        assert_eq!(result.unwrap_err(), EncodeError::AlreadyAnnounced);
        assert!(buf.is_empty());
    }
}

// spec: Announce, "second `active` on 01, 02: replace"
#[test]
fn what_is_announced_again_replaces() {
    for bytes in [&b"\x05\x02\x01a\x01a"[..], b"\x03\x01\x01a\x03\x01\x01a"] {
        let mut decoder = AnnounceDecoder::new(Version::Lite02);
        let mut buf = BytesMut::from(bytes);
        assert_eq!(decoder.decode(&mut buf), Ok(Some(start("a"))));
        let again = decoder.decode(&mut buf).unwrap().unwrap();
        assert!(matches!(again, AnnounceEvent::Update { .. }));
    }
}

#[test]
fn a_list_and_its_length_agree() {
    let first = |bytes: &[u8]| {
        let mut decoder = AnnounceDecoder::new(Version::Lite01);
        decoder.decode(&mut BytesMut::from(bytes))
    };
    assert_eq!(first(b"\x00"), Err(DecodeError::PastEnd));
    assert_eq!(first(b"\x01\x01"), Err(DecodeError::PastEnd));
    assert_eq!(first(b"\x01\x40"), Err(DecodeError::PastEnd));
    assert_eq!(first(b"\x02\x01\x01"), Err(DecodeError::PastEnd));
    assert_eq!(first(b"\x02\x00\x00"), Err(DecodeError::Trailing));
    assert_eq!(first(b"\x04\x01\x01a\x00"), Err(DecodeError::Trailing));
    assert_eq!(first(b"\x03\x01\x01\xff"), Err(DecodeError::Utf8));
    assert_eq!(
        first(b"\x80\xff\xff\xff\x01\x80\x01\x00\x00"),
        Err(DecodeError::TooLong)
    );
    assert_eq!(first(b"\x80\xff\xff\xff\x01\x80\x00\xff\xfc"), Ok(None));
}

#[test]
fn what_follows_the_last_suffix_of_a_list_is_where_the_bytes_are_wrong() {
    let left = |bytes: &[u8]| {
        let mut buf = BytesMut::from(bytes);
        let error = AnnounceDecoder::new(Version::Lite01).decode(&mut buf);
        assert_eq!(error, Err(DecodeError::Trailing));
        buf
    };
    assert_eq!(left(b"\x02\x00\x07"), b"\x07"[..]);
    assert_eq!(left(b"\x04\x01\x01a\x07"), b"\x07"[..]);
}

fn start(suffix: &str) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: Path::new(suffix).unwrap(),
        route: Route {
            hops: Vec::new(),
            warm_cost: 0,
            cold_cost: varint::MAX,
        },
    }
}

fn end(suffix: &str) -> AnnounceEvent {
    AnnounceEvent::End {
        suffix: Path::new(suffix).unwrap(),
    }
}
