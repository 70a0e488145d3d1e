use super::*;

#[test]
fn sample_beyond_its_mdat_costs_one_fragment() {
    let mut bad = fragment(1, 2_880);
    let at = bad.windows(4).position(|kind| kind == b"mdat").unwrap();
    bad[at - 1] -= 3;
    bad.truncate(bad.len() - 3);
    let input = [init(&[1]), fragment(1, 0), bad, fragment(1, 5_760)].concat();
    let told = told(&input);
    let broken = told
        .iter()
        .position(|event| event.starts_with("broken"))
        .unwrap();
    let start = init(&[1]).len() + fragment(1, 0).len();
    assert_eq!(
        told[broken],
        format!(
            "broken [1]: box moof at byte {start}: expected its samples in the mdat behind it, 1 \
             are outside"
        )
    );
    assert_eq!(told[broken + 2], "1@5760 one");
}

#[test]
fn damaged_size_costs_one_fragment() {
    let mut bad = fragment(1, 2_880);
    bad[..4].copy_from_slice(&[0, 0, 0, 3]);
    let input = [init(&[1]), fragment(1, 0), bad, fragment(1, 5_760)].concat();
    let told = told(&input);
    assert!(
        told[5].starts_with("broken []: box moof at byte "),
        "{told:?}"
    );
    assert_eq!(told[6], "1@5760 one");
}

#[test]
fn three_broken_fragments_in_a_row_end_the_input() {
    let mut bad = fragment(1, 0);
    let at = bad.windows(4).position(|kind| kind == b"tfdt").unwrap();
    bad[at + 4] = 9;
    let good = fragment(1, 0);
    let input = [init(&[1]), bad.repeat(2), good, bad.repeat(3)].concat();
    let (told, end) = events(&input, 50);
    assert_eq!(
        told.iter()
            .filter(|event| event.starts_with("broken [1]"))
            .count(),
        4
    );
    let end = end.unwrap();
    assert!(matches!(end, DemuxError::Broken { count: 3, .. }), "{end}");
}

#[test]
fn cut_input_delivers_what_is_whole() {
    let input = [init(&[1]), fragment(1, 0)].concat();
    let (told, end) = events(&input[..input.len() - 2], usize::MAX);
    assert_eq!(told, ["init 1", "1@0 one", "1@960 two"]);
    let expected = format!("input ends inside box mdat, at byte {}", input.len() - 2);
    assert_eq!(end.unwrap().to_string(), expected);
}

#[test]
fn what_is_no_fragmented_mp4_is_refused_at_once() {
    for (input, text) in [
        (
            &b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\0"[..],
            "input is no MP4: expected a box such as ftyp",
        ),
        (
            b"\0\0\0\x08ftyp\0\0\0\x40mdat",
            "input is not fragmented: box mdat at byte 8",
        ),
        (
            b"\0\0\0\x08ftyp",
            "input ended at byte 8 without a moov box",
        ),
        (
            b"\0\0\0\x08ftyp\0\0\0\x20moov",
            "input ends inside box moov, at byte 16",
        ),
        (b"\0\0\0\x08ftyp\x40\0\0\0moov", "input can't be read"),
    ] {
        let (_, end) = events(input, 3);
        let found = end.unwrap().to_string();
        assert!(found.starts_with(text), "{found}");
    }
}

#[test]
fn sample_count_is_limited_before_anything_is_allocated() {
    let mut bad = fragment(1, 0);
    let at = bad.windows(4).position(|kind| kind == b"trun").unwrap();
    bad[at + 8..at + 12].copy_from_slice(&u32::MAX.to_be_bytes());
    let told = told(&[init(&[1]), bad, fragment(1, 0)].concat());
    assert!(told[1].contains("box trun"), "{}", told[1]);
    assert!(
        told[1].contains("expected at most 100000, found 4294967295"),
        "{}",
        told[1]
    );
}

#[test]
fn bytes_that_samples_share_are_told_once() {
    let mut run = fragment(1, 0);
    let trun = run.windows(4).position(|kind| kind == b"trun").unwrap() - 4;
    let (moof, len) = (run.len() - 17, run.len() - 17 - trun);
    run[trun + 19] += len as u8;
    let twice = run[trun..moof].to_vec();
    run.splice(moof..moof, twice);
    let traf = run.windows(4).position(|kind| kind == b"traf").unwrap() - 4;
    for at in [0, traf] {
        run[at + 3] += len as u8;
    }
    let told = told(&[init(&[1]), run, fragment(1, 5_760)].concat());
    let samples = ["1@0 one", "1@960 two", "1@1920 six"];
    assert_eq!(told[1..4], samples);
    assert!(told[4].ends_with("3 are outside"), "{}", told[4]);
    assert_eq!(told[6], "1@5760 one");
}

#[test]
fn time_far_beyond_any_recording_costs_one_fragment() {
    let far = 286 * 365 * 86_400 * u64::from(SCALE);
    let told = told(&[init(&[1]), fragment(1, far), fragment(1, 960)].concat());
    assert!(told[1].contains("baseMediaDecodeTime"), "{}", told[1]);
    let first = told.iter().find(|event| event.starts_with("1@"));
    assert_eq!(first.map(String::as_str), Some("1@960 one"));
}

/// A generator of numbers that is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn damaged_input_neither_panics_nor_hangs() {
    let good = [
        init(&[1, 2]),
        fragment(1, 0),
        fragment(2, 0),
        fragment(1, 2_880),
    ]
    .concat();
    let mut random = Random(25);
    for _ in 0..4_000 {
        let mut input = good.clone();
        for _ in 0..1 + random.below(8) {
            let at = random.below(input.len());
            input[at] = random.below(256) as u8;
        }
        input.truncate(1 + random.below(input.len()));
        let size = 1 + random.below(input.len());
        let (told, _) = events(&input, size);
        assert_eq!(events(&input, input.len()).0, told, "pieces of {size}");
    }
}
