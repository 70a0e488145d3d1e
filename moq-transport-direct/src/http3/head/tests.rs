//! Beginnings of streams, well and malformed.

use super::*;
use crate::http3::request::tests::section;
use crate::http3::tests::pieces;

/// What a stream is for, and what is left behind its head.
fn head(is_bidi: bool, stream: &[u8], seed: u64) -> Result<Option<(Purpose, Vec<u8>)>, Fault> {
    let mut head = Head::new(is_bidi);
    let (mut found, mut rest) = (None, Vec::new());
    for piece in pieces(stream, seed) {
        let mut bytes = Bytes::from(piece);
        if found.is_none() {
            found = head.push(&mut bytes)?;
        }
        rest.extend_from_slice(&bytes);
    }
    Ok(found.map(|purpose| (purpose, rest)))
}

#[test]
fn streams_of_a_session_name_it_in_any_pieces() {
    for (is_bidi, stream) in [
        (true, &[0x40, 0x41, 8, 1, 2][..]),
        (true, &[0x80, 0, 0, 0x41, 0x40, 8, 1, 2]),
        (false, &[0x40, 0x54, 8, 1, 2]),
    ] {
        for seed in 0..20 {
            match head(is_bidi, stream, seed).unwrap().unwrap() {
                (Purpose::Session(8), rest) => assert_eq!(rest, [1, 2]),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_request_may_have_frames_that_are_not_known_before_its_fields() {
    let fields = section(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "h"),
        (":path", "/"),
    ]);
    let length = u8::try_from(fields.len()).unwrap();
    let frames = [
        &[0x21, 2, 9, 9, 0x40, 0xfe, 1, 9, 0x21, 0, 1, length][..],
        &fields,
        &[0, 1],
    ];
    let stream = frames.concat();
    for seed in 0..100 {
        match head(true, &stream, seed).unwrap().unwrap() {
            (Purpose::Request(Asking::Other(404)), rest) => assert_eq!(rest, [0, 1]),
            other => panic!("{other:?}"),
        }
    }
    assert!(
        head(true, &stream[..stream.len() - 3], 1)
            .unwrap()
            .is_none()
    );
}

#[test]
fn streams_of_the_connection_are_told_by_their_types() {
    for kind in [0, 2, 3] {
        let found = head(false, &[kind, 7], 1).unwrap().unwrap();
        assert!(matches!(found.0, Purpose::Critical(_)), "{kind}");
        assert_eq!(found.1, [7]);
    }
    let found = head(false, &[0x21, 7], 1).unwrap().unwrap();
    assert!(matches!(found.0, Purpose::Unknown));
    assert!(head(false, &[0x40], 0).unwrap().is_none());
}

#[test]
fn each_fault_has_its_code() {
    for (is_bidi, stream, code) in [
        (false, &[1][..], H3_STREAM_CREATION_ERROR),
        (false, &[0x40, 0x54, 1], H3_ID_ERROR),
        (true, &[0x40, 0x41, 2], H3_ID_ERROR),
        (true, &[0, 0], H3_FRAME_UNEXPECTED),
        (true, &[4, 0], H3_FRAME_UNEXPECTED),
        (true, &[3, 0], H3_FRAME_UNEXPECTED),
        (true, &[5, 0], H3_FRAME_UNEXPECTED),
        (true, &[7, 0], H3_FRAME_UNEXPECTED),
        (true, &[13, 0], H3_FRAME_UNEXPECTED),
        (true, &[2, 0], H3_FRAME_UNEXPECTED),
        (true, &[0x80, 0xf, 7, 0, 0], H3_FRAME_UNEXPECTED),
        (true, &[0x21, 0, 0x40, 0x41, 0], H3_FRAME_ERROR),
        (true, &[1, 0x80, 0, 0x40, 1], H3_EXCESSIVE_LOAD),
    ] {
        for seed in [0, 1, 5] {
            let fault = head(is_bidi, stream, seed).unwrap_err();
            assert_eq!(fault.code, code, "{stream:?}");
            assert!(fault.is_of_connection);
        }
    }
}

#[test]
fn an_end_within_a_frame_costs_the_connection_and_one_between_frames_does_not() {
    for (is_bidi, stream, is_of_connection) in [
        (true, &[][..], false),
        (true, &[0x40], true),
        (true, &[1], true),
        (true, &[1, 0x40], true),
        (true, &[1, 3, 0, 0], true),
        (true, &[0x21, 2, 9], true),
        (true, &[0x21, 1, 9], false),
        (true, &[0x21, 1, 9, 0x40], true),
        (true, &[0x40, 0x41], true),
        (true, &[0x40, 0x41, 0x40], true),
        (false, &[0x40], false),
        (false, &[0x40, 0x54], false),
    ] {
        let mut head = Head::new(is_bidi);
        let mut bytes = Bytes::from_static(stream);
        assert!(head.push(&mut bytes).unwrap().is_none(), "{stream:?}");
        let fault = head.finish();
        assert_eq!(fault.is_of_connection, is_of_connection, "{stream:?}");
        let code = match is_of_connection {
            true => H3_FRAME_ERROR,
            false => H3_REQUEST_INCOMPLETE,
        };
        assert_eq!(fault.code, code, "{stream:?}");
        assert!(!head.cut_off().is_of_connection);
    }
}

#[test]
fn a_request_that_does_not_begin_is_too_much() {
    let grease = [0x21, 0].repeat(MAX_HEAD / 2);
    assert!(head(true, &grease, 9).unwrap().is_none());
    let more = [&grease[..], &[0x21]].concat();
    assert_eq!(head(true, &more, 9).unwrap_err().code, H3_EXCESSIVE_LOAD);
    // The length of a frame is no reason to wait for it.
    let huge = [&[0x21, 0xff, 0, 0, 0, 0, 0, 0, 0][..], &[0; MAX_HEAD]].concat();
    assert_eq!(head(true, &huge, 9).unwrap_err().code, H3_EXCESSIVE_LOAD);
}
