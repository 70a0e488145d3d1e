//! Groups by sequence.

use super::*;
use crate::session::{FetchRequest, Request, RequestQueue, RequestSource, TrackFeed};
use crate::{Fetch, GroupConsumer, TrackInfo};

/// The payloads that are there now, and how the group ended if it has.
fn read(group: &mut GroupConsumer) -> (Vec<String>, Option<GroupEnd>) {
    let cx = Context::from_waker(Waker::noop());
    let mut frames = Vec::new();
    loop {
        match group.poll_next(&cx) {
            Poll::Ready(GroupRead::Frame(frame)) => {
                frames.push(String::from_utf8(frame.payload.to_vec()).unwrap());
            }
            Poll::Ready(GroupRead::End(end)) => return (frames, Some(end)),
            Poll::Pending => return (frames, None),
        }
    }
}

fn texts(frames: &[&str]) -> Vec<String> {
    frames.iter().map(|&frame| frame.to_owned()).collect()
}

fn finished(frames: &[&str]) -> (Vec<String>, Option<GroupEnd>) {
    (texts(frames), Some(GroupEnd::Finished))
}

#[test]
fn a_group_is_fetched_while_it_grows() {
    let (producer, consumer) = track(Track::new("t"));
    let mut growing = producer.append().unwrap();
    let mut group = now(consumer.fetch(Fetch::new(0))).unwrap();
    assert_eq!(read(&mut group), (texts(&[]), None), "it has no frame yet");
    growing.append_at(1, "a").unwrap();
    assert_eq!(read(&mut group), (texts(&["a"]), None));
    growing.append_at(2, "b").unwrap();
    growing.finish();
    assert_eq!(read(&mut group), finished(&["b"]));
    let mut again = now(consumer.fetch(Fetch::new(0))).unwrap();
    assert_eq!(read(&mut again), finished(&["a", "b"]));
}

#[test]
fn frames_are_counted_from_the_start_of_the_group() {
    let (producer, consumer) = track(Track::new("t"));
    let mut group = producer.append().unwrap();
    for frame in ["a", "b", "c"] {
        group.append_at(1, frame).unwrap();
    }
    let some = |fetch| read(&mut now(consumer.fetch(fetch)).unwrap());
    assert_eq!(
        some(Fetch::new(0).with_first_frame(1).with_end_frame(2)),
        finished(&["b"])
    );
    assert_eq!(
        some(Fetch::new(0).with_first_frame(1)),
        (texts(&["b", "c"]), None)
    );
    assert_eq!(some(Fetch::new(0).with_first_frame(7)), (texts(&[]), None));
    group.finish();
    assert_eq!(some(Fetch::new(0).with_first_frame(7)), finished(&[]));
    assert_eq!(
        some(Fetch::new(0).with_first_frame(2).with_end_frame(9)),
        finished(&["c"])
    );
    assert_eq!(
        some(Fetch::new(0).with_first_frame(2).with_end_frame(1)),
        finished(&[])
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let (producer, consumer) = track(Track::new("t"));
    group(&producer, &[1]);
    let error = now(consumer.fetch(Fetch::new(1))).unwrap_err();
    assert_eq!(error, ReadError::NoGroup(1));
}

#[test]
fn what_is_evicted_while_it_is_read_says_so() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(3_700));
    let producer = broadcast.create(Track::new("t")).unwrap();
    let consumer = producer.consume();
    let mut first = producer.append().unwrap();
    first.append_at(1, vec![0; 1_000]).unwrap();
    let mut group = now(consumer.fetch(Fetch::new(0))).unwrap();
    let mut second = producer.append().unwrap();
    second.append_at(1, vec![0; 2_900]).unwrap();
    assert_eq!(
        read(&mut group),
        (texts(&[]), Some(GroupEnd::Aborted(Abort::Evicted)))
    );
}

/// A track that a source feeds, and the queue of that source.
fn fed() -> (TrackFeed, TrackConsumer, RequestQueue) {
    let (source, mut queue) = RequestSource::new(Budget::new(100_000).feeder());
    let consumer = source.broadcast(&"room".parse().unwrap()).track("t");
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for first")
    };
    request.track.accept(TrackInfo::default());
    (request.track, consumer.unwrap(), queue)
}

