//! What keeps the nodes connected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moq_session::{BroadcastPath, Config, Dial, Established, Grant, Reconnect, Session, Status};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::net::SimConnection;
use crate::plan::To;
use crate::tally::Count;
use crate::world::World;

/// The sessions of a node, and the next number for one.
pub type Sessions = Arc<Mutex<(u64, BTreeMap<u64, Session>)>>;

/// Keeps a session over one link, whatever becomes of it.
pub async fn keep(dialer: Dialer, config: Config, sessions: Sessions) {
    loop {
        let reconnect = Reconnect::new(dialer.clone(), config.clone());
        let mut status = reconnect.status();
        loop {
            let (session, is_over) = {
                let now = status.borrow_and_update();
                (now.session().cloned(), matches!(*now, Status::Failed(_)))
            };
            if is_over {
                break;
            }
            let _listed = session.map(|session| Listed::new(&sessions, &session));
            let _ = status.changed().await;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Lets peers in, to one part of the node after the other.
pub async fn serve(
    mut incoming: mpsc::UnboundedReceiver<SimConnection>,
    parts: Vec<Config>,
    sessions: Sessions,
) {
    let mut tasks = JoinSet::new();
    let mut parts = parts.iter().cycle();
    loop {
        tokio::select! {
            biased;
            connection = incoming.recv() => {
                let (Some(connection), Some(config)) = (connection, parts.next()) else { return };
                let (config, sessions) = (config.clone(), sessions.clone());
                tasks.spawn(async move {
                    let Ok(request) = Session::accept(Established::new(connection), config).await else {
                        return;
                    };
                    let grant = Grant::everything(BroadcastPath::root());
                    let Ok((session, driver)) = request.accept_with_driver(grant).await else {
                        return;
                    };
                    let listed = Listed::new(&sessions, &session);
                    driver.await;
                    drop(listed);
                });
            }
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// Keeps a session in the list.
struct Listed {
    sessions: Sessions,
    number: u64,
}

impl Listed {
    fn new(sessions: &Sessions, session: &Session) -> Self {
        let mut list = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        list.0 += 1;
        let number = list.0;
        list.1.insert(number, session.clone());
        Self {
            sessions: sessions.clone(),
            number,
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut list = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = list.1.remove(&self.number);
        drop(list);
        drop(session);
    }
}

/// Dials over one link.
#[derive(Debug, Clone)]
pub struct Dialer {
    pub world: World,
    pub link: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum DialFault {
    #[error("nobody answers")]
    Silence,
    #[error("nobody listens")]
    Refused,
}

impl Dial for Dialer {
    type Transport = SimConnection;
    type Error = DialFault;

    async fn dial(&self) -> Result<SimConnection, DialFault> {
        let Self { world, link } = self;
        let plan = &world.plan.links[*link];
        sleep(Duration::from_millis(2 * plan.delay)).await;
        if !world.net.is_reachable(*link) {
            sleep(Duration::from_secs(1)).await;
            return Err(DialFault::Silence);
        }
        let connection = world.connect(*link).ok_or(DialFault::Refused)?;
        if plan.spare_of.is_some() {
            world.judge.count(Count::Moves);
        }
        Ok(connection)
    }

    fn is_terminal(_: &DialFault) -> bool {
        false
    }

    fn uri(&self) -> Option<String> {
        let (_, to) = self.world.plan.links[self.link].ends;
        Some(uri(To::Node(to)))
    }

    fn at(&self, uri: &str) -> Option<Self> {
        let to = uri.strip_prefix(PLACE)?.parse().ok()?;
        let links = &self.world.plan.links;
        let home = links[self.link].spare_of.unwrap_or(self.link);
        let own = |at: usize| at == home || links[at].spare_of == Some(home);
        let link = (0..links.len()).find(|at| own(*at) && links[*at].ends.1 == to)?;
        let world = self.world.clone();
        Some(Self { world, link })
    }
}

/// All nodes are at one authority, so that peers go where they are asked to.
const PLACE: &str = "https://sim/";

/// What GOAWAY says of a place.
pub fn uri(to: To) -> String {
    match to {
        To::Back => String::new(),
        To::Node(node) => format!("{PLACE}{node}"),
        To::Nowhere => "https://elsewhere/".to_owned(),
    }
}
