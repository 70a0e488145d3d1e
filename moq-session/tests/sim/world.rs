//! The nodes of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moq_session::{Budget, Config, HopId, OriginProducer, Version};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::judge::Judge;
use crate::log::Kind;
use crate::net::{FaultKind, Mode, Net, SimConnection};
use crate::plan::{Plan, To};
use crate::run::How;
use crate::sessions::{self, Dialer, Sessions, keep, serve};
use crate::siblings::{self, Joints};
use crate::tally::Count;
use crate::{fetcher, hostile, publisher, subscriber};

/// Where the broadcast is.
pub const PATH: &str = "room/live";

/// Everything that the nodes share; clones are handles to the same world.
#[derive(Debug, Clone)]
pub struct World {
    pub plan: Arc<Plan>,
    pub net: Net,
    pub judge: Judge,
    pub phase: watch::Sender<Phase>,
    /// Nothing goes wrong.
    pub is_calm: bool,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Things go wrong.
    Faults,
    /// They do not any more.
    Calm,
    /// The tracks end.
    Closing,
    /// The readers are gone.
    Rest,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: BTreeMap<usize, Node>,
    /// What the publisher remembers over its lives.
    lives: publisher::Lives,
}

/// A node that is up.
#[derive(Debug)]
pub struct Node {
    _tasks: JoinSet<()>,
    listener: mpsc::UnboundedSender<SimConnection>,
    /// Of its first part; the budget is all parts'.
    pub origin: OriginProducer,
    pub sessions: Sessions,
    pub joints: Joints,
}

