//! Whether what comes out is what went in.

use std::path::Path;

use anyhow::ensure;

use super::flow::Case;
use super::probe::{Packet, decode, packets};

/// Compares two files.
pub(super) fn compare(case: Case<'_>, input: &Path, output: &Path) -> anyhow::Result<()> {
    let (theirs, ours) = (packets(input)?, packets(output)?);
    ensure!(
        ours.len() == theirs.len(),
        "{} streams instead of {}",
        ours.len(),
        theirs.len()
    );
    let is_exact = case.container == "cmaf" && case.format == "mp4";
    let has_times = case.format != "h264";
    // Start codes in front of parameter sets change sizes where those are in the stream.
    let is_in_band = matches!(case.fixture, "avc3" | "hev1") || case.format != "mp4";
    let has_sizes = is_exact || !is_in_band;
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let [ours_len, theirs_len] = [ours, theirs].map(Vec::len);
        ensure!(
            ours_len == theirs_len && theirs_len > 0,
            "stream {number} has {ours_len} packets instead of {theirs_len}"
        );
        for (at, (our, their)) in ours.iter().zip(theirs).enumerate() {
            let is_same = our.is_key == their.is_key && (!has_sizes || our.size == their.size);
            ensure!(
                is_same
                    && (!has_times || is_in_time([&ours[0], &theirs[0]], [our, their], is_exact)),
                "packet {at} of stream {number} is {our:?} instead of {their:?}"
            );
        }
        let rises = |pair: &[Packet]| pair[0].dts < pair[1].dts;
        // ffmpeg gives two samples of one of its files the same time.
        let may_stand = is_exact && case.fixture == "every-frame";
        ensure!(
            may_stand || ours.windows(2).all(rises),
            "dts of stream {number} does not rise"
        );
    }
    if let ([our, our_other, ..], [their, their_other, ..]) = (&ours[..], &theirs[..]) {
        let gap = |a: &[Packet], b: &[Packet]| a[0].micros(a[0].pts) - b[0].micros(b[0].pts);
        let off = gap(our, our_other) - gap(their, their_other);
        ensure!(off.abs() <= 25, "streams moved by {off} µs to each other");
    }
    if case.fixture == "every-frame" && !is_exact {
        return Ok(());
    }
    let said = decode(output)?;
    ensure!(said.is_empty(), "ffmpeg says: {said}");
    Ok(())
}

/// Whether a packet has kept its times, beside those of the first packets.
fn is_in_time(firsts: [&Packet; 2], [our, their]: [&Packet; 2], is_exact: bool) -> bool {
    let [our_first, their_first] = firsts;
    if is_exact {
        let constant = our_first.dts - their_first.dts;
        return our.scale == their.scale
            && our.dts - their.dts == constant
            && our.pts - their.pts == constant;
    }
    let shown = |packet: &Packet| packet.micros(packet.pts);
    let constant = shown(our_first) - shown(their_first);
    let off = shown(our) - shown(their) - constant;
    off.abs() <= 1 + 1_000_000 / their.scale && our.dts <= our.pts
}
