//! Targets for what needs a codec for a whole stream, or stands without an envelope.

use std::fmt::Debug;

use bytes::{Buf, Bytes, BytesMut};

use super::check::{bounded, items, message, trickle, versioned};
use crate::codec::{Encode, decode_body};
use crate::error::{DecodeError, EncodeError};
use crate::message::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, ClientSetup, Datagram, Fetch, FrameDecoder,
    FrameEncoder, FrameHeader, GroupHeader, ServerSetup, SessionInfo, SubscribeResponse,
};
use crate::version::Version;

/// Both messages of the handshake, and any number of SESSION_INFO after them.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn handshake(data: &[u8]) {
    let Some((version, mut buf)) = versioned(data) else {
        return;
    };
    exchange(&mut buf, ClientSetup::split, ClientSetup::put);
    exchange(&mut buf, ServerSetup::split, ServerSetup::put);
    while message::<SessionInfo>(&mut buf, version).is_some() {}
}

/// Takes one message of the handshake off the front of `buf`, if there is a good one, and checks it.
fn exchange<M: PartialEq + Debug>(
    buf: &mut BytesMut,
    split: fn(&mut BytesMut) -> Result<Option<M>, DecodeError>,
    put: fn(&M, &mut BytesMut) -> Result<(), EncodeError>,
) {
    let received = buf.clone();
    let Ok(Some(setup)) = bounded(received.len(), || split(buf)) else {
        return;
    };
    let mut written = BytesMut::new();
    assert_eq!(put(&setup, &mut written), Ok(()));
    let taken = received.len() - buf.len();
    for spelling in [&received[..taken], &written[..]] {
        trickle(spelling, &[(spelling.len(), &setup)], split);
    }
}

/// The announcements of one stream, after ANNOUNCE_OK.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn announce(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let decoder = || {
        let mut decoder = AnnounceDecoder::new(version);
        move |buf: &mut BytesMut| decoder.decode(buf)
    };
    let events = items(&buf, decoder);

    let mut encoder = AnnounceEncoder::new(version);
    let mut stream = BytesMut::new();
    let ends = ends(&events, &mut stream, |event, stream| {
        encoder
            .encode(event, stream)
            .expect("announcements that were decoded do not contradict each other");
    });
    trickle(&stream, &ends, decoder());
    same_at_once(&events, version);
}

/// The same events as the initial set.
fn same_at_once(events: &[AnnounceEvent], version: Version) {
    let mut stream = BytesMut::new();
    AnnounceEncoder::with_initial(version, events, &mut stream)
        .expect("announcements that were decoded do not contradict each other");
    let mut decoder = AnnounceDecoder::new(version);
    for event in events {
        assert_eq!(
            decoder.decode(&mut stream).as_ref(),
            Ok(&Some(event.clone()))
        );
    }
    assert_eq!(decoder.decode(&mut stream), Ok(None));
    assert!(stream.is_empty() && decoder.may_end());
}

/// Answers to a subscription.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn response(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let split = |buf: &mut BytesMut| SubscribeResponse::split(buf, version);
    let responses = items(&buf, || split);
    let mut stream = BytesMut::new();
    let ends = ends(&responses, &mut stream, |response, stream| {
        let put = response.put(stream, version);
        assert_eq!(put, Ok(()), "an answer that was decoded can be encoded");
    });
    trickle(&stream, &ends, split);
}

/// FETCH, and the frames of an answer.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn fetch(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<Fetch>(&mut buf, version);
        frames(buf, version);
    }
}

/// GROUP and the frames after it.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn group(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<GroupHeader>(&mut buf, version);
        frames(buf, version);
    }
}

fn frames(received: BytesMut, version: Version) {
    let mut buf = received.clone();
    let mut decoder = FrameDecoder::new(version);
    let mut frames = Vec::new();
    let mut taken = 0;
    while let Ok(Some(header)) = bounded(buf.len(), || decoder.header(&mut buf)) {
        if header.len > buf.len() as u64 {
            break;
        }
        let end = received.len() - buf.len();
        let payload = buf.split_to(usize::try_from(header.len).unwrap_or(usize::MAX));
        frames.push((end, header, payload));
        taken = received.len() - buf.len();
    }
    let ends = frames.iter().map(|(end, header, _)| (*end, header));
    trickle(
        &received[..taken],
        &ends.collect::<Vec<_>>(),
        headers(version),
    );

    let mut encoder = FrameEncoder::new(version);
    let mut written = BytesMut::new();
    let mut ends = Vec::new();
    for (_, header, payload) in &frames {
        encoder
            .header(header.timestamp.unwrap_or(0), payload.len(), &mut written)
            .expect("a timestamp that was decoded can be encoded");
        ends.push((written.len(), header));
        written.extend_from_slice(payload);
    }
    trickle(&written, &ends, headers(version));
}

/// Takes headers off a stream and passes over the payloads.
fn headers(
    version: Version,
) -> impl FnMut(&mut BytesMut) -> Result<Option<FrameHeader>, DecodeError> {
    let mut decoder = FrameDecoder::new(version);
    let mut payload = 0;
    move |buf| {
        let arrived = payload.min(buf.len());
        buf.advance(arrived);
        payload -= arrived;
        if payload > 0 {
            return Ok(None);
        }
        let header = decoder.header(buf)?;
        if let Some(FrameHeader { len, .. }) = header {
            payload = usize::try_from(len).unwrap_or(usize::MAX);
        }
        Ok(header)
    }
}

/// One datagram.
///
/// # Panics
/// If one of the rules of [the module](super) does not hold for the input.
pub fn datagram(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let received = buf.freeze();
    let decode = |bytes: Bytes| decode_body::<Datagram>(bytes, version);
    let Ok(datagram) = bounded(received.len(), || decode(received.clone())) else {
        return;
    };
    let mut written = BytesMut::new();
    assert_eq!(datagram.encode(&mut written, version), Ok(()));
    let written = written.freeze();
    for spelling in [received, written] {
        let header = spelling.len() - datagram.payload.len();
        for cut in 0..header {
            assert_eq!(decode(spelling.slice(..cut)), Err(DecodeError::PastEnd));
        }
        assert_eq!(decode(spelling).as_ref(), Ok(&datagram));
    }
}

/// Appends all `items`, each with the place where it ends.
fn ends<'a, T>(
    items: &'a [T],
    stream: &mut BytesMut,
    mut put: impl FnMut(&T, &mut BytesMut),
) -> Vec<(usize, &'a T)> {
    let end = |item: &'a T| {
        put(item, stream);
        (stream.len(), item)
    };
    items.iter().map(end).collect()
}
