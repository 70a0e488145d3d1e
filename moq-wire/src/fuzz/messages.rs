//! Targets for what is decoded one message at a time.

use bytes::BytesMut;

use super::check::{bounded, items, message, versioned};
use crate::codec::{Encode, decode_body};
use crate::error::DecodeError;
use crate::message::{
    AnnounceOk, AnnounceRequest, Goaway, Probe, Setup, Subscribe, SubscribeUpdate, Track, TrackInfo,
};
use crate::path::Path;
use crate::stream::{BiStream, UniStream};
use crate::varint as integer;
use crate::version::Version;

/// Integers, and the types of streams they may stand for.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn varint(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let integers = items(&buf, || |buf: &mut _| integer::split(buf, version));
    for value in integers {
        let mut bytes = BytesMut::new();
        assert_eq!(integer::put(value, &mut bytes, version), Ok(()));
        assert_eq!(bytes.len(), integer::size(value, version));
        for cut in 0..bytes.len() {
            assert_eq!(integer::peek(&bytes[..cut], version), Ok(None));
        }
        assert_eq!(integer::split(&mut bytes, version), Ok(Some(value)));
        if let Some(stream) = BiStream::from_code(value, version) {
            assert_eq!(stream.code(), value);
            assert_eq!(stream.put(&mut bytes, version), Ok(()));
        }
        if let Some(stream) = UniStream::from_code(value, version) {
            assert_eq!(stream.code(), value);
            assert_eq!(stream.put(&mut bytes, version), Ok(()));
        }
    }
}

/// Paths, as text and as they are written.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn path(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let path = str::from_utf8(&buf).ok().map(Path::new);
    if let Some(Ok(path)) = path {
        assert_eq!(Path::new(path.as_str()).as_ref(), Ok(&path));
        let segments = path.segments().collect::<Vec<_>>();
        assert_eq!(segments.join("/"), path.as_str());
        path_survives(&path, version);
    }
    if let Ok(path) = bounded(buf.len(), || decode_body(buf.freeze(), version)) {
        path_survives(&path, version);
    }
}

fn path_survives(path: &Path, version: Version) {
    let mut bytes = BytesMut::new();
    assert_eq!(path.encode(&mut bytes, version), Ok(()));
    let bytes = bytes.freeze();
    for cut in 0..bytes.len() {
        let decoded = decode_body::<Path>(bytes.slice(..cut), version);
        assert_eq!(decoded, Err(DecodeError::PastEnd));
    }
    assert_eq!(decode_body(bytes, version).as_ref(), Ok(path));
}

/// SETUP.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn setup(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<Setup>(&mut buf, version);
    }
}

/// ANNOUNCE_REQUEST and ANNOUNCE_OK.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn announce_request(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<AnnounceOk>(&mut buf.clone(), version);
        message::<AnnounceRequest>(&mut buf, version);
    }
}

/// SUBSCRIBE, and any number of SUBSCRIBE_UPDATE after it.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn subscribe(data: &[u8]) {
    let Some((version, mut buf)) = versioned(data) else {
        return;
    };
    if message::<Subscribe>(&mut buf, version).is_some() {
        while message::<SubscribeUpdate>(&mut buf, version).is_some() {}
    }
}

/// TRACK and TRACK_INFO.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn track(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<TrackInfo>(&mut buf.clone(), version);
        message::<Track>(&mut buf, version);
    }
}

/// Any number of PROBE.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn probe(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        while message::<Probe>(&mut buf, version).is_some() {}
    }
}

/// GOAWAY.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn goaway(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<Goaway>(&mut buf, version);
    }
}