impl World {
    pub fn new(plan: Plan, net: Net, how: How) -> Self {
        let judge = Judge::new(net.clone(), how.is_strict);
        if how.planned.is_some_and(|call| call.mode == Mode::Reset) {
            judge.expect_resets();
        }
        Self {
            is_calm: plan.faults.is_empty() && how.planned.is_none(),
            plan: Arc::new(plan),
            judge,
            net,
            phase: watch::Sender::new(Phase::Faults),
            inner: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a node; a publisher begins another life, as `which` chooses.
    pub fn start(&self, node: usize, which: u64) {
        self.net.note(Kind::Node, [node as u64, 1, 0, 0], || {
            format!("{node} starts")
        });
        let mut tasks = JoinSet::new();
        let (listener, incoming) = mpsc::unbounded_channel();
        let (sessions, joints) = (Sessions::default(), Joints::default());
        let origins = self.origins(node, which);
        let parts: Vec<_> = origins.iter().map(|of| self.config(node, of)).collect();
        if let [one, other] = parts.as_slice() {
            let (joints, judge) = (joints.clone(), self.judge.clone());
            tasks.spawn(siblings::join([one.clone(), other.clone()], joints, judge));
        }
        for (link, plan) in self.plan.links.iter().enumerate() {
            if plan.ends.0 == node && plan.spare_of.is_none() {
                let world = self.clone();
                if self.plan.hostile == Some(link) {
                    tasks.spawn(hostile::run(world, link));
                    continue;
                }
                let config = parts[link % parts.len()].clone();
                tasks.spawn(keep(Dialer { world, link }, config, sessions.clone()));
            }
        }
        if (1..=self.plan.relays).contains(&node) {
            tasks.spawn(serve(incoming, parts, sessions.clone()));
        }
        let origin = origins[0].clone();
        self.start_clients(node, &origin, &mut tasks);
        let node_up = Node {
            _tasks: tasks,
            listener,
            origin,
            sessions,
            joints,
        };
        self.lock().nodes.insert(node, node_up);
    }

    /// An origin for each part of a node.
    fn origins(&self, node: usize, which: u64) -> Vec<OriginProducer> {
        let (hop, budget) = match node {
            0 => (self.lock().lives.begin(which), Budget::DEFAULT_BYTES),
            relay if relay <= self.plan.relays => (relay as u64, self.plan.budget),
            subscriber => (subscriber as u64, Budget::DEFAULT_BYTES),
        };
        let budget = Budget::new(budget);
        let parts = 1 + usize::from(self.plan.split.contains(&node));
        let origin = |_| OriginProducer::with(HopId(hop + 1_000), budget.clone());
        (0..parts).map(origin).collect()
    }

    fn config(&self, node: usize, origin: &OriginProducer) -> Config {
        let mut config = Config::default().with_versions(Version::ALL);
        if node <= self.plan.relays {
            config = config.with_publish(origin.clone());
        }
        if node != 0 {
            config = config.with_subscribe(origin.clone());
        }
        config
    }

    /// Starts who publishes or reads at a node.
    fn start_clients(&self, node: usize, origin: &OriginProducer, tasks: &mut JoinSet<()>) {
        if node == 0 {
            self.judge.publisher_starts();
            let life = self.lock().lives.current();
            tasks.spawn(publisher::run(self.clone(), origin.clone(), life));
        }
        for (reader, plan) in self.plan.readers.iter().enumerate() {
            if plan.node == node {
                let subscriber = subscriber::Subscriber::new(self, origin, reader);
                tasks.spawn(subscriber.run());
            }
        }
        for (fetcher, plan) in self.plan.fetchers.iter().enumerate() {
            if plan.node == node {
                tasks.spawn(fetcher::run(self.clone(), origin.clone(), fetcher));
            }
        }
    }

    /// A node asks all its peers to leave, as far as their drafts have a word for it.
    pub fn goaway(&self, node: usize, to: To, deadline: u64) {
        let Some(sessions) = self
            .lock()
            .nodes
            .get(&node)
            .map(|node| node.sessions.clone())
        else {
            return;
        };
        let sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let uri = sessions::uri(to);
        let deadline = Duration::from_millis(deadline);
        let told = sessions.1.values();
        let told = told.filter(|session| session.goaway(&uri, deadline).is_ok());
        let told = told.count() as u64;
        self.net.note(Kind::Node, [node as u64, 2, told, 0], || {
            format!("{node} asks {told} peers to leave for {to:?} within {deadline:?}")
        });
        self.judge.tally(|tally| tally.count(Count::Goaways, told));
    }

    /// A node is gone at once; says whether it was there.
    pub fn crash(&self, node: usize, kind: FaultKind, answers: bool) -> bool {
        let Some(gone) = self.lock().nodes.remove(&node) else {
            return false;
        };
        self.net
            .note(Kind::Node, [node as u64, 0, u64::from(answers), 0], || {
                format!("{node} crashes")
            });
        if node == 0 {
            self.judge.publisher_stops();
        }
        self.net.crash(node, kind, answers);
        self.note_carried(&gone.joints);
        drop(gone);
        true
    }

    /// A node comes back, unless it is there.
    pub fn start_again(&self, node: usize, which: u64) {
        let is_up = self.lock().nodes.contains_key(&node);
        if !is_up {
            self.start(node, which);
        }
    }

    /// All nodes leave.
    pub fn leave(&self) {
        let nodes = std::mem::take(&mut self.lock().nodes);
        for node in nodes.values() {
            self.note_carried(&node.joints);
        }
        drop(nodes);
    }

    fn note_carried(&self, joints: &Joints) {
        let (_, bytes) = siblings::carried(joints);
        let kilobytes = bytes.div_ceil(1_024);
        self.judge
            .tally(|tally| tally.count(Count::SiblingKilobytes, kilobytes));
    }

    /// Connects the ends of a link, if somebody listens.
    pub fn connect(&self, link: usize) -> Option<SimConnection> {
        let listener = {
            let inner = self.lock();
            inner
                .nodes
                .get(&self.plan.links[link].ends.1)?
                .listener
                .clone()
        };
        let (client, server) = self.net.connect(link);
        listener.send(server).ok().map(|()| client)
    }

    /// Looks at the nodes that are up.
    pub fn nodes<R>(&self, look: impl FnOnce(&BTreeMap<usize, Node>) -> R) -> R {
        look(&self.lock().nodes)
    }

    /// Notes how far a track of the publisher is.
    pub fn published(&self, track: usize, next: u64) {
        self.lock().lives.published(track, next);
    }
}
