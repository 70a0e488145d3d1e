//! The nodes of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moq_session::{Budget, Config, HopId, OriginProducer, Version};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::judge::Judge;
use crate::log::Kind;
use crate::net::{FaultKind, Net, SimConnection};
use crate::plan::Plan;
use crate::sessions::{Dialer, Sessions, keep, serve};
use crate::{publisher, subscriber};

/// Where the broadcast is.
pub const PATH: &str = "room/live";

/// Everything that the nodes share; clones are handles to the same world.
#[derive(Debug, Clone)]
pub struct World {
    pub plan: Arc<Plan>,
    pub net: Net,
    pub judge: Judge,
    pub phase: watch::Sender<Phase>,
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
struct Node {
    _tasks: JoinSet<()>,
    listener: mpsc::UnboundedSender<SimConnection>,
    origin: OriginProducer,
    sessions: Sessions,
}

impl World {
    pub fn new(plan: Plan, net: Net) -> Self {
        Self {
            plan: Arc::new(plan),
            judge: Judge::new(net.clone()),
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
        let sessions = Sessions::default();
        let (hop, budget) = match node {
            0 => (self.lock().lives.begin(which), Budget::DEFAULT_BYTES),
            relay if relay <= self.plan.relays => (relay as u64, self.plan.budget),
            subscriber => (subscriber as u64, Budget::DEFAULT_BYTES),
        };
        let origin = OriginProducer::with(HopId(hop + 1_000), Budget::new(budget));
        let is_relay = (1..=self.plan.relays).contains(&node);
        let mut config = Config::default().with_versions(Version::ALL);
        if node == 0 || is_relay {
            config = config.with_publish(origin.clone());
        }
        if node != 0 {
            config = config.with_subscribe(origin.clone());
        }
        if is_relay {
            tasks.spawn(serve(incoming, config.clone(), sessions.clone()));
        }
        for (link, plan) in self.plan.links.iter().enumerate() {
            if plan.ends.0 == node {
                let dialer = Dialer {
                    world: self.clone(),
                    link,
                };
                tasks.spawn(keep(dialer, config.clone(), sessions.clone()));
            }
        }
        if node == 0 {
            let life = self.lock().lives.current();
            tasks.spawn(publisher::run(self.clone(), origin.clone(), life));
        }
        for (reader, plan) in self.plan.readers.iter().enumerate() {
            if plan.node == node {
                let subscriber = subscriber::Subscriber::new(self, &origin, reader);
                tasks.spawn(subscriber.run());
            }
        }
        let node_up = Node {
            _tasks: tasks,
            listener,
            origin,
            sessions,
        };
        self.lock().nodes.insert(node, node_up);
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
        self.net.crash(node, kind, answers);
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
        drop(nodes);
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

    /// Notes how far a track of the publisher is.
    pub fn published(&self, track: usize, next: u64) {
        self.lock().lives.published(track, next);
    }

    /// What is in use: by name, with a number each.
    pub fn gauges(&self) -> Vec<(String, u64)> {
        let mut gauges = Vec::new();
        for (link, open) in self.net.open_streams().into_iter().enumerate() {
            gauges.push((format!("open streams of link {link}"), open as u64));
        }
        for (node, up) in &self.lock().nodes {
            let sessions = up.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let owed: usize = sessions
                .1
                .values()
                .map(|session| session.outstanding())
                .map(|owed| owed.subscriptions + owed.unconfirmed)
                .sum();
            gauges.push((format!("sessions of node {node}"), sessions.1.len() as u64));
            gauges.push((format!("subscriptions served by node {node}"), owed as u64));
            gauges.push((
                format!("bytes held by node {node}"),
                up.origin.budget().used(),
            ));
        }
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        gauges.push(("tasks".to_owned(), tasks as u64));
        gauges
    }
}
