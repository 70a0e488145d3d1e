//! Targets for what needs a codec for a whole stream, or stands without an envelope.

use bytes::{Buf, Bytes, BytesMut};

use super::check::{bounded, message, trickle, versioned};
use crate::codec::{Encode, decode_body};
use crate::message::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, ClientSetup, Datagram, Fetch, FrameDecoder,
    FrameEncoder, FrameHeader, GroupHeader, ServerSetup, SessionInfo, SubscribeResponse,
};
use crate::version::Version;

/// Both messages of the handshake, and any number of SESSION_INFO after them.
pub fn handshake(data: &[u8]) {
    let Some((version, mut buf)) = versioned(data) else {
        return;
    };
    if let Ok(Some(setup)) = bounded(buf.len(), || ClientSetup::split(&mut buf)) {
        let mut bytes = BytesMut::new();
        setup.put(&mut bytes);
        trickle(&bytes, &[(bytes.len(), &setup)], ClientSetup::split);
    }
    if let Ok(Some(setup)) = bounded(buf.len(), || ServerSetup::split(&mut buf)) {
        let mut bytes = BytesMut::new();
        setup.put(&mut bytes);
        trickle(&bytes, &[(bytes.len(), &setup)], ServerSetup::split);
    }
    while message::<SessionInfo>(&mut buf, version).is_some() {}
}

/// The announcements of one stream, after ANNOUNCE_OK.
pub fn announce(data: &[u8]) {
    let Some((version, mut buf)) = versioned(data) else {
        return;
    };
    let mut decoder = AnnounceDecoder::new(version);
    let mut events = Vec::new();
    while let Ok(Some(event)) = bounded(buf.len(), || decoder.decode(&mut buf)) {
        events.push(event);
    }

    let mut encoder = AnnounceEncoder::new(version);
    let mut stream = BytesMut::new();
    let ends = ends(&events, &mut stream, |event, stream| {
        encoder
            .encode(event, stream)
            .expect("announcements that were decoded do not contradict each other");
    });
    let mut decoder = AnnounceDecoder::new(version);
    trickle(&stream, &ends, |buf| decoder.decode(buf));
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
pub fn response(data: &[u8]) {
    let Some((version, mut buf)) = versioned(data) else {
        return;
    };
    let mut responses = Vec::new();
    let split = SubscribeResponse::split_counted;
    while let Ok(Some(response)) = bounded(buf.len(), || split(&mut buf, version)) {
        responses.push(response);
    }
    let mut stream = BytesMut::new();
    let ends = ends(&responses, &mut stream, |response, stream| match response {
        (SubscribeResponse::End(group), Some(streams)) => {
            SubscribeResponse::put_end(*group, *streams, stream, version);
        }
        (response, _) => response.put(stream, version),
    });
    trickle(&stream, &ends, |buf| split(buf, version));
}

/// FETCH, and the frames of an answer.
pub fn fetch(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<Fetch>(&mut buf, version);
        frames(buf, version);
    }
}

/// GROUP and the frames after it.
pub fn group(data: &[u8]) {
    if let Some((version, mut buf)) = versioned(data) {
        message::<GroupHeader>(&mut buf, version);
        frames(buf, version);
    }
}

fn frames(mut buf: BytesMut, version: Version) {
    let mut decoder = FrameDecoder::new(version);
    let mut frames = Vec::new();
    while let Ok(Some(header)) = bounded(buf.len(), || decoder.header(&mut buf)) {
        if header.len > buf.len() as u64 {
            break;
        }
        let payload = buf.split_to(usize::try_from(header.len).unwrap_or(usize::MAX));
        frames.push((header, payload));
    }

    let mut encoder = FrameEncoder::new(version);
    let mut stream = BytesMut::new();
    let mut ends = Vec::new();
    for (header, payload) in &frames {
        encoder
            .header(header.timestamp.unwrap_or(0), payload.len(), &mut stream)
            .expect("a timestamp that was decoded can be encoded");
        ends.push((stream.len(), header));
        stream.extend_from_slice(payload);
    }
    let mut decoder = FrameDecoder::new(version);
    let mut payload = 0;
    trickle(&stream, &ends, |buf| {
        let arrived = payload.min(buf.len());
        buf.advance(arrived);
        payload -= arrived;
        let header: Option<FrameHeader> = match payload {
            0 => decoder.header(buf)?,
            _ => None,
        };
        if let Some(FrameHeader { len, .. }) = header {
            payload = usize::try_from(len).unwrap_or(usize::MAX);
        }
        Ok(header)
    });
}

/// One datagram.
pub fn datagram(data: &[u8]) {
    let Some((version, buf)) = versioned(data) else {
        return;
    };
    let decode = |bytes: Bytes| decode_body::<Datagram>(bytes, version);
    if let Ok(datagram) = bounded(buf.len(), || decode(buf.freeze())) {
        let mut bytes = BytesMut::new();
        datagram.encode(&mut bytes, version);
        assert_eq!(decode(bytes.freeze()), Ok(datagram));
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
