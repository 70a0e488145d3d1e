//! What an encoder refuses to write.

use bytes::BytesMut;

use super::{AnnounceDecoder, AnnounceEncoder, AnnounceEvent, Route};
use crate::error::{DecodeError, EncodeError};
use crate::id::HopId;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

#[test]
fn the_encoder_refuses_what_contradicts_itself() {
    for version in Version::ALL.iter().copied() {
        let mut encoder = AnnounceEncoder::new(version);
        let mut buf = BytesMut::new();
        assert_eq!(
            encoder.encode(&end(), &mut buf),
            Err(EncodeError::NotAnnounced)
        );
        assert_eq!(
            encoder.encode(&update(&[]), &mut buf),
            Err(EncodeError::NotAnnounced)
        );
        assert_eq!(
            encoder.encode(&start(&[7, 7]), &mut buf),
            Err(DecodeError::RepeatedHop(7).into())
        );
        assert_eq!(
            encoder.encode(&start(&[0; 33]), &mut buf),
            Err(DecodeError::TooManyHops.into())
        );
        assert!(buf.is_empty());
        assert_eq!(encoder.encode(&start(&[0; 32]), &mut buf), Ok(()));
        let len = buf.len();
        assert_eq!(
            encoder.encode(&start(&[]), &mut buf),
            Err(EncodeError::AlreadyAnnounced)
        );
        assert_eq!(buf.len(), len);
    }
}

#[test]
fn what_the_encoder_refuses_it_has_not_begun() {
    for version in Version::ALL.iter().copied() {
        let features = version.features();
        let mut encoder = AnnounceEncoder::new(version);
        let mut buf = BytesMut::new();
        let mut costly = start(&[]);
        if let AnnounceEvent::Start { route, .. } = &mut costly {
            route.cold_cost = varint::MAX + 1;
        }
        let nameless = start(&[varint::MAX + 1]);
        let too_large = Err(DecodeError::VarInt.into());
        if features.typed_announce {
            assert_eq!(encoder.encode(&costly, &mut buf), too_large);
        }
        if features.hops.has_ids() {
            assert_eq!(encoder.encode(&nameless, &mut buf), too_large);
        }
        assert!(buf.is_empty(), "{version}");

        assert_eq!(encoder.encode(&start(&[]), &mut buf), Ok(()));
        let updated = encoder.encode(&update(&[]), &mut BytesMut::new());
        let can_update = features.typed_announce || features.announce_replace;
        assert_eq!(updated.is_ok(), can_update, "{version}");
        assert_eq!(encoder.encode(&end(), &mut buf), Ok(()));
        // A list that is owed stands in front, and the ids count from 0.
        let mut decoder = AnnounceDecoder::new(version);
        for _ in 0..2 {
            assert!(matches!(decoder.decode(&mut buf), Ok(Some(_))), "{version}");
        }
        assert!(buf.is_empty());
    }
}

fn start(hops: &[u64]) -> AnnounceEvent {
    AnnounceEvent::Start {
        suffix: path(),
        route: route(hops),
    }
}

fn update(hops: &[u64]) -> AnnounceEvent {
    AnnounceEvent::Update {
        suffix: path(),
        route: route(hops),
    }
}

fn end() -> AnnounceEvent {
    AnnounceEvent::End { suffix: path() }
}

fn path() -> Path {
    Path::new("a").unwrap()
}

fn route(hops: &[u64]) -> Route {
    Route {
        hops: hops.iter().copied().map(HopId).collect(),
        ..Route::default()
    }
}
