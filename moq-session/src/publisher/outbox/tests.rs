use std::sync::atomic::{AtomicUsize, Ordering};

use moq_wire::Version;

use super::*;
use crate::memory::{MemoryConnection, memory_pair};

/// Counts how often somebody is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody who asks for streams.
struct Asker {
    asking: Asking<MemoryConnection>,
    wakes: Arc<Wakes>,
}

impl Asker {
    fn new(outbox: &Arc<Outbox<MemoryConnection>>) -> Self {
        Self {
            asking: Asking::new(outbox.clone()),
            wakes: Arc::default(),
        }
    }

    fn poll(&mut self, priority: u8, is_older: bool) -> bool {
        let waker = Waker::from(self.wakes.clone());
        let cx = TaskContext::from_waker(&waker);
        let polled = self.asking.poll_stream(&cx, priority, is_older);
        polled.map(|stream| drop(stream.unwrap())).is_ready()
    }

    fn was_woken(&self) -> bool {
        self.wakes.0.swap(0, Ordering::Relaxed) > 0
    }
}

/// An outbox whose peer allows so many streams, and that peer.
fn outbox(credit: usize) -> (Arc<Outbox<MemoryConnection>>, MemoryConnection) {
    let (ours, theirs) = memory_pair(Version::Lite06);
    theirs.allow_uni(credit);
    (Outbox::new(ours), theirs)
}

#[test]
fn nobody_waits_while_there_is_credit() {
    let (outbox, _theirs) = outbox(4);
    let (mut low, mut high) = (Asker::new(&outbox), Asker::new(&outbox));
    for _ in 0..2 {
        assert!(low.poll(1, true));
        assert!(high.poll(9, false));
    }
    assert!(outbox.lock().queue.is_empty());
}

#[test]
fn a_stream_goes_to_whoever_is_first_by_then() {
    let (outbox, theirs) = outbox(0);
    let (mut low, mut high) = (Asker::new(&outbox), Asker::new(&outbox));
    assert!(!low.poll(1, false));
    assert!(!high.poll(9, true));
    theirs.allow_uni(1);
    assert!(high.was_woken() && !low.was_woken());
    assert!(!low.poll(1, false), "it is not its turn");
    assert!(high.poll(9, true));
    high.asking.leave();
    assert!(low.was_woken(), "it is first now");
    assert!(!low.poll(1, false), "the credit is used up");
    theirs.allow_uni(2);
    assert!(low.was_woken());
    assert!(low.poll(1, false));
}

#[test]
fn one_that_has_more_to_send_stays_ahead_of_those_below() {
    let (outbox, theirs) = outbox(0);
    let (mut low, mut high) = (Asker::new(&outbox), Asker::new(&outbox));
    assert!(!low.poll(1, false));
    assert!(!high.poll(9, false));
    theirs.allow_uni(2);
    assert!(high.poll(9, false));
    assert!(high.poll(9, true));
    assert!(!high.poll(9, true), "the credit is used up");
    assert!(!low.was_woken());
    theirs.allow_uni(3);
    assert!(!low.poll(1, false));
    assert!(high.poll(9, true));
    high.asking.leave();
    assert!(low.was_woken());
}

#[test]
fn newest_groups_go_before_older_ones_of_the_same_priority() {
    let (outbox, theirs) = outbox(0);
    let (mut old, mut new) = (Asker::new(&outbox), Asker::new(&outbox));
    assert!(!old.poll(5, true));
    assert!(!new.poll(5, false));
    theirs.allow_uni(1);
    assert!(!old.poll(5, true));
    assert!(new.poll(5, false));
    new.asking.leave();
    assert!(old.was_woken());
    assert!(!old.poll(5, true), "the credit is used up");
    assert!(!new.poll(5, true), "it has had its turn");
    theirs.allow_uni(2);
    assert!(old.was_woken());
    assert!(old.poll(5, true));
}

#[test]
fn a_changed_wish_changes_the_place() {
    let (outbox, theirs) = outbox(0);
    let (mut a, mut b) = (Asker::new(&outbox), Asker::new(&outbox));
    assert!(!a.poll(5, false));
    assert!(!b.poll(3, false));
    assert!(!a.poll(2, false));
    assert!(b.was_woken(), "it is first now");
    assert!(!b.poll(3, false));
    theirs.allow_uni(1);
    assert!(b.was_woken() && !a.was_woken());
    assert!(b.poll(3, false));
}

#[test]
fn whoever_leaves_passes_the_turn_on() {
    let (outbox, theirs) = outbox(0);
    let (mut first, mut second) = (Asker::new(&outbox), Asker::new(&outbox));
    assert!(!first.poll(5, false));
    assert!(!second.poll(5, false));
    theirs.allow_uni(1);
    assert!(first.was_woken() && !second.was_woken());
    drop(first);
    assert!(second.was_woken(), "the credit is its own");
    assert!(second.poll(5, false));
    drop(second);
    assert!(outbox.lock().queue.is_empty());
}

#[test]
fn a_stream_that_is_given_back_goes_to_the_next() {
    let (outbox, _theirs) = outbox(1);
    let (mut first, mut second) = (Asker::new(&outbox), Asker::new(&outbox));
    let cx = TaskContext::from_waker(Waker::noop());
    let Poll::Ready(Ok(stream)) = first.asking.poll_stream(&cx, 5, false) else {
        panic!("there is credit")
    };
    assert!(!second.poll(5, false));
    first.asking.give_back(stream);
    assert!(second.was_woken());
    assert!(second.poll(5, false), "no credit is needed for it");
}
