use bytes::BytesMut;

use super::{AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceItem, Route};
use crate::error::{DecodeError, EncodeError};
use crate::id::HopId;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

const BY_PATH: [Version; 2] = [Version::Lite04, Version::Lite05];
const BY_ID: Version = Version::Lite06;

#[test]
fn ids_are_implicit_and_never_reused() {
    let mut encoder = AnnounceEncoder::new(BY_ID);
    let mut buf = BytesMut::new();
    for event in [free("a"), end("a"), free("a"), end("a")] {
        encoder.encode(&event, &mut buf).unwrap();
    }
    assert_eq!(
        buf,
        b"\0\x05\x01a\0\0\0\x01\x01\0\0\x05\x01a\0\0\0\x01\x01\x01"[..]
    );
}

#[test]
fn messages_that_say_nothing_can_be_seen() {
    let mut buf = BytesMut::from(&b"\x09\x02xy\0\x05\x01a\0\0\0"[..]);
    let mut decoder = AnnounceDecoder::new(BY_ID);
    let silent = Ok(Some(AnnounceItem::Silent));
    let event = Ok(Some(AnnounceItem::Event(free("a"))));
    assert_eq!(decoder.decode_one(&mut buf), silent);
    assert_eq!(decoder.decode_one(&mut buf), event);
    assert_eq!(decoder.decode_one(&mut buf), Ok(None));

    let mut buf = BytesMut::from(&b"\x04\0\x01a\0"[..]);
    let mut decoder = AnnounceDecoder::new(Version::Lite04);
    assert_eq!(decoder.decode_one(&mut buf), silent);
    assert!(buf.is_empty());
}

#[test]
fn an_error_leaves_the_field_that_is_wrong() {
    let left = |bytes: &[u8], version| {
        let mut buf = BytesMut::from(bytes);
        assert!(AnnounceDecoder::new(version).decode(&mut buf).is_err());
        buf
    };
    // A suffix that is no text; a hop that comes twice; a suffix of a list that is no text.
    assert_eq!(
        left(b"\0\x05\x01\xff\0\0\0rest", BY_ID),
        b"\x01\xff\0\0\0rest"[..]
    );
    assert_eq!(left(b"\0\x07\x01a\x02\x05\x05\0\0", BY_ID), b"\x05\0\0"[..]);
    assert_eq!(
        left(b"\x03\x01\x01\xffrest", Version::Lite02),
        b"\x01\xffrest"[..]
    );
}

#[test]
fn an_update_is_not_written_where_the_draft_has_none() {
    let mut encoder = AnnounceEncoder::new(Version::Lite04);
    let mut buf = BytesMut::new();
    encoder.encode(&start("a", &[]), &mut buf).unwrap();
    let len = buf.len();
    let update = encoder.encode(&update("a", &[9]), &mut buf);
    assert_eq!(update, Err(EncodeError::NotInVersion));
    assert_eq!(buf.len(), len);
}

// spec: ANNOUNCE_START, "each suffix is live at most once per stream"
#[test]
fn a_second_start_of_a_live_path_is_refused() {
    assert_eq!(
        last(b"\0\x05\x01a\0\0\0\0\x05\x01a\0\0\0", BY_ID),
        Err(DecodeError::DuplicateAnnounce)
    );
    assert_eq!(
        last(b"\x04\x01\x01a\0\x04\x01\x01a\0", Version::Lite04),
        Err(DecodeError::DuplicateAnnounce)
    );
}

#[test]
fn a_second_active_may_replace_the_first() {
    let hop = |event| match event {
        Ok(Some(AnnounceEvent::Update { route, .. })) => route.hops,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        hop(last(
            b"\x04\x01\x01a\0\x05\x01\x01a\x01\x09",
            Version::Lite05
        )),
        [HopId(9)]
    );
    assert_eq!(
        hop(last(
            b"\x04\x01\x01a\0\x05\x02\x01a\x01\x09",
            Version::Lite05
        )),
        [HopId(9)]
    );
}

#[test]
fn a_status_the_draft_lacks_is_refused() {
    assert_eq!(
        last(b"\x04\x02\x01a\0", Version::Lite04),
        Err(DecodeError::UnknownStatus(2))
    );
    assert_eq!(
        last(b"\x04\x03\x01a\0", Version::Lite05),
        Err(DecodeError::UnknownStatus(3))
    );
}

