use bytes::{Bytes, BytesMut};

use super::{ClientSetup, Parameter, ParameterValue, ServerSetup, SessionInfo};
use crate::codec::{Encode, decode_body};
use crate::error::{DecodeError, EncodeError};
use crate::version::Version;

// spec: moql handshake, "length of the rest: 2 bytes, big endian"
#[test]
fn the_length_has_two_bytes() {
    let mut buf = BytesMut::new();
    assert_eq!(ServerSetup::new(Version::Lite02).put(&mut buf), Ok(()));
    assert_eq!(buf, b"\x21\x00\x09\xc0\x00\x00\x00\xff\x0d\xad\x02\x00"[..]);
    let long = ClientSetup {
        parameters: vec![bytes(1, 300)],
        ..ClientSetup::default()
    };
    buf.clear();
    assert_eq!(long.put(&mut buf), Ok(()));
    assert_eq!(buf[..3], [0x20, 0x01, 0x31]);
    assert_eq!(ClientSetup::split(&mut buf), Ok(Some(long)));
}

#[test]
fn the_first_acceptable_offer_is_chosen() {
    let offer = ClientSetup {
        versions: vec![0xff00_000e, 0xff0d_ad02, 0xff0d_ad06, 0xff0d_ad01],
        parameters: Vec::new(),
    };
    let choose = |acceptable: &[Version]| offer.choose(acceptable);
    assert_eq!(
        choose(&[Version::Lite01, Version::Lite02]),
        Some(Version::Lite02)
    );
    assert_eq!(choose(&[Version::Lite01]), Some(Version::Lite01));
    assert_eq!(choose(&[Version::Lite06]), None);
}

#[test]
fn only_what_a_handshake_can_settle_is_offered() {
    let offer = ClientSetup::new(&[Version::Lite06, Version::Lite02, Version::Lite01]);
    assert_eq!(offer.versions, [0xff0d_ad02, 0xff0d_ad01]);
}

#[test]
fn the_lowest_bit_of_an_id_says_what_its_value_is() {
    let setup = ClientSetup {
        versions: vec![7],
        parameters: vec![
            Parameter {
                id: 2,
                value: ParameterValue::Number(300),
            },
            bytes(7, 3),
            bytes(7, 0),
        ],
    };
    let mut buf = BytesMut::new();
    assert_eq!(setup.put(&mut buf), Ok(()));
    assert_eq!(
        buf,
        b"\x20\0\x0d\x01\x07\x03\x02\x41\x2c\x07\x03xxx\x07\0"[..]
    );
    assert_eq!(ClientSetup::split(&mut buf), Ok(Some(setup.clone())));
    assert!(buf.is_empty());

    for id in [2, 7] {
        let mut other = setup.clone();
        for parameter in &mut other.parameters {
            parameter.id = id;
        }
        let put = other.put(&mut buf);
        assert_eq!(put, Err(EncodeError::ParameterKind(id)));
        assert!(buf.is_empty());
    }
}

#[test]
fn a_cut_is_not_yet_a_message_and_damage_is_an_error() {
    let client = |bytes: &[u8]| ClientSetup::split(&mut BytesMut::from(bytes));
    let whole = b"\x20\x00\x04\x01\x07\x00\x00";
    for cut in 0..whole.len() {
        assert_eq!(client(&whole[..cut]), Ok(None));
    }
    assert_eq!(client(whole), Err(DecodeError::Trailing));
    assert_eq!(client(b"\x21"), Err(DecodeError::UnexpectedType(0x21)));
    assert_eq!(
        client(b"\x20\x00\x03\x01\x07\x01"),
        Err(DecodeError::PastEnd)
    );
    assert_eq!(client(b"\x20\x00\x02\x41\x00"), Err(DecodeError::TooLong));
    assert_eq!(
        client(b"\x20\x00\x03\x00\x40\x41"),
        Err(DecodeError::TooManyParameters)
    );
}

#[test]
fn versions_and_parameters_are_counted() {
    let setup = |versions, parameters| ClientSetup {
        versions: vec![7; versions],
        parameters: vec![bytes(1, 1); parameters],
    };
    let most = setup(128, 64);
    let mut buf = BytesMut::new();
    assert_eq!(most.put(&mut buf), Ok(()));
    assert_eq!(ClientSetup::split(&mut buf), Ok(Some(most)));
    for (more, error) in [
        (setup(129, 0), DecodeError::TooLong),
        (setup(0, 65), DecodeError::TooManyParameters),
    ] {
        assert_eq!(more.put(&mut buf), Err(EncodeError::Refused(error)));
        assert!(buf.is_empty());
    }
}

#[test]
fn a_count_that_is_too_large_is_where_the_bytes_are_wrong() {
    let left = |bytes: &[u8]| {
        let mut buf = BytesMut::from(bytes);
        assert!(ClientSetup::split(&mut buf).is_err());
        buf
    };
    assert_eq!(left(b"\x20\x00\x03\x40\x81\x00"), b"\x40\x81\x00"[..]);
    assert_eq!(left(b"\x20\x00\x03\x00\x40\x41"), b"\x40\x41"[..]);
}

#[test]
fn what_does_not_fit_the_length_is_not_written() {
    let mut buf = BytesMut::from(&b"before"[..]);
    let setup = |len| ServerSetup {
        version: 7,
        parameters: vec![bytes(1, len)],
    };
    // A version, a count, an id and a length of four bytes stand in front of the text.
    let most = usize::from(u16::MAX) - 7;
    let put = setup(most + 1).put(&mut buf);
    assert_eq!(put, Err(EncodeError::Refused(DecodeError::TooLong)));
    assert_eq!(buf, b"before"[..]);

    buf.clear();
    assert_eq!(setup(most).put(&mut buf), Ok(()));
    assert_eq!(ServerSetup::split(&mut buf), Ok(Some(setup(most))));
}

#[test]
fn what_is_known_is_never_written_as_unknown() {
    let mut buf = BytesMut::new();
    let known = SessionInfo { bitrate: Some(0) };
    assert_eq!(known.encode(&mut buf, Version::Lite01), Ok(()));
    assert_eq!(buf, [1][..]);
    assert_eq!(
        decode_body(Bytes::from_static(&[0]), Version::Lite01),
        Ok(SessionInfo { bitrate: None })
    );
}

fn bytes(id: u64, len: usize) -> Parameter {
    Parameter {
        id,
        value: ParameterValue::Bytes(Bytes::from("x".repeat(len))),
    }
}