fn requested(queue: &mut RequestQueue) -> FetchRequest {
    match now(queue.next()) {
        Request::Fetch(request) => request,
        Request::Track(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_source_is_asked_for_what_is_not_held() {
    let (producer, consumer, mut queue) = fed();
    let mut reader = consumer.subscribe(oldest());
    producer.set_start(5);
    let mut live = producer.create(5).unwrap();
    live.append_at(1, "live").unwrap();
    let mut held = now(consumer.fetch(Fetch::new(5))).unwrap();
    assert_eq!(read(&mut held), (texts(&["live"]), None));

    let mut group = now(consumer.fetch(Fetch::new(2).with_priority(9))).unwrap();
    let mut request = requested(&mut queue);
    assert_eq!((&*request.track, request.fetch.priority), ("t", 9));
    let mut shared = now(consumer.fetch(Fetch::new(2).with_first_frame(1))).unwrap();
    assert!(is_pending(queue.next()), "one request serves both");
    request.group.append_at(1, "a").unwrap();
    request.group.append_at(2, "b").unwrap();
    assert_eq!(read(&mut group), (texts(&["a", "b"]), None));
    request.group.finish();
    assert_eq!(read(&mut shared), finished(&["b"]));

    assert_eq!(next_now(&mut reader).unwrap().sequence(), 5);
    assert!(
        next_now(&mut reader).is_none(),
        "fetched groups are not live"
    );
}

#[test]
fn a_request_for_part_of_a_group_does_not_serve_the_whole() {
    let (_producer, consumer, mut queue) = fed();
    let mut part =
        now(consumer.fetch(Fetch::new(2).with_first_frame(1).with_end_frame(3))).unwrap();
    let mut whole = now(consumer.fetch(Fetch::new(2))).unwrap();
    let mut first = requested(&mut queue);
    let second = requested(&mut queue);
    assert_eq!(
        (first.fetch.first_frame, first.fetch.end_frame),
        (1, Some(3))
    );
    assert_eq!(second.fetch.first_frame, 0);
    first.group.append_at(1, "b").unwrap();
    first.group.append_at(1, "c").unwrap();
    assert_eq!(read(&mut part), finished(&["b", "c"]));
    drop(second);
    let lost = GroupEnd::Aborted(Abort::Internal);
    assert_eq!(read(&mut whole), (texts(&[]), Some(lost)));
}

#[test]
fn a_request_that_nobody_reads_is_over() {
    let (_producer, consumer, mut queue) = fed();
    let group = now(consumer.fetch(Fetch::new(2))).unwrap();
    let request = requested(&mut queue);
    assert!(is_pending(request.unused()));
    drop(group);
    now(request.unused());
    let _group = now(consumer.fetch(Fetch::new(2))).unwrap();
    requested(&mut queue);
}

#[test]
fn what_is_fetched_takes_only_what_the_budget_has_left() {
    let (source, mut queue) = RequestSource::new(Budget::new(10_000).feeder());
    let consumer = source
        .broadcast(&"room".parse().unwrap())
        .track("t")
        .unwrap();
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for first")
    };
    request.track.accept(TrackInfo::default());
    let mut live = request.track.create(7).unwrap();
    live.append_at(1, vec![0; 5_000]).unwrap();
    let mut group = now(consumer.fetch(Fetch::new(2))).unwrap();
    let mut fetched = requested(&mut queue);
    fetched.group.append_at(1, vec![0; 4_000]).unwrap();
    let error = fetched.group.append_at(1, vec![0; 4_000]).unwrap_err();
    assert_eq!(error, WriteError::Dropped);
    assert_eq!(
        read(&mut group),
        (texts(&[]), Some(GroupEnd::Aborted(Abort::Evicted)))
    );
    assert!(live.append_at(1, vec![0; 10]).is_ok(), "live groups stay");
    drop((group, fetched));
    let mut group = now(consumer.fetch(Fetch::new(2))).unwrap();
    let mut fetched = requested(&mut queue);
    fetched.group.append_at(1, vec![0; 4_000]).unwrap();
    assert_eq!(read(&mut group).0.len(), 1, "the bytes were given back");
}

#[test]
fn a_source_that_is_gone_ends_the_group() {
    let (_producer, consumer, mut queue) = fed();
    let mut before = now(consumer.fetch(Fetch::new(2))).unwrap();
    let unsent = now(consumer.fetch(Fetch::new(3))).unwrap();
    let request = requested(&mut queue);
    drop((queue, unsent));
    assert!(read(&mut before).1.is_none(), "it is being answered");
    drop(request);
    assert!(read(&mut before).1.is_some());
    let mut after = now(consumer.fetch(Fetch::new(4))).unwrap();
    let unroutable = GroupEnd::Aborted(Abort::Unroutable);
    assert_eq!(read(&mut after), (texts(&[]), Some(unroutable)));
}

#[test]
fn a_datagram_is_a_group_of_one_frame() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest());
    producer.append_datagram(5, "a").unwrap();
    group(&producer, &[6]);
    producer.create_datagram(9, 7, "b").unwrap();
    let duplicate = producer.create_datagram(9, 7, "b").unwrap_err();
    assert_eq!(duplicate, WriteError::Duplicate);
    assert_eq!(producer.next_sequence(), 10);
    let mut groups = Vec::new();
    while let Some(mut group) = next_now(&mut reader) {
        groups.push((group.sequence(), group.is_datagram()));
        assert_eq!(read(&mut group).1, Some(GroupEnd::Finished));
    }
    groups.sort_unstable();
    assert_eq!(groups, [(0, true), (1, false), (9, true)]);
}
