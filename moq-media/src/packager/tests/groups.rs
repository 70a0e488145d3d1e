use super::*;

#[test]
fn groups_begin_at_key_frames_and_every_half_second() {
    let mut run = Run::new(Format::Legacy);
    let mut events = vec![init_event(30), key(0), delta(1), key(2)];
    events.extend((0..26).map(packet));
    events.push(Event::FragmentEnd);
    let told = run.push(events);
    assert_eq!(
        lane(&told, 0),
        [
            "open 0 video0",
            "group 0",
            "0@0 7",
            "0@33367 10",
            "group 0",
            "0@66733 10"
        ]
    );
    let audio = lane(&told, 1);
    let groups: Vec<_> = (0..audio.len())
        .filter(|at| audio[*at] == "group 1")
        .collect();
    assert_eq!(groups.len(), 2);
    assert!(audio[groups[1] + 1].starts_with("1@500000 "), "{audio:?}");
    assert_eq!(
        told[2], "catalog [\"video0\", \"audio0\"]",
        "before any frame"
    );
}

#[test]
fn video_before_its_first_key_frame_is_left_out_and_said_once() {
    let mut run = Run::new(Format::Legacy);
    let told = run.push([
        init_event(30),
        delta(0),
        packet(0),
        delta(1),
        packet(1),
        key(2),
    ]);
    let waits: Vec<_> = told
        .iter()
        .filter(|told| told.contains("waits for a key frame"))
        .collect();
    assert_eq!(waits.len(), 1);
    assert_eq!(told[told.len() - 2..], ["group 0", "0@66733 10"]);
    assert_eq!(told.iter().filter(|told| told.starts_with("1@")).count(), 2);
}

#[test]
fn bitstream_decides_when_every_sample_is_marked() {
    let mut run = Run::new(Format::Legacy);
    let marked = [5, 1, 1, 5, 1].into_iter().enumerate();
    let events = marked.map(|(at, kind)| picture(at as i64, true, kind));
    let told = run.push([init_event(30)].into_iter().chain(events));
    assert_eq!(told.iter().filter(|told| *told == "group 0").count(), 2);
}

/// A picture that is no IDR; `has_point` says whether decoding may begin at it nevertheless.
fn without_idr(at: i64, has_point: bool) -> Event {
    let point: &[u8] = &[0, 0, 0, 4, 6, 6, 1, 0xc4];
    let point = if has_point { point } else { &[] };
    let payload = [point, &[0, 0, 0, 2, 0x41, at as u8]].concat();
    Event::Sample(Sample {
        track: VIDEO,
        dts: at * 1_001,
        pts: at * 1_001,
        duration: 1_001,
        is_key: has_point,
        payload: Bytes::from(payload).into(),
    })
}

#[test]
fn stream_without_idr_begins_at_its_second_recovery_point() {
    let mut run = Run::new(Format::Legacy);
    let pictures = (0..9).map(|at| without_idr(at, at % 3 == 0));
    let told = run.push([init_event(30)].into_iter().chain(pictures));
    let begins = lane(&told, 0);
    assert_eq!(begins[..3], ["open 0 video0", "group 0", "0@100100 18"]);
    assert_eq!(told.iter().filter(|told| *told == "group 0").count(), 2);
}

#[test]
fn missing_samples_end_the_group_of_their_track() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30), key(0), packet(0)]);
    let error = Init::read(&Bytes::new()).unwrap_err();
    let tracks = vec![VIDEO];
    let told = run.push([Event::Broken { error, tracks }, delta(1), packet(1), key(2)]);
    assert!(
        told.contains(&"a fragment is left out".to_owned()),
        "{told:?}"
    );
    assert_eq!(lane(&told, 0), ["end 0", "group 0", "0@66733 10"]);
    assert_eq!(lane(&told, 1), ["1@20000 5"], "audio goes on in its group");
}

#[test]
fn long_groups_are_warned_of_once() {
    let mut run = Run::new(Format::Legacy);
    let told = run.push([init_event(30), key(0), key(400), key(800)]);
    let warnings = told
        .iter()
        .filter(|told| told.contains("between key frames"));
    assert_eq!(warnings.count(), 1);
}

#[test]
fn end_tells_how_long_the_last_frame_lasts() {
    let mut run = Run::new(Format::Legacy);
    run.push([init_event(30), key(0)]);
    run.packager.finish().unwrap();
    let told = run.take();
    assert_eq!(lane(&told, 0), ["0@33367 4", "end 0", "finish 0"]);
    assert_eq!(lane(&told, 1), ["finish 1"]);
    let marker = legacy::encode(33_367, &Bytes::new().into()).unwrap();
    assert_eq!(marker.len(), 4);
}
