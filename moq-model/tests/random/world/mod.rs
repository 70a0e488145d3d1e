//! The tracks of a run, in the model and in its slow reference.

mod check;
mod feed;
mod fetch;
mod gate;
mod group;
mod read;
mod setting;
mod subscribe;
mod take;
mod waiter;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;

use moq_model::session::{RequestQueue, RequestSource, TrackFeed};
use moq_model::{
    BroadcastConsumer, BroadcastProducer, Budget, GroupConsumer, GroupProducer, LatestReader,
    OrderedReader, Subscription, TrackConsumer, TrackProducer, TrackReader,
};

use crate::reference::Reference;
use crate::script::{Kind, Op};
use setting::Setting;
use waiter::Waiter;

/// Says how the two differ.
pub type Outcome<T = ()> = Result<T, String>;

pub struct World {
    setting: Setting,
    budget: Budget,
    reference: Reference,
    homes: Vec<Home>,
    tracks: Vec<TrackSlot>,
    writers: Vec<Writer>,
    readers: Vec<ReaderSlot>,
    consumers: Vec<ConsumerSlot>,
    gates: Vec<gate::GateSlot>,
    demands: Vec<gate::DemandSlot>,
    /// What was done, for people.
    log: Log,
    pub counts: BTreeMap<&'static str, u64>,
}

/// What was done, for people.
#[derive(Debug, Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn push(&self, what: String) {
        self.0.borrow_mut().push(what);
    }

    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A broadcast, which is one feeder.
enum Home {
    Local(BroadcastProducer),
    Fed {
        /// Keeps the queue open.
        _source: RequestSource,
        queue: RequestQueue,
        broadcast: BroadcastConsumer,
    },
}

#[derive(Default)]
struct TrackSlot {
    local: Option<TrackProducer>,
    fed: Option<TrackFeed>,
    consumer: Option<TrackConsumer>,
}

struct Writer {
    track: usize,
    group: usize,
    producer: GroupProducer,
    /// Resolves when nobody reads a group that was fetched.
    unused: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waiter: Waiter,
}

enum AnyReader {
    Newest(TrackReader),
    Aside(Box<TrackReader>),
    Ordered(Box<OrderedReader>),
    Latest(LatestReader),
}

struct ReaderSlot {
    track: usize,
    reader: usize,
    any: AnyReader,
    wants: Subscription,
    waiter: Waiter,
    /// It has told its end.
    is_over: bool,
    /// All before it is accounted for, in sequence.
    at: Option<u64>,
}

struct ConsumerSlot {
    track: usize,
    cursor: usize,
    consumer: GroupConsumer,
    waiter: Waiter,
    /// It waits for an end that comes before the frames.
    is_cut_only: bool,
}

impl World {
    pub fn new(setting: [u64; 6], log: Log) -> Self {
        let setting = Setting::new(setting);
        let budget = Budget::new(setting.limit);
        let homes = setting.homes(&budget);
        Self {
            reference: Reference {
                now: 0,
                limit: setting.limit,
                costs: setting.costs,
                feeders: homes.len(),
                tracks: Vec::new(),
                newest_dropped: 0,
                is_ambiguous: false,
            },
            setting,
            budget,
            homes,
            tracks: Vec::new(),
            writers: Vec::new(),
            readers: Vec::new(),
            consumers: Vec::new(),
            gates: Vec::new(),
            demands: Vec::new(),
            log,
            counts: BTreeMap::new(),
        }
    }

    /// Does one operation on both, and compares them.
    pub async fn run(&mut self, op: Op) -> Outcome {
        let args = op.args;
        let kind = if self.setting.is_slow {
            slow(op)
        } else {
            Some(op.kind)
        };
        let Some(kind) = kind else { return Ok(()) };
        match kind {
            Kind::Create => self.create(args),
            Kind::Ask => self.ask(args),
            Kind::Append => self.append(args),
            Kind::Begin => self.begin(args),
            Kind::Datagram => self.datagram(args),
            Kind::Frame => self.frame(args),
            Kind::Arrive => self.arrive(args),
            Kind::FinishGroup => self.finish_group(args),
            Kind::AbortGroup => self.abort_group(args),
            Kind::DropGroup => self.drop_group(args),
            Kind::FinishTrack => self.finish_track(args),
            Kind::AbortTrack => self.abort_track(args),
            Kind::DropTrack => self.drop_track(args),
            Kind::LoseSession => self.lose_session(args),
            Kind::EndUnused => self.end_unused(args),
            Kind::Accept => self.accept(args),
            Kind::SetStart => self.set_start(args),
            Kind::SetEnd => self.set_end(args),
            Kind::DropGroups => self.drop_groups(args),
            Kind::Fetch => self.fetch(args),
            Kind::Subscribe => self.subscribe(args),
            Kind::Resume => self.resume(args),
            Kind::Update => self.update(args),
            Kind::Read => self.read(args),
            Kind::Take => self.take(args),
            Kind::ReadGroup => self.read_group(args),
            Kind::Cut => self.cut(args),
            Kind::DropReader => self.drop_reader(args),
            Kind::DropConsumer => self.drop_consumer(args),
            Kind::DropHandle => self.drop_handle(args),
            Kind::WatchDemand => self.watch_demand(args),
            Kind::WatchGroup => self.watch_group(args),
            Kind::WaitReady => self.wait_ready(args),
            Kind::PollWaiting => self.poll_waiting(args),
            Kind::Advance => self.advance(args).await,
        }?;
        self.check()
    }

    fn note(&self, what: impl FnOnce() -> String) {
        self.log.push(what());
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// What is done instead in a run whose readers are far behind: they read less, and fewer tracks come
/// and go.
fn slow(op: Op) -> Option<Kind> {
    let is_done = |once_in: u64| op.args[3].is_multiple_of(once_in).then_some(op.kind);
    match op.kind {
        Kind::Read | Kind::Take | Kind::ReadGroup => is_done(8),
        Kind::Create | Kind::Ask | Kind::FinishTrack => is_done(4),
        Kind::Fetch | Kind::AbortTrack | Kind::LoseSession | Kind::Resume => Some(Kind::WaitReady),
        kind => Some(kind),
    }
}

/// One of so many, if there is any: mostly one of those that came last.
fn pick_late(arg: u64, of: usize) -> Option<usize> {
    let late = of.min(2);
    match arg % 4 {
        0 => pick(arg / 4, of),
        _ => pick(arg / 4, late).map(|at| of - late + at),
    }
}

/// One of so many, if there is any.
fn pick(arg: u64, of: usize) -> Option<usize> {
    (of > 0).then(|| usize::try_from(arg).unwrap() % of)
}

/// Compares one thing.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, expected: &T) -> Outcome {
    if is == expected {
        return Ok(());
    }
    Err(format!("{what}: {is:?} instead of {expected:?}"))
}
