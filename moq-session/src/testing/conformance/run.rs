//! Runs one case on a runtime of its own.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::abilities::{Abilities, Deviation, Role};
use crate::transport::Transport;

/// What makes connected pairs of a backend.
pub trait Pairs {
    /// The client's end.
    type Client: Transport;
    /// The server's end.
    type Server: Transport;

    /// Begins what pairs are made with, such as a server. It is called on a tokio runtime, once for each
    /// case, and dropped after it.
    fn begin() -> Self;

    /// Makes a pair.
    ///
    /// Not cancel safe: the pair is lost.
    fn pair(&self) -> impl Future<Output = Pair<Self::Client, Self::Server>>;

    /// The cases that are known to fail.
    fn deviations() -> &'static [Deviation] {
        &[]
    }
}

/// Both ends of a connection, and what each of them can do.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "backends write it down")]
pub struct Pair<C, S> {
    /// The client's end.
    pub client: C,
    /// What the client's end can do.
    pub client_can: Abilities,
    /// The server's end.
    pub server: S,
    /// What the server's end can do.
    pub server_can: Abilities,
}

/// What a case gets: a connection as one end sees it.
pub struct Ends<N, F> {
    pub(super) near: N,
    pub(super) near_can: Abilities,
    pub(super) far: F,
    pub(super) far_can: Abilities,
}

impl<N, F> fmt::Debug for Ends<N, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends")
            .field("near_can", &self.near_can)
            .field("far_can", &self.far_can)
            .finish_non_exhaustive()
    }
}

/// Runs a case with the client as the near end.
///
/// # Panics
/// If the case fails, or passes although it is a [`Deviation`].
pub fn from_client<P: Pairs, R: Future<Output = ()>>(
    name: &str,
    case: fn(Ends<P::Client, P::Server>) -> R,
) {
    run::<P, _>(name, Role::Client, async |pair| {
        case(Ends {
            near: pair.client,
            near_can: pair.client_can,
            far: pair.server,
            far_can: pair.server_can,
        })
        .await;
    });
}

/// Runs a case with the server as the near end.
///
/// # Panics
/// If the case fails, or passes although it is a [`Deviation`].
pub fn from_server<P: Pairs, R: Future<Output = ()>>(
    name: &str,
    case: fn(Ends<P::Server, P::Client>) -> R,
) {
    run::<P, _>(name, Role::Server, async |pair| {
        case(Ends {
            near: pair.server,
            near_can: pair.server_can,
            far: pair.client,
            far_can: pair.client_can,
        })
        .await;
    });
}

fn run<P: Pairs, C>(name: &str, near: Role, case: C)
where
    C: AsyncFnOnce(Pair<P::Client, P::Server>),
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let pairs = P::begin();
            case(pairs.pair().await).await;
        });
    }));
    let known = P::deviations()
        .iter()
        .find(|known| known.case == name && known.near == near);
    match (known, outcome) {
        (None, Ok(())) | (Some(_), Err(_)) => {}
        (None, Err(panic)) => resume_unwind(panic),
        (Some(known), Ok(())) => panic!(
            "{name} passes, although it is known to fail: {}",
            known.reason
        ),
    }
}
