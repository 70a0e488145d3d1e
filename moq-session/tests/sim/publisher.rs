//! The publisher: tracks with groups at an interval, in one life after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use moq_session::{Abort, BroadcastProducer, OriginProducer, Track, TrackProducer};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::content::{Place, payload, shape};
use crate::judge::End;
use crate::log::Kind;
use crate::world::{PATH, Phase, World};

/// What a publisher remembers from one life to the next.
#[derive(Debug, Default)]
pub struct Lives {
    epoch: u64,
    hop: u64,
    /// The next group of each track.
    next: BTreeMap<usize, u64>,
}

/// One life.
#[derive(Debug, Clone)]
pub struct Life {
    epoch: u64,
    next: BTreeMap<usize, u64>,
}

impl Lives {
    /// Another life begins: under the name of the last one, whose groups go on, or as somebody else.
    pub fn begin(&mut self, which: u64) -> u64 {
        let is_same = self.epoch > 0 && (which >> 8).is_multiple_of(2);
        if !is_same {
            self.epoch += 1;
            self.hop += 100;
            self.next.clear();
        }
        self.hop
    }

    pub fn current(&self) -> Life {
        Life {
            epoch: self.epoch,
            next: self.next.clone(),
        }
    }

    pub fn published(&mut self, track: usize, next: u64) {
        self.next.insert(track, next);
    }
}

pub async fn run(world: World, origin: OriginProducer, life: Life) {
    let broadcast = BroadcastProducer::new();
    let mut tasks = JoinSet::new();
    for (track, plan) in world.plan.tracks.iter().enumerate() {
        let max_age = Duration::from_millis(plan.max_age);
        let properties = Track::new(name(track)).with_max_age(max_age);
        let producer = broadcast
            .create(properties)
            .expect("tracks have names of their own");
        tasks.spawn(publish(world.clone(), producer, track, life.clone()));
    }
    let path = PATH.parse().expect("it is a path");
    let _publication = origin.publish(&path, broadcast.consume());
    while tasks.join_next().await.is_some() {}
    std::future::pending().await
}

pub fn name(track: usize) -> String {
    format!("track-{track}")
}

async fn publish(world: World, producer: TrackProducer, track: usize, life: Life) {
    let interval = world.plan.tracks[track].interval;
    let mut next = life.next.get(&track).copied().unwrap_or_default();
    while *world.phase.borrow() < Phase::Closing {
        let shape = shape(life.epoch, track as u64, next);
        // Later on, readers that wait for it would be behind the live edge with good reason.
        let may_be_lost = *world.phase.borrow() == Phase::Faults;
        if shape.is_missing && may_be_lost {
            next += 1;
            continue;
        }
        world.published(track, next + 1);
        let has_datagrams = world.plan.tracks[track].has_datagrams;
        if shape.is_datagram && has_datagrams && may_be_lost {
            datagram(&world, &producer, track, life.epoch, next);
            sleep(Duration::from_millis(interval * 3 / 4)).await;
        } else {
            group(&world, &producer, track, life.epoch, next).await;
        }
        next += 1;
        sleep(Duration::from_millis(interval / 4)).await;
    }
    world.judge.finish(life.epoch, track as u64);
    producer.finish();
}

/// A group of one frame, which may be too large for a datagram.
fn datagram(world: &World, producer: &TrackProducer, track: usize, epoch: u64, group: u64) {
    let (judge, id, timestamp) = (&world.judge, track as u64, world.net.now());
    world
        .net
        .note(Kind::Publish, [epoch, id, group, 1 << 32], || {
            format!("track {track}, group {group} of epoch {epoch}: a datagram")
        });
    judge.begin(epoch, id, group, true);
    judge.append(epoch, id, group, timestamp);
    let place = Place {
        epoch,
        track: id,
        group,
        index: 0,
    };
    producer
        .create_datagram(group, timestamp, payload(place))
        .expect("numbers go up");
    judge.end(epoch, id, group, End::Finished);
}

async fn group(world: &World, producer: &TrackProducer, track: usize, epoch: u64, number: u64) {
    let (judge, id) = (&world.judge, track as u64);
    let shape = shape(epoch, id, number);
    let values = [epoch, id, number, shape.frames];
    world.net.note(Kind::Publish, values, || {
        format!("track {track}, group {number} of epoch {epoch}: {shape:?}")
    });
    judge.begin(epoch, id, number, false);
    let mut group = producer.create(number).expect("numbers go up");
    let pause = world.plan.tracks[track].interval * 3 / 4 / shape.frames.max(1);
    for index in 0..shape.frames {
        let timestamp = world.net.now();
        judge.append(epoch, id, number, timestamp);
        let place = Place {
            epoch,
            track: id,
            group: number,
            index,
        };
        group
            .append_at(timestamp, payload(place))
            .expect("the newest group takes frames");
        sleep(Duration::from_millis(pause)).await;
    }
    if shape.is_aborted {
        judge.end(epoch, id, number, End::Aborted);
        group.abort(Abort::Application(7));
    } else {
        judge.end(epoch, id, number, End::Finished);
        group.finish();
    }
}
