use super::*;

#[test]
fn negative_times_move_up_by_one_constant() {
    let mut run = Run::new(Format::Legacy);
    let told = run.push([init_event(30), packet(-1), key(0)]);
    let at = |track: &str| {
        let frame = told.iter().find(|told| told.starts_with(track)).unwrap();
        let time = frame.split(['@', ' ']).nth(1).unwrap();
        time.parse::<i64>().unwrap()
    };
    assert_eq!(at("0@") - at("1@"), 20_000);
}

#[test]
fn break_goes_on_after_the_time_that_passed_and_is_marked() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30), key(100), packet(160)]);
    let broke = Event::Discontinuity(Break::Back { track: VIDEO });
    let told = run.push_at([broke], Duration::from_secs(2));
    let of_video = lane(&told, 0);
    // The last picture gets its end, then a group of a marker alone.
    assert_eq!(of_video[0], "0@3370033 4");
    assert_eq!(of_video[1..5], ["end 0", "group 0", "0@3370033 4", "end 0"]);
    let told = run.push_at([delta(0), key(1), packet(0)], Duration::from_secs(2));
    assert!(told.contains(&"group 0".to_owned()));
    let frame = told.iter().find(|told| told.starts_with("0@")).unwrap();
    let time: u64 = frame[2..].split(' ').next().unwrap().parse().unwrap();
    assert!((5_370_000..5_420_000).contains(&time), "{frame}");
}

#[test]
fn cmaf_frames_keep_ticks() {
    let config = PackagerConfig {
        format: Format::Cmaf,
        ..PackagerConfig::default()
    };
    let mut packager = Packager::new(config);
    for event in [init_event(30), key(7), delta(8), Event::FragmentEnd] {
        packager.push(event, Duration::ZERO).unwrap();
    }
    let outputs = std::iter::from_fn(|| packager.pop());
    let frame = outputs.filter_map(|output| match output {
        Output::Frame { payload, .. } => Some(payload),
        _ => None,
    });
    let samples = cmaf::decode(&frame.last().unwrap(), &init("avc1", 30)).unwrap();
    let seen: Vec<_> = samples
        .iter()
        .map(|sample| (sample.dts, sample.is_key))
        .collect();
    assert_eq!(seen, [(7_007, true), (8_008, false)]);
}

#[test]
fn no_track_ever_goes_back() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30), key(300), packet(500)]);
    // Video breaks and goes on far ahead, sound does not.
    let broke = Event::Discontinuity(Break::Jump { track: VIDEO });
    let told = run.push([broke, key(3_000), packet(501), packet(502), key(3_001)]);
    for track in 0..2 {
        let frames = lane(&told, track)
            .into_iter()
            .filter(|told| told.contains('@'));
        let times = frames.map(|frame| frame.split(['@', ' ']).nth(1).unwrap().parse::<u64>());
        let times: Vec<u64> = times.map(Result::unwrap).collect();
        assert!(times.len() > 2 && times.is_sorted(), "{track}: {times:?}");
    }
}
