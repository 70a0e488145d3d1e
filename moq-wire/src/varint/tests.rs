use super::*;

const QUIC: Version = Version::Lite06;
const LEADING_ONES: Version = Version::Lite07Wip;

#[test]
fn known_values_have_known_bytes() {
    let cases: &[(Version, u64, &[u8])] = &[
        (QUIC, 0, &[0]),
        (QUIC, 63, &[63]),
        (QUIC, 64, &[0x40, 64]),
        (QUIC, 0x1111, &[0x51, 0x11]),
        (QUIC, 180_000, &[0x80, 2, 0xbf, 0x20]),
        (QUIC, 1 << 30, &[0xc0, 0, 0, 0, 0x40, 0, 0, 0]),
        (QUIC, MAX, &[0xff; 8]),
        (LEADING_ONES, 127, &[127]),
        (LEADING_ONES, 0x1111, &[0x91, 0x11]),
        (LEADING_ONES, 5000, &[0x93, 0x88]),
        (LEADING_ONES, 90_000, &[0xc1, 0x5f, 0x90]),
        (
            LEADING_ONES,
            MAX,
            &[0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
    ];
    for &(version, value, bytes) in cases {
        let mut buf = BytesMut::new();
        assert_eq!(put(value, &mut buf, version), Ok(()));
        assert_eq!(buf, bytes, "{value} on {version}");
        assert_eq!(split(&mut buf, version), Ok(Some(value)));
    }
}

#[test]
fn every_size_boundary_survives_and_a_cut_is_not_yet_a_value() {
    for version in [QUIC, LEADING_ONES] {
        for value in (0..62)
            .flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit])
            .chain([MAX])
        {
            let mut buf = BytesMut::new();
            assert_eq!(put(value, &mut buf, version), Ok(()));
            assert_eq!(buf.len(), size(value, version));
            for cut in 0..buf.len() {
                assert_eq!(peek(&buf[..cut], version), Ok(None));
            }
            assert_eq!(split(&mut buf, version), Ok(Some(value)));
            assert!(buf.is_empty());
        }
    }
}

#[test]
fn each_size_holds_what_it_can() {
    let leading_ones = ([7, 14, 21, 28, 35, 42, 56, 62], [1, 2, 3, 4, 5, 6, 8, 9]);
    let quic = (QUIC, &[6, 14, 30, 62][..], &[1, 2, 4, 8][..]);
    let leading_ones = (LEADING_ONES, &leading_ones.0[..], &leading_ones.1[..]);
    for (version, bits, bytes) in [quic, leading_ones] {
        let mut smallest = 0;
        for (&bits, &bytes) in bits.iter().zip(bytes) {
            let largest = (1 << bits) - 1;
            assert_eq!(size(smallest, version), bytes, "{smallest} on {version}");
            assert_eq!(size(largest, version), bytes, "{largest} on {version}");
            smallest = largest + 1;
        }
    }
}

#[test]
fn a_pair_is_written_as_two_values_are() {
    let values = [
        0,
        63,
        64,
        0x3fff,
        0x4000,
        0x3fff_ffff,
        0x4000_0000,
        MAX,
        MAX + 1,
        u64::MAX,
    ];
    for (first, second) in values.iter().flat_map(|a| values.map(|b| (*a, b))) {
        for version in [QUIC, LEADING_ONES] {
            let mut pair = BytesMut::new();
            let put_both = put_pair(first, second, &mut pair, version.features().varint);
            let mut one_by_one = BytesMut::new();
            let result = put(first, &mut one_by_one, version);
            let result = result.and_then(|()| put(second, &mut one_by_one, version));
            assert_eq!(put_both, result, "{first}, {second} on {version}");
            if result.is_err() {
                one_by_one.clear();
            }
            assert_eq!(pair, one_by_one, "{first}, {second} on {version}");
        }
    }
}

#[test]
fn padded_forms_are_accepted() {
    assert_eq!(peek(&[0x40, 1], QUIC), Ok(Some((1, 2))));
    assert_eq!(
        peek(&[0xfc, 0, 0, 0, 0, 0, 1], LEADING_ONES),
        Ok(Some((1, 7)))
    );
}

#[test]
fn values_above_the_maximum_are_refused_in_both_directions() {
    let mut buf = BytesMut::new();
    for (value, version) in [(MAX + 1, QUIC), (u64::MAX, QUIC), (MAX + 1, LEADING_ONES)] {
        let refused = Err(EncodeError::Refused(DecodeError::VarInt));
        assert_eq!(put(value, &mut buf, version), refused);
        assert!(buf.is_empty());
    }
    assert_eq!(peek(&[0xff; 9], LEADING_ONES), Err(DecodeError::VarInt));
}
