//! What an import allocates.

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use moq_media::fmp4::{Demuxer, FragmentSample, write_fragment};
use moq_media::packager::{Format, Output, Packager, PackagerConfig};

/// Sixteen seconds of audio with large packets, 8 MB, after the initialization segment.
fn input() -> Bytes {
    let doc = moq_media::doc::audio();
    let moof = doc
        .windows(4)
        .position(|kind| kind == b"moof")
        .expect("there are fragments");
    let mut input = doc[..moof - 4].to_vec();
    for at in 0..FRAGMENTS {
        let payload = Bytes::from(vec![at as u8; 10_000]);
        let sample = FragmentSample::new(960, 0, true, payload.into());
        let fragment = write_fragment(at + 1, 1, u64::from(at) * 960, &[sample]);
        input.extend_from_slice(&fragment.expect("one sample fits"));
    }
    input.into()
}

/// What it takes to package `input` in pieces of 64 KiB, each of which is read anew.
fn packaging(input: &[u8], format: Format) -> AllocationInfo {
    let mut config = PackagerConfig::default();
    config.format = format;
    let (mut demuxer, mut packager) = (Demuxer::default(), Packager::new(config));
    let mut bytes = 0;
    let info = measure(|| {
        for chunk in input.chunks(1 << 16) {
            demuxer.push(Bytes::copy_from_slice(chunk));
            while let Some(event) = demuxer.next().expect("the input is good") {
                packager
                    .push(event, Duration::ZERO)
                    .expect("the input is good");
            }
            while let Some(output) = packager.pop() {
                if let Output::Frame { payload, .. } = output {
                    bytes += payload.len();
                }
            }
        }
    });
    assert!(bytes > 8_000_000 - (1 << 16), "{bytes}");
    info
}

#[test]
fn payloads_are_copied_once() {
    let input = input();
    for format in [Format::Legacy, Format::Loc, Format::Cmaf] {
        let info = packaging(&input, format);
        // The pieces themselves, a copy into frames, and lists of a fragment's parts.
        let limit = 2 * input.len() as u64 + u64::from(FRAGMENTS) * 3_072;
        assert!(
            info.bytes_total < limit,
            "{format:?}: {} of {limit}",
            info.bytes_total
        );
    }
}

#[test]
fn packaging_holds_little_more_than_a_piece() {
    let input = input();
    let info = packaging(&input, Format::Legacy);
    assert!(info.bytes_max < 300_000, "{} bytes at most", info.bytes_max);
}

#[test]
fn hostile_sizes_allocate_nothing() {
    let doc = moq_media::doc::audio();
    let moof = doc
        .windows(4)
        .position(|kind| kind == b"moof")
        .expect("there are fragments");
    let mdat = doc
        .windows(4)
        .position(|kind| kind == b"mdat")
        .expect("there are fragments");
    let mut input = doc[..mdat + 4].to_vec();
    input[mdat - 4..mdat].copy_from_slice(&(60_u32 << 20).to_be_bytes());
    assert!(moof < mdat);
    let info = measure(|| {
        let mut demuxer = Demuxer::default();
        demuxer.push(Bytes::from(input));
        while let Ok(Some(_)) = demuxer.next() {}
        demuxer.finish();
        while let Ok(Some(_)) = demuxer.next() {}
    });
    assert!(info.bytes_max < 50_000, "{} bytes at most", info.bytes_max);
}

const FRAGMENTS: u32 = 800;
