//! A reader that comes back as often as it has to.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use moq_session::{
    AnnouncedEvent, GroupConsumer, GroupEnd, GroupRead, HopId, OrderedRead, OriginProducer,
    ReadError, Start, Subscription, TrackConsumer, TrackReader,
};
use tokio::time::sleep;

use crate::plan::{From, ReaderPlan};
use crate::publisher;
use crate::scope::{Scope, Spoken};
use crate::world::{PATH, Phase, World};

#[derive(Debug)]
pub struct Subscriber {
    world: World,
    origin: OriginProducer,
    reader: usize,
    plan: ReaderPlan,
    /// What belongs together with what is read next, whose it is, and where it goes on.
    reading: Option<Reading>,
}

#[derive(Debug)]
struct Reading {
    scope: Scope,
    publisher: Option<HopId>,
    position: Option<(u64, usize)>,
}

/// A track to read.
struct Found {
    track: TrackConsumer,
    publisher: Option<HopId>,
}

impl Subscriber {
    pub fn new(world: &World, origin: &OriginProducer, reader: usize) -> Self {
        Self {
            world: world.clone(),
            origin: origin.clone(),
            reader,
            plan: world.plan.readers[reader].clone(),
            reading: None,
        }
    }

    /// Reads until the track is over.
    pub async fn run(mut self) {
        self.world
            .judge
            .add_reader(self.reader, self.plan.track as u64);
        if let Some((at, back)) = self.plan.leaves.take() {
            let stay = Duration::from_millis(at.saturating_sub(self.world.net.now()));
            if tokio::time::timeout(stay, self.stay()).await.is_ok() {
                return self.done();
            }
            self.note("leaves", 1);
            self.reading = None;
            sleep(Duration::from_millis(back)).await;
            self.note("comes back", 2);
        }
        self.stay().await;
        self.done();
    }

    fn note(&self, what: &'static str, number: u64) {
        let reader = self.reader;
        let values = [reader as u64, number, 0, 3 << 32];
        self.world
            .judge
            .note(values, || format!("reader {reader} {what}"));
    }

    fn done(&self) {
        self.world.judge.reader_done(self.reader);
    }

