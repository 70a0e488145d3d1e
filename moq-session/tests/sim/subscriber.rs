//! A reader that comes back as often as it has to.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use moq_session::{
    AnnouncedEvent, HopId, OriginProducer, ReadError, Start, Subscription, TrackConsumer,
    TrackReader,
};
use tokio::time::sleep;

use crate::plan::{From, Mode, ReaderPlan};
use crate::reads::{self, Group, Newest, Piece, Told};
use crate::scope::{Scope, Spoken};
use crate::tally::Count;
use crate::world::{PATH, Phase, World};
use crate::{in_order, latest, newest_first, publisher};

#[derive(Debug)]
pub struct Subscriber {
    world: World,
    origin: OriginProducer,
    reader: usize,
    plan: ReaderPlan,
    /// What is read in order, and goes on at the same publisher.
    reading: Option<Reading>,
}

#[derive(Debug)]
struct Reading {
    judge: in_order::InOrder,
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

    fn note(&self, what: &str, number: u64) {
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
                    self.world.judge.count(Count::EndedEarly);
                    self.note(&error.to_string(), 0);
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
        let resumed = self.resume(&found);
        let start = match (resumed, self.plan.from) {
            (Some(group), _) => Start::Floor(group),
            (None, From::Newest) => Start::Newest,
            (None, From::Oldest) => Start::OLDEST,
            (None, From::Group(group)) => Start::Floor(group),
        };
        let subscription = Subscription::default()
            .with_start(start)
            .with_max_age(Duration::from_millis(self.plan.max_age))
            .with_patience(Duration::from_millis(self.plan.max_age));
        let reader = found.track.subscribe(subscription);
        found.track.info().await?;
        match self.plan.mode {
            Mode::InOrder => {
                let scope = self.scope();
                let reading = self.reading.get_or_insert_with(|| Reading {
                    judge: in_order::InOrder::new(scope),
                    publisher: found.publisher,
                    position: None,
                });
                let pace = (&self.world, self.plan.think);
                in_order(reading, reader, pace).await
            }
            Mode::NewestFirst => self.newest_first(reader).await,
            Mode::Latest => self.latest(reader).await,
        }
    }

    /// Goes on where the same publisher was read before; says where. Else reading begins anew.
    fn resume(&mut self, found: &Found) -> Option<u64> {
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
        let is_same = |reading: &Reading| publisher.is_some() && reading.publisher == publisher;
        let reading = self.reading.take().filter(is_same);
        let mut reading = reading.filter(|reading| reading.position.is_some())?;
        let position = reading.position?;
        reading.judge.resume(position);
        self.reading = Some(reading);
        Some(position.0)
    }

    /// What is judged of a reading that begins.
    fn scope(&self) -> Scope {
        let plan = &self.world.plan;
        let all = |has: fn(&moq_wire::Features) -> bool| {
            plan.links.iter().all(|link| has(link.version.features()))
        };
        let spoken = Spoken {
            timestamps: all(|features| features.timestamps),
            ends: all(|features| features.start_end),
            resumes: plan.can_resume(),
        };
        let reader = (self.reader, self.plan.track as u64);
        let max_age = plan.shortest_age(self.plan.track);
        let floor = match self.plan.from {
            From::Newest | From::Oldest => 0,
            From::Group(group) => group,
        };
        Scope::new(&self.world.judge, reader, max_age, spoken).with_floor(floor)
    }

    async fn newest_first(&self, reader: TrackReader) -> Result<(), ReadError> {
        let mut judge = newest_first::NewestFirst::new(self.scope());
        let mut reader = reads::NewestFirst::new(reader);
        let mut open = FuturesUnordered::new();
        let mut is_over = false;
        loop {
            tokio::select! {
                biased;
                told = reader.next(), if !is_over => match told? {
                    Newest::Group(group) => {
                        judge.open(group.sequence());
                        open.push(next(group, 0));
                        pause(&self.world, self.plan.think).await;
                    }
                    Newest::Gone(gone) => judge.gone(gone),
                    Newest::End => is_over = true,
                },
                Some((group, index, piece)) = open.next() => match piece {
                    Piece::Frame(frame) => {
                        judge.frame(group.sequence(), index, &frame);
                        open.push(next(group, index + 1));
                    }
                    Piece::Whole => judge.whole(group.sequence(), index),
                    Piece::Cut(cause) => judge.cut(group.sequence(), cause),
                },
                else => {
                    judge.end();
                    return Ok(());
                }
            }
        }
    }

    async fn latest(&self, reader: TrackReader) -> Result<(), ReadError> {
        let mut judge = latest::Latest::new(self.scope());
        let mut reader = reads::Latest::new(reader);
        loop {
            match reader.next().await? {
                Some(Told::Frame {
                    group,
                    index,
                    frame,
                }) => {
                    judge.frame(group, index, &frame);
                    if index == 0 {
                        pause(&self.world, self.plan.think).await;
                    }
                }
                Some(Told::Gone(gone)) => judge.gone(gone),
                None => {
                    judge.end();
                    return Ok(());
                }
            }
        }
    }
}

/// Reads in order, and keeps where to go on.
async fn in_order(
    reading: &mut Reading,
    reader: TrackReader,
    (world, think): (&World, u64),
) -> Result<(), ReadError> {
    let mut reader = reads::InOrder::new(reader);
    loop {
        match reader.next().await? {
            Some(Told::Frame {
                group,
                index,
                frame,
            }) => {
                reading.judge.frame(group, index, &frame);
                if index == 0 {
                    pause(world, think).await;
                }
            }
            Some(Told::Gone(gone)) => reading.judge.gone(gone),
            None => {
                reading.judge.end();
                return Ok(());
            }
        }
        reading.position = reading.position.max(reader.position());
    }
}

/// What comes next in a group, and at which place.
async fn next(mut group: Group, index: u64) -> (Group, u64, Piece) {
    let piece = group.next().await;
    (group, index, piece)
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