#[test]
fn ended_for_a_path_that_is_not_live_says_nothing() {
    for version in BY_PATH {
        assert_eq!(last(b"\x04\0\x01a\0", version), Ok(None));
        let event = last(b"\x04\0\x01a\0\x04\x01\x01b\0", version)
            .unwrap()
            .unwrap();
        assert!(matches!(event, AnnounceEvent::Start { .. }));
    }
}

#[test]
fn an_id_never_assigned_or_retired_is_refused() {
    assert_eq!(
        last(b"\x01\x01\0", BY_ID),
        Err(DecodeError::UnknownAnnounce(0))
    );
    assert_eq!(
        last(b"\x02\x04\x05\0\0\0", BY_ID),
        Err(DecodeError::UnknownAnnounce(5))
    );
    let ended_twice = b"\0\x05\x01a\0\0\0\x01\x01\0\x01\x01\0";
    assert_eq!(
        last(ended_twice, BY_ID),
        Err(DecodeError::UnknownAnnounce(0))
    );
}

#[test]
fn an_unknown_type_is_skipped_and_assigns_no_id() {
    let event = last(b"\x07\x02\xff\xff\0\x05\x01a\0\0\0\x01\x01\0", BY_ID);
    assert_eq!(event, Ok(Some(end("a"))));
}

// spec: ANNOUNCE_START, "a repeated non-zero hop and a 33rd hop"
#[test]
fn chains_are_checked() {
    let message = |hops: &[u8]| {
        let mut body = vec![1, 1, b'a', u8::try_from(hops.len()).unwrap()];
        body.extend_from_slice(hops);
        body.insert(0, u8::try_from(body.len()).unwrap());
        body
    };
    for version in BY_PATH {
        assert_eq!(
            last(&message(&[0; 33]), version),
            Err(DecodeError::TooManyHops)
        );
        assert_eq!(
            last(&message(&[3, 4, 3]), version),
            Err(DecodeError::RepeatedHop(3))
        );
        assert_eq!(
            last(&message(&[0; 32]), version),
            Ok(Some(start("a", &[0; 32])))
        );
    }
    assert_eq!(
        last(b"\0\x07\x01a\x02\x09\x09\0\0", BY_ID),
        Err(DecodeError::RepeatedHop(9))
    );
}

#[test]
fn a_trailing_byte_is_refused() {
    assert_eq!(
        last(b"\0\x06\x01a\0\0\0\0", BY_ID),
        Err(DecodeError::Trailing)
    );
    assert_eq!(
        last(b"\x05\0\x01a\0\0", Version::Lite05),
        Err(DecodeError::Trailing)
    );
}

/// What the decoder says last about `bytes`: an event, nothing at all, or an error.
fn last(bytes: &[u8], version: Version) -> Result<Option<AnnounceEvent>, DecodeError> {
    let mut decoder = AnnounceDecoder::new(version);
    let mut buf = BytesMut::from(bytes);
    let mut last = None;
    while let Some(event) = decoder.decode(&mut buf)? {
        last = Some(event);
    }
    assert!(buf.is_empty());
    Ok(last)
}

fn start(suffix: &str, hops: &[u64]) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: Path::new(suffix).unwrap(),
        route: route(hops),
    }
}

fn update(suffix: &str, hops: &[u64]) -> AnnounceEvent {
    AnnounceEvent::Update {
        suffix: Path::new(suffix).unwrap(),
        route: route(hops),
    }
}

fn end(suffix: &str) -> AnnounceEvent {
    AnnounceEvent::End {
        suffix: Path::new(suffix).unwrap(),
    }
}

/// A route with the costs that drafts without costs imply.
fn route(hops: &[u64]) -> Route {
    Route {
        hops: hops.iter().copied().map(HopId).collect(),
        warm_cost: 0,
        cold_cost: varint::MAX,
    }
}

/// A start whose route has no hops and costs nothing.
fn free(suffix: &str) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: Path::new(suffix).unwrap(),
        route: Route::default(),
    }
}
