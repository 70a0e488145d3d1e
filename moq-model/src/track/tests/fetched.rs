//! Groups that are fetched beside a live track.

use super::*;
use crate::budget::Feeder;
use crate::platform::clock;
use crate::session::{FetchRequest, RequestQueue, TrackFeed};
use crate::{Fetch, GroupConsumer};

const MIB: usize = 1 << 20;

/// A track that a peer feeds, and what the peer is asked for.
struct Fed {
    track: TrackFeed,
    consumer: TrackConsumer,
    queue: RequestQueue,
    _source: RequestSource,
}

fn fed(feeder: Feeder) -> Fed {
    let (source, mut queue) = RequestSource::new(feeder);
    let broadcast = source.broadcast(&"room".parse().unwrap());
    let consumer = broadcast.track("t").unwrap();
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for")
    };
    request.track.accept(Track::new("t").info);
    request.track.set_start(0);
    Fed {
        track: request.track,
        consumer,
        queue,
        _source: source,
    }
}

impl Fed {
    /// A finished group of the live track.
    fn put(&self, sequence: u64) {
        let mut group = self.track.create(sequence).unwrap();
        group.append_at(sequence, vec![0; MIB]).unwrap();
        group.finish();
    }

    /// A group that the peer was asked for and answers with so many bytes.
    fn fetch(&mut self, sequence: u64, bytes: usize) -> (GroupConsumer, FetchRequest) {
        let group = now(self.consumer.fetch(Fetch::new(sequence))).unwrap();
        let Request::Fetch(mut request) = now(self.queue.next()) else {
            panic!("the group is asked for")
        };
        let _ = request.group.append_at(0, vec![0; bytes]);
        (group, request)
    }
}

fn count(reader: &mut TrackReader) -> usize {
    std::iter::from_fn(|| next_now(reader)).count()
}

#[test]
fn fetches_that_nobody_reads_leave_the_live_history_three_quarters() {
    let budget = Budget::new(64 << 20);
    let mut fed = fed(budget.feeder());
    for sequence in 0..47 {
        fed.put(sequence);
    }
    let fetched: Vec<_> = (1_000..1_060).map(|at| fed.fetch(at, MIB)).collect();
    let mut reader = fed.consumer.subscribe(oldest());
    assert_eq!(count(&mut reader), 47);
    drop(fetched);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_pause_counts_live_groups_only() {
    let mut fed = fed(Budget::default().feeder());
    let mut reader = fed.consumer.subscribe(oldest());
    assert!(next(&mut reader).is_none());
    let fetched = fed.fetch(5_000, 9 * MIB);
    for sequence in 0..17 {
        fed.put(sequence);
    }
    fed.track.ready_for(17).await;
    // Half of 16 MiB, by groups of a little more than 1 MiB.
    assert_eq!(count(&mut reader), 7);
    drop(fetched);
}

#[tokio::test(start_paused = true)]
async fn reading_a_fetch_does_not_prolong_a_pause() {
    let fed = fed(Budget::default().feeder());
    let mut reader = fed.consumer.subscribe(oldest());
    assert!(next(&mut reader).is_none());
    let mut first = fed.track.create(0).unwrap();
    for _ in 0..100 {
        first.append_at(0, "x").unwrap();
    }
    first.finish();
    for sequence in 1..18 {
        fed.put(sequence);
    }
    let mut fetched = fed.consumer.fetch(Fetch::new(0)).await.unwrap();
    let begun = clock::now();
    let read_slowly = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1_900)).await;
            fetched.next().await;
        }
    };
    tokio::select! {
        () = fed.track.ready_for(18) => {}
        () = read_slowly => {}
    }
    assert_eq!(clock::now().duration_since(begun), 2 * SECOND);
}
