//! M4: what is held never exceeds the budget.

use super::*;
use crate::{Fetch, GroupProducer};

const MIB: usize = 1 << 20;

/// What a reader finds in the newest group of a track, in bytes, if that is whole.
fn newest_whole(track: &TrackProducer) -> Option<usize> {
    let mut reader = track.consume().subscribe(Subscription::default());
    let mut group = next_now(&mut reader)?;
    let mut bytes = 0;
    loop {
        match now(group.next()) {
            GroupRead::Frame(frame) => bytes += frame.payload.len(),
            GroupRead::End(GroupEnd::Finished) => return Some(bytes),
            GroupRead::End(_) => return None,
        }
    }
}

/// A track with one group of 25 MiB of a feeder that has nothing else.
fn modest(budget: &Budget) -> TrackProducer {
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("modest")).unwrap();
    let mut group = track.append().unwrap();
    group.append_at(0, zeros(25 * MIB)).unwrap();
    group.finish();
    track
}

#[test]
fn newest_groups_of_many_tracks_stay_within_the_budget() {
    let budget = Budget::new(256 << 20);
    let modest = modest(&budget);
    let greedy = BroadcastProducer::with_budget(budget.clone());
    let payload = zeros(32 * MIB);
    let mut tracks = Vec::new();
    for n in 0..64_u64 {
        let track = greedy.create(Track::new(n.to_string())).unwrap();
        let mut group = track.append().unwrap();
        group.append_at(0, payload.clone()).unwrap();
        group.finish();
        tracks.push(track);
        assert!(budget.used() <= 256 << 20, "{n}");
    }
    let whole: Vec<_> = tracks.iter().map(newest_whole).collect();
    assert_eq!(whole.iter().flatten().count(), 7, "231 MiB have room for 7");
    assert_eq!(whole[63], Some(32 * MIB), "whoever writes gets room");
    assert_eq!(newest_whole(&modest), Some(25 * MIB));
    assert_eq!(budget.newest_dropped(), 64 - 7);
}

#[test]
fn groups_that_are_arriving_stay_within_the_budget() {
    let budget = Budget::new(256 << 20);
    let modest = modest(&budget);
    let greedy = BroadcastProducer::with_budget(budget.clone());
    let tracks: Vec<_> = (0..64_u64)
        .map(|n| greedy.create(Track::new(n.to_string())).unwrap())
        .collect();
    let mut groups: Vec<GroupProducer> = tracks.iter().map(|t| t.append().unwrap()).collect();
    let mut refused = 0;
    for _ in 0..32 {
        for group in &mut groups {
            match group.arrive(MIB as u64) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error, WriteError::Dropped);
                    refused += 1;
                }
            }
            assert!(budget.used() <= 256 << 20);
        }
    }
    assert!(refused > 0);
    assert!(budget.used() > 200 << 20, "{}", budget.used());
    assert_eq!(newest_whole(&modest), Some(25 * MIB));
    drop(groups);
    assert!(budget.used() < 26 << 20, "what had arrived is given back");
}

#[test]
fn a_frame_that_has_arrived_is_charged_once() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    let mut group = track.append().unwrap();
    let empty = budget.used();
    group.arrive(4_000).unwrap();
    group.arrive(1_000).unwrap();
    assert_eq!(budget.used(), empty + 5_000);
    group.append_at(0, zeros(5_000)).unwrap();
    let whole = budget.used();
    assert!((empty + 5_000..empty + 5_100).contains(&whole), "{whole}");
    group.arrive(2_000).unwrap();
    group.append_at(0, zeros(10)).unwrap();
    assert!(budget.used() < whole + 100, "fewer bytes than had arrived");
    let used = budget.used();
    group.arrive(100).unwrap();
    group.finish();
    assert_eq!(budget.used(), used, "the frame did not become whole");
}

#[test]
fn a_frame_that_is_refused_leaves_no_charge_behind() {
    let budget = Budget::new(256 << 20);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    let mut group = track.append().unwrap();
    let empty = budget.used();
    group.arrive(4_000).unwrap();
    let error = group.append_at(0, zeros(33 * MIB)).unwrap_err();
    assert_eq!(error, WriteError::GroupTooLarge);
    group.append_at(0, zeros(10)).unwrap();
    group.arrive(33 * MIB as u64).unwrap_err();
    group.finish();
    let used = budget.used();
    assert!((empty..empty + 100).contains(&used), "{used}");
    drop((track, broadcast));
    assert_eq!(budget.used(), 0);
}

