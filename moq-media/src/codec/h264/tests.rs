use super::*;

/// 638×358, High, by x264 with three B-frames.
const SPS_HIGH: &[u8] = &[
    0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x2f, 0xea, 0x6c, 0x04, 0x40, 0x00, 0x00, 0x03,
    0x00, 0x40, 0x00, 0x00, 0x0c, 0x83, 0xc5, 0x8b, 0x65, 0x80,
];

const PPS_HIGH: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

fn avcc() -> Avcc {
    let units = [SPS_HIGH, PPS_HIGH].map(Bytes::from_static);
    Avcc::of_parameter_sets(&units).unwrap()
}

#[test]
fn sps_says_size_and_reordering() {
    let sps = Sps::read(SPS_HIGH).unwrap();
    assert_eq!((sps.width, sps.height), (638, 358));
    assert_eq!(sps.reorder, Some(2));
}

#[test]
fn record_of_parameter_sets_reads_back() {
    let avcc = avcc();
    assert_eq!(avcc.codec_string("avc1"), "avc1.64001e");
    let record = avcc.write();
    assert_eq!(&record[record.len() - 4..], [0xfd, 0xf8, 0xf8, 0]);
    assert_eq!(Avcc::read(&record).unwrap(), avcc);
    assert_eq!(avcc.parameter_sets().len(), 2);
}

#[test]
fn parameter_sets_stay_lists() {
    let units = [SPS_HIGH, PPS_HIGH, PPS_HIGH, SPS_HIGH].map(Bytes::from_static);
    let avcc = Avcc::of_parameter_sets(&units).unwrap();
    let back = Avcc::read(&avcc.write()).unwrap();
    assert_eq!((back.sps.len(), back.pps.len()), (2, 2));
}

#[test]
fn record_cut_anywhere_is_an_error() {
    let avcc = avcc();
    let record = avcc.write();
    let needed = record.len() - 4;
    for len in 0..needed {
        assert!(Avcc::read(&record.slice(..len)).is_err(), "{len}");
    }
    assert!(Avcc::read(&record.slice(..needed)).is_ok());
    let error = Avcc::read(&Bytes::from_static(&[2, 0, 0, 0, 0, 0])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "avcC, configurationVersion: expected 1, found 2"
    );
}

#[test]
fn sps_cut_anywhere_does_not_panic() {
    for len in 0..SPS_HIGH.len() {
        let _ = Sps::read(&SPS_HIGH[..len]);
    }
    assert!(Sps::read(&SPS_HIGH[..10]).is_err());
    assert!(Avcc::of_parameter_sets(&[Bytes::from_static(SPS_HIGH)]).is_none());
}
