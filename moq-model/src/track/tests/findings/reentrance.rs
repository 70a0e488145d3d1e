//! M10: code of callers runs while no lock is held.

use std::sync::{Arc, Mutex};
use std::task::Wake;

use super::*;
use crate::{AnnouncedEvent, BroadcastPath, OriginProducer};

#[test]
fn a_condition_on_the_demand_may_look_at_the_track() {
    let (producer, consumer) = track(Track::new("t"));
    let reader = consumer.subscribe(oldest());
    let mut demand = producer.demand();
    assert!(is_pending(demand.wait_for(|_| reader.end() > 3)));
    for n in 0..4 {
        group(&producer, &[n]);
    }
    assert!(now(demand.wait_for(|_| reader.end() > 3)).is_ok());
}

#[test]
fn whoever_takes_frames_may_read_the_same_track() {
    let (producer, consumer) = track(Track::new("t"));
    let mut reader = consumer.subscribe(oldest());
    group(&producer, &[0, 1, 2]);
    let mut outer = next_now(&mut reader).unwrap();
    let cx = Context::from_waker(Waker::noop());
    let mut seen = Vec::new();
    let polled = outer.poll_frames(&cx, 8, |frame| {
        let mut again = consumer.subscribe(oldest());
        let mut inner = next_now(&mut again).unwrap();
        let mut frames = 0;
        let _ = inner.poll_frames(&cx, 8, |_| frames += 1);
        seen.push((frame.timestamp, frames, reader.end()));
    });
    assert_eq!(polled, Poll::Ready(None));
    assert_eq!(seen, [(0, 3, 1), (1, 3, 1), (2, 3, 1)]);
}

/// Runs a function when it is woken.
struct OnWake<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn on_wake(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(OnWake(wake)))
}

#[test]
fn a_task_that_is_woken_may_poll_at_once() {
    let (producer, consumer) = track(Track::new("t"));
    let reader = Arc::new(Mutex::new(consumer.subscribe(oldest())));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let waker = on_wake({
        let (reader, taken) = (reader.clone(), taken.clone());
        move || {
            let group = next_now(&mut reader.lock().unwrap());
            taken.lock().unwrap().extend(group.map(|g| g.sequence()));
        }
    });
    let mut cx = Context::from_waker(&waker);
    assert!(reader.lock().unwrap().poll_next(&cx).is_pending());
    group(&producer, &[0]);
    assert_eq!(*taken.lock().unwrap(), [0]);

    let demand = Mutex::new(producer.demand());
    let waker = on_wake(move || {
        let _ = demand.lock().unwrap().current();
    });
    cx = Context::from_waker(&waker);
    let mut watch = producer.demand();
    let mut wait = std::pin::pin!(watch.wait_for(|demand| demand.is_none()));
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    drop(reader);
    let waker = on_wake(|| {});
    assert!(wait.poll(&mut Context::from_waker(&waker)).is_pending());
}

#[test]
fn a_follower_that_is_woken_may_ask_the_origin_at_once() {
    let origin = OriginProducer::new();
    let consumer = origin.consume();
    let announced = Arc::new(Mutex::new(consumer.announced(&BroadcastPath::root())));
    let events = Arc::new(Mutex::new(Vec::new()));
    let waker = on_wake({
        let (announced, events) = (announced.clone(), events.clone());
        move || {
            events
                .lock()
                .unwrap()
                .extend(announced.lock().unwrap().try_next())
        }
    });
    let cx = Context::from_waker(&waker);
    let poll = || announced.lock().unwrap().poll_next(&cx);
    assert_eq!(poll(), Poll::Ready(AnnouncedEvent::Live));
    assert!(poll().is_pending());
    let broadcast = BroadcastProducer::new();
    let path: BroadcastPath = "room".parse().unwrap();
    let publication = origin.publish(&path, broadcast.consume());
    assert!(matches!(
        events.lock().unwrap()[..],
        [AnnouncedEvent::Start(..)]
    ));
    assert!(poll().is_pending());
    drop(publication);
    assert_eq!(events.lock().unwrap().len(), 2);
}

#[test]
fn a_source_that_is_woken_may_take_its_requests_at_once() {
    let (source, queue) = RequestSource::new(Budget::default().feeder());
    let queue = Arc::new(Mutex::new(queue));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let waker = on_wake({
        let (queue, taken) = (queue.clone(), taken.clone());
        move || {
            taken
                .lock()
                .unwrap()
                .push(now(queue.lock().unwrap().next()))
        }
    });
    let cx = Context::from_waker(&waker);
    assert!(queue.lock().unwrap().poll_next(&cx).is_pending());
    let _consumer = source.track(&"room".parse().unwrap(), "t");
    assert_eq!(taken.lock().unwrap().len(), 1);
}

/// Bytes of a caller, which uses a track when they are dropped.
struct Owned(Box<dyn Fn() + Send + Sync>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &[0; 1_000]
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A payload that looks at a track, and reads it, when it is dropped.
fn touching(track: &TrackConsumer, drops: &Arc<Mutex<usize>>) -> Bytes {
    let (track, drops) = (track.clone(), drops.clone());
    Bytes::from_owner(Owned(Box::new(move || {
        drop(next_now(&mut track.subscribe(oldest())));
        *drops.lock().unwrap() += 1;
    })))
}

#[test]
fn a_payload_that_is_dropped_may_touch_its_track() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(5_000));
    let producer = broadcast
        .create(Track::new("t").with_max_age(SECOND))
        .unwrap();
    let consumer = producer.consume();
    let drops = Arc::new(Mutex::new(0));
    let write = |timestamp| {
        let mut group = producer.append().unwrap();
        let payload = touching(&consumer, &drops);
        group.append_at(timestamp, payload).unwrap();
        group
    };
    for timestamp in 0..8 {
        write(timestamp).finish();
    }
    assert!(*drops.lock().unwrap() >= 4, "evicted");
    let late = write(100_000);
    let expired = *drops.lock().unwrap();
    assert!(expired >= 6, "expired");
    drop(late);
}

#[test]
fn a_payload_that_is_refused_may_touch_its_track() {
    let broadcast = BroadcastProducer::with_budget(Budget::new(5_000));
    let producer = broadcast
        .create(Track::new("t").with_max_age(SECOND))
        .unwrap();
    let consumer = producer.consume();
    let drops = Arc::new(Mutex::new(0));
    let mut old = producer.append().unwrap();
    old.append_at(0, "x").unwrap();
    for timestamp in [10, 10_000] {
        group(&producer, &[timestamp]);
    }
    let error = old.append_at(0, touching(&consumer, &drops)).unwrap_err();
    assert_eq!(error, WriteError::Dropped);
    assert_eq!(*drops.lock().unwrap(), 1);
    let mut large = producer.append().unwrap();
    for _ in 0..8 {
        let _ = large.append_at(10_000, touching(&consumer, &drops));
    }
    drop(large);
    assert!(*drops.lock().unwrap() >= 8);
}

#[test]
fn a_source_may_look_into_the_origin_that_it_is_announced_in() {
    let origin = OriginProducer::new();
    let feeder = origin.budget().feeder();
    let (source, _queue) = RequestSource::of_origin(origin.consume(), feeder);
    let path: BroadcastPath = "room".parse().unwrap();
    let source = crate::session::Source::Requests(source);
    let _publication = origin.announce(&path, crate::Route::local(), source, None);
    assert!(origin.consume().broadcast(&path).is_ok());
}