#[test]
fn readers_of_a_newest_group_are_told_that_it_was_cut() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let [first, second] = ["first", "second"].map(|name| {
        let track = Track::new(name);
        broadcast.create(track).unwrap()
    });
    let mut newest = first.consume().subscribe(oldest());
    let mut ordered = first.consume().subscribe(oldest()).ordered();
    let mut cut = first.append().unwrap();
    cut.append_at(0, zeros(6_000)).unwrap();
    let mut group = next_now(&mut newest).unwrap();
    assert!(matches!(now(group.next()), GroupRead::Frame(_)));
    assert_eq!(group_of(now(ordered.next()).unwrap()), 0);

    let mut greedy = second.append().unwrap();
    greedy.append_at(0, zeros(7_000)).unwrap();
    let end = GroupRead::End(GroupEnd::Aborted(Abort::Evicted));
    assert_eq!(now(group.next()), end);
    assert_eq!(now(ordered.next()).unwrap(), skipped(0..1, Abort::Evicted));
    assert_eq!(cut.append_at(0, "x").unwrap_err(), WriteError::Dropped);
    now(cut.closed());
    assert_eq!(budget.newest_dropped(), 1);
}

#[test]
fn a_fetch_makes_room_for_itself() {
    let budget = Budget::new(20_000);
    let feeder = budget.feeder();
    let (live, consumer, mut queue) = fed_by(feeder, "t");
    for n in 0..20 {
        let mut group = live.create(n).unwrap();
        group.append_at(n, zeros(2_000)).unwrap();
        group.finish();
    }
    let mut fetched = now(consumer.fetch(Fetch::new(100))).unwrap();
    let Request::Fetch(mut request) = now(queue.next()) else {
        panic!("the group is asked for")
    };
    request.group.append_at(0, zeros(10_000)).unwrap();
    request.group.finish();
    assert!(budget.used() <= budget.limit());
    assert!(matches!(now(fetched.next()), GroupRead::Frame(_)));
    assert_eq!(now(fetched.next()), GroupRead::End(GroupEnd::Finished));
    let mut reader = consumer.subscribe(oldest());
    assert_eq!(taken(&mut reader)[0], 19, "the newest stays");
}

#[test]
fn a_group_that_is_larger_than_the_budget_is_dropped() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let track = broadcast.create(Track::new("t")).unwrap();
    let mut reader = track.consume().subscribe(oldest()).ordered();
    let mut large = track.append().unwrap();
    for _ in 0..3 {
        large.append_at(0, zeros(3_000)).unwrap();
    }
    assert_eq!(group_of(now(reader.next()).unwrap()), 0);
    let error = large.append_at(0, zeros(3_000)).unwrap_err();
    assert_eq!(error, WriteError::Dropped);
    assert_eq!(now(reader.next()).unwrap(), skipped(0..1, Abort::Evicted));
    let mut huge = track.append().unwrap();
    let error = huge.append_at(0, zeros(20_000)).unwrap_err();
    assert_eq!(error, WriteError::Dropped, "one frame is larger");
    assert_eq!(now(reader.next()).unwrap(), skipped(1..2, Abort::Evicted));
    let mut next = track.append().unwrap();
    next.append_at(0, zeros(5_000)).unwrap();
    assert_eq!(group_of(now(reader.next()).unwrap()), 2);
    drop((large, huge));
    assert!(budget.used() < 6_000);
}

#[test]
fn a_budget_without_room_for_a_group_refuses_it() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(10));
    let track = broadcast.create(Track::new("t")).unwrap();
    assert_eq!(track.append().unwrap_err(), WriteError::Dropped);
    let mut reader = track.consume().subscribe(oldest());
    track.finish();
    assert!(now(reader.next()).unwrap().is_none());
}

#[test]
fn a_newest_group_goes_only_after_everything_older_of_its_feeder() {
    let budget = Budget::new(100_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let [single, deep, filling] = ["single", "deep", "filling"].map(|name| {
        let track = Track::new(name).with_max_age(60 * SECOND);
        broadcast.create(track).unwrap()
    });
    let write = |track: &TrackProducer, bytes| {
        let mut group = track.append().unwrap();
        group.append_at(0, zeros(bytes)).unwrap();
        group.finish();
    };
    write(&single, 60_000);
    for _ in 0..4 {
        write(&deep, 5_000);
    }
    write(&filling, 30_000);
    assert_eq!(budget.newest_dropped(), 0);
    assert_eq!(newest_whole(&single), Some(60_000));
    assert_eq!(newest_whole(&deep), Some(5_000));
    assert_eq!(newest_whole(&filling), Some(30_000));
}
