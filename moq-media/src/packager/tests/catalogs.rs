use super::*;

#[test]
fn catalog_says_what_a_player_needs() {
    let mut run = Run::new(Format::Legacy);
    let mut events = vec![init_event(30)];
    events.extend((0..30).map(|at| if at == 0 { key(at) } else { delta(at) }));
    events.extend([packet(0), Event::FragmentEnd]);
    run.push(events);
    let catalog = &run.catalogs[0];
    let video = &catalog.video["video0"];
    assert_eq!(video.codec, "avc1.42c01e");
    assert_eq!(video.container, Container::Legacy);
    assert_eq!(
        video.description.as_ref().unwrap()[..4],
        [1, 0x42, 0xc0, 0x1e]
    );
    assert_eq!(video.framerate, Some(29.97));
    assert_eq!(video.jitter, Some(1_001), "the fragment came in one piece");
    let audio = &catalog.audio["audio0"];
    assert_eq!((audio.sample_rate, audio.channels), (48_000, 2));
    assert_eq!((audio.jitter, audio.description.as_ref()), (Some(20), None));
}

#[test]
fn catalog_is_told_once_a_second_at_most() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30)]);
    for at in 0..300 {
        let picture = if at == 0 { key(at) } else { delta(at) };
        run.push([picture, packet(at), Event::FragmentEnd]);
    }
    assert!(
        (2..=10).contains(&run.catalogs.len()),
        "{}",
        run.catalogs.len()
    );
    let jitters = run
        .catalogs
        .iter()
        .map(|catalog| catalog.video["video0"].jitter);
    assert!(jitters.clone().is_sorted() && jitters.min() > Some(Some(0)));
}

#[test]
fn other_configuration_gets_another_name_in_one_update() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30), key(0), packet(0), Event::FragmentEnd]);
    let broke = Event::Discontinuity(Break::NewInit);
    let told = run.push([broke, init_event(31), key(1), packet(1)]);
    let catalogs: Vec<_> = told
        .iter()
        .filter(|told| told.starts_with("catalog"))
        .collect();
    assert_eq!(catalogs, ["catalog [\"video1\", \"audio0\"]"]);
    assert_eq!(lane(&told, 0).last().unwrap(), "finish 0");
    assert_eq!(lane(&told, 2)[..2], ["open 2 video1", "group 2"]);
    let at = |text: &str| told.iter().position(|told| told.starts_with(text)).unwrap();
    assert!(
        at("finish 0") < at("catalog") && at("catalog") < at("2@"),
        "{told:?}"
    );
}

#[test]
fn parameter_sets_in_the_stream_keep_the_track() {
    let mut run = Run::new(Format::Legacy);
    let init = |level| Event::Init(init("avc3", level));
    let told = run.push([init(30), key(0), packet(0), Event::FragmentEnd]);
    // Start codes: the sets of the moov stand in front of the key frame, and a byte of time.
    assert!(
        told.contains(&format!("0@0 {}", 1 + (4 + 4) + (4 + 2) + (4 + 2))),
        "{told:?}"
    );
    assert_eq!(run.catalogs[0].video["video0"].description, None);
    let told = run.push([Event::Discontinuity(Break::NewInit), init(31), key(1)]);
    assert!(
        !told.iter().any(|told| told.starts_with("open")),
        "{told:?}"
    );
    assert_eq!(run.catalogs[1].video["video0"].codec, "avc3.42c01f");
}

#[test]
fn cmaf_has_a_frame_per_fragment_that_never_spans_groups() {
    let mut run = Run::new(Format::Cmaf);
    let told = run.push([
        init_event(30),
        key(0),
        delta(1),
        key(2),
        packet(0),
        packet(1),
        Event::FragmentEnd,
    ]);
    let frames = |track| {
        let lane = lane(&told, track).into_iter();
        lane.filter(|told| told.contains('@')).collect::<Vec<_>>()
    };
    assert_eq!((frames(0).len(), frames(1).len()), (2, 1), "{told:?}");
    assert!(frames(0)[0].starts_with("0@0 ") && frames(0)[1].starts_with("0@2002 "));
    assert!(frames(1)[0].starts_with("1@0 "));
    let Container::Cmaf { init } = &run.catalogs[0].video["video0"].container else {
        panic!("the rendition is cmaf");
    };
    assert_eq!(Init::read(init).unwrap().tracks.len(), 1);
}

#[test]
fn input_without_a_track_that_can_be_published_is_an_error() {
    let mut init = (*init("avc1", 30)).clone();
    init.tracks.clear();
    init.skipped = vec![(7, "a track of tmcd is not published".to_owned())];
    let mut packager = Packager::new(PackagerConfig::default());
    let error = packager
        .push(Event::Init(Arc::new(init)), Duration::ZERO)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no track can be published: track 7: a track of tmcd is not published"
    );
}
