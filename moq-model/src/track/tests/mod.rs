//! Groups, readers, expiry and pressure of one track.

mod aside;
mod fetch;
mod fetched;
mod findings;
mod hasty;
mod latest;
mod ordered;
mod paid;
mod pressure;
mod reading;
mod room;
mod told;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::session::{Request, RequestSource, TrackFeed};
use crate::{
    Abort, BroadcastProducer, Budget, GroupEnd, GroupRead, NextGroup, ReadError, Start,
    Subscription, Track, TrackConsumer, TrackProducer, TrackRead, TrackReader, WriteError,
};

const SECOND: Duration = Duration::from_secs(1);

fn track(track: Track) -> (TrackProducer, TrackConsumer) {
    let producer = BroadcastProducer::new().create(track).unwrap();
    let consumer = producer.consume();
    (producer, consumer)
}

/// A track that a peer feeds.
fn fed_track() -> (TrackFeed, TrackConsumer) {
    let (source, mut queue) = RequestSource::new(Budget::default().feeder());
    let broadcast = source.broadcast(&"room".parse().unwrap());
    let consumer = broadcast.track("t").unwrap();
    let Request::Track(request) = now(queue.next()) else {
        panic!("the track is asked for")
    };
    request.track.accept(Track::new("t").info);
    (request.track, consumer)
}

/// Writes the next group with one frame at each of `timestamps`.
fn group(track: &TrackProducer, timestamps: &[u64]) {
    let mut group = track.append().unwrap();
    for &timestamp in timestamps {
        group.append_at(timestamp, "x").unwrap();
    }
    group.finish();
}

/// Appends a finished group of one frame.
fn fill(producer: &TrackProducer, timestamp: u64, bytes: usize) {
    let mut group = producer.append().unwrap();
    group.append_at(timestamp, vec![0; bytes]).unwrap();
    group.finish();
}

fn oldest() -> Subscription {
    Subscription::default().with_start(Start::OLDEST)
}

/// Waits for nothing: what is not there now is a failure.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it would wait"),
    }
}

fn is_pending<F: Future>(future: F) -> bool {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    future.as_mut().poll(&mut cx).is_pending()
}

/// What the reader has now.
fn next(reader: &mut TrackReader) -> Option<NextGroup> {
    let cx = Context::from_waker(Waker::noop());
    match reader.poll_next(&cx) {
        Poll::Ready(next) => next.unwrap(),
        Poll::Pending => None,
    }
}

/// The next group that the reader has now, whatever is lost.
fn next_now(reader: &mut TrackReader) -> Option<crate::GroupConsumer> {
    loop {
        match next(reader)? {
            NextGroup::Group(group) => return Some(group),
            NextGroup::Lost { .. } => {}
        }
    }
}

/// What the reader is told now of groups that are lost.
fn losses(reader: &mut TrackReader) -> Vec<(std::ops::Range<u64>, Abort)> {
    let mut losses = Vec::new();
    while let Some(next) = next(reader) {
        if let NextGroup::Lost { groups, cause } = next {
            losses.push((groups, cause));
        }
    }
    losses
}
