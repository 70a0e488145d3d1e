//! Groups that are too old, and groups that have no room.

use super::*;

#[test]
fn a_group_is_expired_when_its_successor_began_the_age_ago() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    group(&producer, &[0]);
    group(&producer, &[100]);
    group(&producer, &[1_099]);
    // Group 0 reached until 100, which was 999 ms ago: still wanted.
    let mut reader = consumer.subscribe(oldest());
    let begun: Vec<_> = (0..3)
        .map(|_| now(reader.next_group()).unwrap().unwrap().sequence())
        .collect();
    assert_eq!(begun, [2, 1, 0]);
    let mut newest = producer.append().unwrap();
    newest.append_at(1_100, "x").unwrap();
    let mut late = consumer.subscribe(oldest());
    let begun: Vec<_> = (0..3)
        .map(|_| now(late.next_group()).unwrap().unwrap().sequence())
        .collect();
    assert_eq!(begun, [3, 2, 1], "group 0 is 1 000 ms too old by now");
}

#[test]
fn expiry_is_a_value_for_the_reader() {
    let (producer, consumer) = track(Track::new("t").with_max_age(SECOND));
    let mut reader = consumer.subscribe(oldest());
    group(&producer, &[0, 10]);
    let mut old = now(reader.next_group()).unwrap().unwrap();
    assert!(matches!(now(old.next()), GroupRead::Frame(_)));
    group(&producer, &[20]);
    group(&producer, &[5_000]);
    assert_eq!(
        now(old.next()),
        GroupRead::End(GroupEnd::Aborted(Abort::Expired))
    );
    assert_eq!(now(reader.next_group()).unwrap().unwrap().sequence(), 2);
}

#[test]
fn a_shorter_age_of_one_reader_cuts_off_that_reader_only() {
    let (producer, consumer) = track(Track::new("t").with_max_age(60 * SECOND));
    let mut patient = consumer.subscribe(oldest());
    let mut hasty = consumer.subscribe(oldest().with_max_age(Duration::ZERO));
    let mut begun = consumer.subscribe(oldest().with_max_age(Duration::ZERO));
    let mut first = producer.append().unwrap();
    first.append_at(0, "x").unwrap();
    let mut kept = now(patient.next_group()).unwrap().unwrap();
    let mut cut = now(hasty.next_group()).unwrap().unwrap();
    let mut going = now(begun.next_group()).unwrap().unwrap();
    assert!(matches!(now(going.next()), GroupRead::Frame(_)));
    group(&producer, &[1]);
    assert_eq!(
        now(cut.next()),
        GroupRead::End(GroupEnd::Aborted(Abort::Expired))
    );
    assert!(matches!(now(kept.next()), GroupRead::Frame(_)));

    // A reader that keeps up is not cut off in the middle, one that is held up is.
    first.append_at(0, "y").unwrap();
    assert!(matches!(now(going.next()), GroupRead::Frame(_)));
    let held_up = going.poll_cut(&Context::from_waker(Waker::noop()));
    assert_eq!(held_up, Poll::Ready(GroupEnd::Aborted(Abort::Expired)));
}

#[test]
fn the_budget_drops_the_oldest_groups_and_keeps_the_newest() {
    let budget = Budget::new(10_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let producer = broadcast
        .create(Track::new("t").with_max_age(60 * SECOND))
        .unwrap();
    let mut reader = producer.consume().subscribe(oldest());
    for n in 0..20 {
        let mut group = producer.append().unwrap();
        group.append_at(n, vec![0; 2_000]).unwrap();
        group.finish();
    }
    assert!(budget.used() <= budget.limit());
    let newest = next_now(&mut reader).unwrap();
    assert_eq!(newest.sequence(), 19);
    for sequence in (16..19).rev() {
        assert_eq!(next_now(&mut reader).unwrap().sequence(), sequence);
    }
    assert_eq!(losses(&mut reader), [(0..16, Abort::Evicted)]);
    let mut late = producer.consume().subscribe(oldest());
    let first = next_now(&mut late).unwrap();
    assert_eq!(late.first(), Some(16), "what was gone is not missed");
    drop((reader, late, newest, first, producer, broadcast));
    assert_eq!(budget.used(), 0);
}

fn sequences(reader: &mut TrackReader) -> Vec<u64> {
    let mut sequences = Vec::new();
    while let Some(mut group) = next_now(reader) {
        if matches!(now(group.next()), GroupRead::Frame(_)) {
            sequences.push(group.sequence());
        }
    }
    sequences
}

#[test]
fn a_greedy_track_takes_nothing_from_modest_ones() {
    let budget = Budget::new(100_000);
    let broadcast = BroadcastProducer::with_budget(budget.clone());
    let create = |name| {
        broadcast
            .create(Track::new(name).with_max_age(60 * SECOND))
            .unwrap()
    };
    let (modest, greedy) = (create("modest"), create("greedy"));
    for n in 0..10 {
        fill(&modest, n, 1_000);
    }
    for n in 0..100 {
        fill(&greedy, n, 10_000);
        assert!(budget.used() <= budget.limit());
    }
    // Whoever writes last is not the one who pays.
    fill(&modest, 10, 1_000);
    let mut readers = [&modest, &greedy].map(|track| track.consume().subscribe(oldest()));
    assert_eq!(
        sequences(&mut readers[0]).len(),
        11,
        "all of the modest one"
    );
    let kept = sequences(&mut readers[1]);
    assert_eq!(kept[0], 99, "the newest of the greedy one");
    assert!((6..9).contains(&kept.len()), "{kept:?}");
}
