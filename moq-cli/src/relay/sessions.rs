//! From incoming connections to sessions.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use moq_session::transport::Incoming;
use moq_session::{BroadcastPath, Config, Refusal, Session};
use tokio::task::{JoinError, JoinSet};

use super::Public;
use super::origins::Origins;
use super::server::{Arrival, Server};
use crate::args::WebOrigin;

/// Who is let in.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// What everybody may do.
    pub(crate) public: Public,
    /// The pages that may connect; all if there is none.
    pub(crate) web_origins: Vec<WebOrigin>,
    /// Sessions that one address may have at once.
    pub(crate) sessions_per_address: NonZeroUsize,
}

impl Rules {
    /// Everybody who can connect may do everything.
    pub(crate) fn open() -> Self {
        Self {
            public: Public::everything(),
            web_origins: Vec::new(),
            sessions_per_address: NonZeroUsize::MAX,
        }
    }

    /// Whether a page may connect. What has no origin is no page.
    fn lets_in(&self, origin: Option<&str>) -> bool {
        let is_one = |origin: &str| self.web_origins.iter().any(|one| one.matches(origin));
        self.web_origins.is_empty() || origin.is_none_or(is_one)
    }
}

/// Lets peers in until the server is closed.
pub(super) async fn serve<S: Server>(server: &S, origins: &Origins, rules: &Arc<Rules>) {
    let admissions = Admissions::new(rules.sessions_per_address);
    let (mut tasks, runtimes) = (JoinSet::new(), server.runtimes());
    loop {
        tokio::select! {
            arrival = server.accept() => {
                let Some(arrival) = arrival else { return };
                let Arrival { incoming, remote, worker } = arrival;
                let (config, rules) = (origins.config(worker).clone(), rules.clone());
                let admission = admissions.admit(remote);
                let session = async move {
                    let Some(admission) = admission else {
                        tracing::warn!(%remote, limit = rules.sessions_per_address, "refused: too many sessions from this address");
                        let refusal = Refusal::TooManyRequests;
                        return incoming.refuse(refusal.status(), refusal.close_code()).await;
                    };
                    if let Err(error) = run(incoming, remote, config, &rules).await {
                        tracing::info!(%remote, error = format!("{error:#}"), "refused");
                    }
                    drop(admission);
                };
                tasks.spawn_on(session, &runtimes[worker]);
            }
            Some(ended) = tasks.join_next() => tell_panic(ended),
        }
    }
}

/// Tells the log of a task that panicked; the others go on.
fn tell_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a bug on this side ended a session");
    }
}

/// One session, from its request to its end.
async fn run<I: Incoming<Transport: Send> + Send>(
    incoming: I,
    remote: SocketAddr,
    config: Config,
    rules: &Rules,
) -> anyhow::Result<()> {
    // In a box of its own, because the task would keep the room for it as long as the session.
    let (session, root) = Box::pin(establish(incoming, remote, config, rules)).await?;
    let (version, transport) = (session.version(), session.info().kind);
    tracing::info!(%remote, %version, %transport, root = %format_args!("/{root}"), "session opened");
    let error = session.closed().await;
    tracing::info!(%remote, root = %format_args!("/{root}"), reason = %error, "session closed");
    Ok(())
}

/// Answers a peer's request; gives the session and its root.
async fn establish<I: Incoming<Transport: Send> + Send>(
    incoming: I,
    remote: SocketAddr,
    config: Config,
    rules: &Rules,
) -> anyhow::Result<(Session, BroadcastPath)> {
    let request = Session::accept(incoming, config).await?;
    let path = moq_model::text::Escaped(request.path()).to_string();
    let origin = request.info().origin.clone();
    if !rules.lets_in(origin.as_deref()) {
        let origin = moq_model::text::Escaped(&origin.unwrap_or_default()).to_string();
        request.refuse(Refusal::Forbidden).await;
        anyhow::bail!("pages of {origin} may not connect");
    }
    let grant = match rules.public.grant(request.path()) {
        // What one address publishes shares memory as one.
        Ok(Some(grant)) => grant.with_identity(network(remote.ip()).to_string()),
        refused => {
            request.refuse(Refusal::Forbidden).await;
            return refused.and(Err(anyhow::anyhow!("nothing is public at {path}")));
        }
    };
    let root: BroadcastPath = grant.root.clone();
    let session = request
        .accept(grant)
        .await
        .context("cannot start the session")?;
    Ok((session, root))
}

/// Counts the sessions of each address.
#[derive(Debug, Clone)]
struct Admissions {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

impl Admissions {
    fn new(most: NonZeroUsize) -> Self {
        Self {
            counts: Arc::default(),
            most: most.get(),
        }
    }

    /// A place for one more session, unless the address has too many. This machine's own are not
    /// counted.
    fn admit(&self, remote: SocketAddr) -> Option<Admission> {
        let key = network(remote.ip());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= self.most && !key.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Admission {
            admissions: self.clone(),
            key,
        })
    }
}

/// A place, free again when dropped.
#[derive(Debug)]
struct Admission {
    admissions: Admissions,
    key: IpAddr,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self
            .admissions
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// What one subscriber line has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)))
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    #[test]
    fn pages_of_other_origins_are_kept_out_and_programs_are_not() {
        let mut rules = Rules::open();
        assert!(rules.lets_in(Some("https://evil.example")) && rules.lets_in(None));
        for pattern in ["https://page.example", "https://*.other.example"] {
            rules.web_origins.push(pattern.parse().unwrap());
        }
        for (origin, is_in) in [
            (Some("https://page.example"), true),
            (Some("https://a.other.example"), true),
            (Some("https://evil.example"), false),
            (Some("null"), false),
            (None, true),
        ] {
            assert_eq!(rules.lets_in(origin), is_in, "{origin:?}");
        }
    }

    fn admit(admissions: &Admissions, remote: &str) -> Option<Admission> {
        admissions.admit(remote.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_others_are_not_concerned() {
        let admissions = Admissions::new(MOST);
        let places: Vec<_> = (0..MOST.get())
            .map(|_| admit(&admissions, "192.0.2.1:5").unwrap())
            .collect();
        assert!(admit(&admissions, "192.0.2.1:6").is_none());
        assert!(admit(&admissions, "192.0.2.2:5").is_some());
        drop(places);
        assert!(admit(&admissions, "192.0.2.1:6").is_some());
        assert!(admissions.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let key = |ip: &str| network(ip.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::2:3:4:5"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn this_machine_has_no_limit() {
        let admissions = Admissions::new(MOST);
        let places: Vec<_> = (0..=MOST.get())
            .map(|_| admit(&admissions, "[::1]:5"))
            .collect();
        assert!(places.iter().all(Option::is_some));
    }
}
