//! Files of ffmpeg through import and export, judged by ffprobe.
//!
//! Where ffmpeg is not installed, these tests say so and pass.

#[expect(clippy::unwrap_used, reason = "what a test needs and lacks fails it")]
mod common;
mod random;

use common::{FIXTURES, Fixture, Format, Packet, fixture, is_there, packets, through};

#[test]
fn cmaf_keeps_every_packet_exactly() {
    for_each_fixture(Format::Cmaf, |name, ours, theirs| {
        assert_eq!(ours.len(), theirs.len(), "{name}: packets");
        let constant = (ours[0].dts - theirs[0].dts, ours[0].micros(ours[0].dts));
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert_eq!(ours.scale, theirs.scale, "{name}: scale");
            assert_eq!(ours.size, theirs.size, "{name}: size of {at}");
            assert_eq!(ours.is_key, theirs.is_key, "{name}: key flag of {at}");
            assert_eq!(ours.dts - theirs.dts, constant.0, "{name}: dts of {at}");
            assert_eq!(ours.pts - theirs.pts, constant.0, "{name}: pts of {at}");
        }
    });
}

#[test]
fn legacy_keeps_order_and_times_within_a_tick() {
    for_each_fixture(Format::Legacy, |name, ours, theirs| {
        assert_eq!(ours.len(), theirs.len(), "{name}: packets");
        let shown = |packet: &Packet| packet.micros(packet.pts);
        let constant = shown(&ours[0]) - shown(&theirs[0]);
        let tick = 1 + 1_000_000 / theirs[0].scale;
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert_eq!(ours.is_key, theirs.is_key, "{name}: key flag of {at}");
            let off = shown(ours) - shown(theirs) - constant;
            assert!(off.abs() <= tick, "{name}: pts of {at} is off by {off}");
            assert!(ours.dts <= ours.pts, "{name}: dts of {at} is above its pts");
            // Start codes in front of parameter sets change sizes where those are in the stream.
            if !matches!(name, "avc3" | "hev1") {
                assert_eq!(ours.size, theirs.size, "{name}: size of {at}");
            }
        }
        let rises = |pair: &[Packet]| pair[0].dts < pair[1].dts;
        assert!(ours.windows(2).all(rises), "{name}: dts is monotone");
    });
}

#[test]
fn tracks_keep_their_times_to_each_other() {
    for format in [Format::Legacy, Format::Cmaf] {
        for (name, arguments) in FIXTURES
            .iter()
            .filter(|(_, text)| text.contains("A:") && text.contains("V:"))
        {
            let Some(input) = fixture(name, arguments) else {
                return;
            };
            let output = through(&input, format, 1 << 16);
            let gap = |file: &Fixture| {
                let streams = packets(file);
                let first = |at: usize| streams[at][0].micros(streams[at][0].pts);
                first(0) - first(1)
            };
            let off = gap(&output) - gap(&input);
            assert!(off.abs() <= 25, "{name} {format:?}: off by {off} µs");
        }
    }
}

#[test]
fn output_decodes_without_a_word() {
    for (name, arguments) in FIXTURES {
        let Some(input) = fixture(name, arguments) else {
            return;
        };
        for format in [Format::Legacy, Format::Cmaf, Format::Loc] {
            // ffmpeg gives two samples of this file one time, which it says of itself later on.
            if *name == "every-frame" && format != Format::Cmaf {
                continue;
            }
            let said = common::decode(&through(&input, format, 4_096));
            assert_eq!(said, "", "{name} {format:?}");
        }
    }
}