    async fn stay(&mut self) {
        loop {
            let found = self.find().await;
            match self.read(found).await {
                Ok(()) => return,
                Err(error) => {
                    self.world.judge.count(|tally| tally.ended += 1);
                    let reader = self.reader;
                    let values = [reader as u64, 0, 0, 4 << 32];
                    self.world
                        .judge
                        .note(values, || format!("reader {reader}: {error}"));
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Waits until the broadcast is announced.
    async fn find(&self) -> Found {
        let path = PATH.parse().expect("it is a path");
        loop {
            let mut announced = self.origin.consume().announced(&path);
            let route = loop {
                match announced.next().await {
                    AnnouncedEvent::Start(_, route) | AnnouncedEvent::Update(_, route) => {
                        break route;
                    }
                    _ => {}
                }
            };
            let broadcast = self.origin.consume().broadcast(&path);
            let track = broadcast.and_then(|found| found.track(&publisher::name(self.plan.track)));
            if let Ok(track) = track {
                let publisher = identified(&route.hops);
                return Found { track, publisher };
            }
        }
    }

    async fn read(&mut self, found: Found) -> Result<(), ReadError> {
        let start = self.begin(&found);
        let subscription = Subscription::default()
            .from(start)
            .with_max_age(Duration::from_millis(self.plan.max_age));
        let reader = found.track.subscribe(subscription);
        found.track.info().await?;
        if self.plan.is_ordered {
            self.in_order(reader).await
        } else {
            self.newest_first(reader).await
        }
    }

    /// Goes on where the same publisher was read before, or begins anew; says where.
    fn begin(&mut self, found: &Found) -> Start {
        let (reader, publisher) = (self.reader, found.publisher);
        let hop = publisher.map_or(0, |hop| hop.0);
        let values = [reader as u64, hop, 0, 5 << 32];
        self.world.judge.note(values, || {
            let position = self
                .reading
                .as_ref()
                .map(|reading| (reading.publisher, reading.position));
            format!("reader {reader} subscribes to {publisher:?}, was at {position:?}")
        });
        if let Some(reading) = &mut self.reading
            && found.publisher.is_some()
            && reading.publisher == found.publisher
            && let Some(position) = reading.position.filter(|_| self.plan.is_ordered)
        {
            reading.scope.resume(position);
            return Start::Floor(position.0);
        }
        let (start, floor) = match self.plan.from {
            From::Newest => (Start::Newest, 0),
            From::Oldest => (Start::OLDEST, 0),
            From::Group(group) => (Start::Floor(group), group),
        };
        let links = &self.world.plan.links;
        let all = |has: fn(&moq_wire::Features) -> bool| {
            links.iter().all(|link| has(link.version.features()))
        };
        let spoken = Spoken {
            timestamps: all(|features| features.timestamps),
            ends: all(|features| features.start_end),
        };
        let track = self.plan.track as u64;
        self.reading = Some(Reading {
            scope: Scope::new(&self.world.judge, self.reader, track, floor, spoken),
            publisher: found.publisher,
            position: None,
        });
        start
    }

    async fn in_order(&mut self, reader: TrackReader) -> Result<(), ReadError> {
        let (world, think) = (self.world.clone(), self.plan.think);
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        let mut reader = reader.ordered();
        loop {
            match reader.next().await? {
                Some(OrderedRead::Frame {
                    group,
                    index,
                    frame,
                }) => {
                    reading.scope.ordered_frame(group, index as u64, &frame);
                    if index == 0 {
                        pause(&world, think).await;
                    }
                }
                Some(OrderedRead::Skipped { groups, end }) => reading.scope.skipped(groups, end),
                Some(_) => {}
                None => {
                    reading.scope.ordered_end();
                    return Ok(());
                }
            }
            reading.position = reading.position.max(reader.position());
        }
    }

    async fn newest_first(&mut self, mut reader: TrackReader) -> Result<(), ReadError> {
        let (world, think) = (self.world.clone(), self.plan.think);
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        let mut open = FuturesUnordered::new();
        let mut is_over = false;
        loop {
            tokio::select! {
                biased;
                group = reader.next_group(), if !is_over => match group? {
                    Some(group) => {
                        reading.scope.open(group.sequence());
                        open.push(next(group, 0));
                        pause(&world, think).await;
                    }
                    None => is_over = true,
                },
                Some((group, index, read)) = open.next() => match read {
                    GroupRead::Frame(frame) => {
                        reading.scope.frame(group.sequence(), index, &frame);
                        open.push(next(group, index + 1));
                    }
                    GroupRead::End(GroupEnd::Finished) => reading.scope.whole(group.sequence(), index),
                    GroupRead::End(_) => world.judge.count(|tally| tally.skipped += 1),
                },
                else => {
                    reading.scope.end();
                    return Ok(());
                }
            }
        }
    }
}

/// What comes next in a group, and at which place.
async fn next(mut group: GroupConsumer, index: u64) -> (GroupConsumer, u64, GroupRead) {
    let read = group.next().await;
    (group, index, read)
}

/// Slow readers are slow while there are faults.
async fn pause(world: &World, think: u64) {
    if think > 0 && *world.phase.borrow() == Phase::Faults {
        sleep(Duration::from_millis(think)).await;
    }
}

/// Who publishes: the first hop, unless that only stands for somebody without an id.
fn identified(hops: &[HopId]) -> Option<HopId> {
    let is_stand_in = hops.get(1).is_some_and(|hop| hop.is_anonymous());
    let first = hops.first().copied();
    first.filter(|hop| !hop.is_anonymous() && !is_stand_in)
}
