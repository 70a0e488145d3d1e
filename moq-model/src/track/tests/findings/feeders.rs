//! M4: whoever holds the most gives way, however many tracks that is.

use super::*;

/// Writes a group of one frame to a new track of a feeder; keeps the track.
fn write(feeder: &crate::Feeder, bytes: usize) -> (TrackFeed, TrackConsumer, RequestQueue) {
    let track = fed_by(feeder.clone(), "t");
    let mut group = track.0.create(0).unwrap();
    group.append_at(0, zeros(bytes)).unwrap();
    group.finish();
    track
}

fn is_held(track: &(TrackFeed, TrackConsumer, RequestQueue)) -> bool {
    let mut reader = track.1.subscribe(oldest());
    next_now(&mut reader).is_some()
}

#[test]
fn many_tracks_of_one_feeder_take_nothing_from_another() {
    let budget = Budget::new(100_000);
    let (honest, greedy) = (budget.feeder(), budget.feeder());
    let key_frame = write(&honest, 45_000);
    let tracks: Vec<_> = (0..50).map(|_| write(&greedy, 10_000)).collect();
    assert!(is_held(&key_frame));
    let held = tracks.iter().filter(|track| is_held(track)).count();
    assert!((4..=5).contains(&held), "{held}");
}

#[test]
fn whoever_is_above_the_share_gives_way_to_whoever_is_below() {
    let budget = Budget::new(100_000);
    let feeders = [(); 4].map(|()| budget.feeder());
    let greedy: Vec<_> = (0..9).map(|_| write(&feeders[0], 10_000)).collect();
    let modest: Vec<_> = feeders[1..].iter().map(|f| write(f, 20_000)).collect();
    assert!(modest.iter().all(is_held));
    let held = greedy.iter().filter(|track| is_held(track)).count();
    assert!((2..=3).contains(&held), "{held}");
}

#[test]
fn a_named_feeder_is_one_however_often_it_is_asked_for() {
    let budget = Budget::new(100_000);
    let honest = write(&budget.feeder_named("honest"), 45_000);
    // Each session of an identity asks anew.
    let tracks: Vec<_> = (0..50)
        .map(|_| write(&budget.feeder_named("greedy"), 10_000))
        .collect();
    assert!(is_held(&honest));
    assert!(tracks.iter().filter(|track| is_held(track)).count() <= 5);
}

#[test]
fn the_tracks_of_a_feeder_that_is_gone_still_count_as_its() {
    let budget = Budget::new(100_000);
    let greedy = budget.feeder_named("greedy");
    let tracks: Vec<_> = (0..5).map(|_| write(&greedy, 10_000)).collect();
    drop(greedy);
    let honest = write(&budget.feeder(), 40_000);
    // The same identity comes back, with another session.
    let again = write(&budget.feeder_named("greedy"), 30_000);
    assert!(is_held(&honest), "it is below its share");
    assert!(is_held(&again));
    assert!(tracks.iter().filter(|track| is_held(track)).count() <= 3);
    drop((tracks, again));
    assert!(budget.used() < 45_000, "nothing is left of it");
}

#[test]
fn broadcasts_of_this_process_are_feeders_of_their_own() {
    let budget = Budget::new(100_000);
    let [honest, greedy] = [(); 2].map(|()| BroadcastProducer::with_budget(budget.clone()));
    let key = honest.create(Track::new("video")).unwrap();
    let mut frame = key.append().unwrap();
    frame.append_at(0, zeros(45_000)).unwrap();
    let tracks: Vec<_> = (0..50)
        .map(|n| greedy.create(Track::new(n.to_string())).unwrap())
        .collect();
    for track in &tracks {
        let mut group = track.append().unwrap();
        group.append_at(0, zeros(10_000)).unwrap();
    }
    frame.append_at(1, "x").unwrap();
    frame.finish();
    let mut reader = key.consume().subscribe(oldest());
    assert_eq!(taken(&mut reader), [0]);
}