#[test]
fn cut_of_the_input_changes_nothing() {
    for (name, arguments) in &FIXTURES[..3] {
        let Some(input) = fixture(name, arguments) else {
            return;
        };
        let whole = common::read(&through(&input, Format::Legacy, usize::MAX));
        for size in [1, 7, 1_000, 65_536] {
            let pieces = common::read(&through(&input, Format::Legacy, size));
            assert!(whole == pieces, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn restarted_encoder_goes_on_in_time() {
    let Some(input) = fixture(FIXTURES[1].0, FIXTURES[1].1) else {
        return;
    };
    let twice = common::twice(&input);
    let once = packets(&input);
    for format in [Format::Legacy, Format::Cmaf] {
        let output = through(&twice, format, 65_536);
        for (stream, once) in packets(&output).iter().zip(&once) {
            assert_eq!(stream.len(), 2 * once.len(), "{format:?}");
            let rises = |pair: &[Packet]| pair[0].dts < pair[1].dts;
            assert!(stream.windows(2).all(rises), "{format:?}: dts is monotone");
            let last = stream[stream.len() - 1];
            assert!(last.micros(last.pts) < 4_500_000, "{format:?}: no hole");
        }
        assert_eq!(common::decode(&output), "", "{format:?}");
    }
}

#[test]
fn changed_resolution_is_another_rendition() {
    let (name, arguments) = FIXTURES[1];
    let larger = arguments.replace("-c:v", "-s 640x360 -c:v");
    let Some((small, large)) = fixture(name, arguments).zip(fixture("larger", &larger)) else {
        return;
    };
    let both = [common::read(&small), common::read(&large)].concat();
    for format in [Format::Legacy, Format::Cmaf] {
        let imported = common::import_bytes(&both, format, 1 << 16).unwrap();
        let video = &imported.catalog.video;
        assert_eq!(video.keys().collect::<Vec<_>>(), ["video1"], "{format:?}");
        assert_eq!(video["video1"].coded.map(|size| size.width), Some(640));
        let audio: Vec<_> = imported.catalog.audio.keys().collect();
        assert_eq!(audio, ["audio0"], "{format:?}: its decoder goes on");
        let written = common::write(&common::export(&imported));
        let large = packets(&large);
        assert_eq!(packets(&written)[0].len(), large[0].len(), "{format:?}");
        assert_eq!(common::decode(&written), "", "{format:?}");
    }
}

#[test]
fn progressive_files_are_refused_with_advice() {
    let with_index = "V:25 -c:v libx264 -g 25 -movflags +faststart";
    let without = "V:25 -c:v libx264 -g 25";
    for (name, arguments) in [("faststart", with_index), ("moov-last", without)] {
        let Some(input) = fixture(name, arguments) else {
            return;
        };
        let error = common::import(&input, Format::Legacy, 100)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("input is not fragmented"),
            "{name}: {error}"
        );
        assert!(
            error.contains("+frag_keyframe+empty_moov"),
            "{name}: {error}"
        );
    }
}

#[test]
fn input_cut_near_every_box_border_delivers_what_is_whole() {
    let Some(input) = fixture(FIXTURES[0].0, FIXTURES[0].1) else {
        return;
    };
    let bytes = common::read(&input);
    for border in common::box_borders(&bytes) {
        for end in [border - 1, border, border + 1] {
            let part = &bytes[..end.min(bytes.len())];
            // Only that it ends in a value, whatever it is, and soon.
            let _ = common::import_bytes(part, Format::Legacy, 1 << 16);
        }
    }
}

#[test]
fn damaged_files_neither_panic_nor_hang() {
    let Some(input) = fixture(FIXTURES[1].0, FIXTURES[1].1) else {
        return;
    };
    let good = common::read(&input);
    let mut random = random::Random(26);
    for _ in 0..200 {
        let mut bad = good.clone();
        for _ in 0..1 + random.below(20) {
            let at = random.below(bad.len());
            bad[at] = random.below(256) as u8;
        }
        bad.truncate(1 + random.below(bad.len()));
        for format in [Format::Legacy, Format::Cmaf] {
            if let Ok(imported) = common::import_bytes(&bad, format, 1 << 14) {
                let _ = common::export(&imported);
            }
        }
    }
}

fn for_each_fixture(format: Format, check: impl Fn(&str, &[Packet], &[Packet])) {
    for (name, arguments) in FIXTURES {
        let Some(input) = fixture(name, arguments) else {
            return;
        };
        let output = through(&input, format, 1 << 16);
        let (ours, theirs) = (packets(&output), packets(&input));
        assert_eq!(ours.len(), theirs.len(), "{name}: streams");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(!theirs.is_empty(), "{name}: the fixture has packets");
            check(name, ours, theirs);
        }
    }
    assert!(is_there());
}
