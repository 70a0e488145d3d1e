//! A reader that comes back as often as it has to.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use moq_session::{
    FoundTrack, OriginProducer, ReadError, Start, Subscription, TrackFinder, TrackReader,
};
use tokio::time::sleep;

use crate::plan::{From, Mode, ReaderPlan};
use crate::reads::{self, Group, Newest, Piece, Step, Told};
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
}

impl Subscriber {
    pub fn new(world: &World, origin: &OriginProducer, reader: usize) -> Self {
        Self {
            world: world.clone(),
            origin: origin.clone(),
            reader,
            plan: world.plan.readers[reader].clone(),
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

    async fn stay(&self) {
        let path = PATH.parse().expect("it is a path");
        let track = publisher::name(self.plan.track);
        let mut finder = TrackFinder::new(self.origin.consume(), path, &track);
        if self.plan.mode == Mode::InOrder {
            return self.in_order(finder).await;
        }
        loop {
            let read = match finder.find().await {
                Ok(found) => self.read(found).await,
                Err(error) => panic!("there are no sessions to be lost: {error}"),
            };
            finder.reached();
            match read {
                Ok(()) => return,
                Err(error) => {
                    self.ended_early(&error.to_string());
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn ended_early(&self, why: &str) {
        self.world.judge.count(Count::EndedEarly);
        self.note(why, 0);
    }

    fn subscription(&self) -> Subscription {
        let start = match self.plan.from {
            From::Newest => Start::Newest,
            From::Oldest => Start::OLDEST,
            From::Group(group) => Start::Floor(group),
        };
        Subscription::default()
            .with_start(start)
            .with_max_age(Duration::from_millis(self.plan.max_age))
            .with_patience(Duration::from_millis(self.plan.max_age))
    }

    async fn read(&self, found: FoundTrack) -> Result<(), ReadError> {
        self.subscribes(&format!("to {:?}", found.publisher));
        let reader = found.track.subscribe(self.subscription());
        found.track.info().await?;
        match self.plan.mode {
            Mode::Latest => self.latest(reader).await,
            Mode::NewestFirst | Mode::InOrder => self.newest_first(reader).await,
        }
    }

    fn subscribes(&self, how: &str) {
        let reader = self.reader;
        let values = [reader as u64, how.len() as u64, 0, 5 << 32];
        self.world
            .judge
            .note(values, || format!("reader {reader} subscribes {how}"));
    }

    /// Reads in order, and goes on at the same publisher.
    async fn in_order(&self, finder: TrackFinder) {
        let mut reader = reads::InOrder::new(finder, self.subscription());
        let mut judge = in_order::InOrder::new(self.scope());
        loop {
            match reader.next().await {
                Step::Begins(Some(position)) => {
                    self.subscribes(&format!("from {position:?} on"));
                    judge.resume(position);
                }
                Step::Begins(None) => {
                    self.subscribes("anew");
                    judge = in_order::InOrder::new(self.scope());
                }
                Step::Told(Told::Frame {
                    group,
                    index,
                    frame,
                }) => {
                    judge.frame(group, index, &frame);
                    if index == 0 {
                        pause(&self.world, self.plan.think).await;
                    }
                }
                Step::Told(Told::Gone(gone)) => judge.gone(gone),
                Step::Lost(why) => self.ended_early(&why),
                Step::End => return judge.end(),
            }
        }
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
