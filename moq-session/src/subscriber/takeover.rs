//! Giving way to another publisher while nothing comes from the peer.

use std::sync::Arc;
use std::time::Duration;

use moq_model::platform::clock;
use moq_model::session::SessionRoutes;
use moq_model::{Abort, BroadcastPath};

use super::silence::{LOOK, Silence, Step};
use crate::context::{Context, Shared};
use crate::error::SessionError;
use crate::transport::Transport;

/// Listens whether the peer is there, for as long as another publisher could take over a path of its.
///
/// A peer that is silent is the last resort until something comes from it, and its tracks that others can
/// go on with end. What comes through the peer from elsewhere is the peer's to judge.
pub(super) async fn follow<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let routes = Arc::new(context.subscribe.routes(context.id));
    loop {
        routes.contested().await;
        let Some(heard) = context.transport.heard() else {
            return Ok(());
        };
        let mut silence = Silence::new(heard, clock::now());
        while silence.is_silent() || routes.is_contested() {
            clock::sleep(LOOK).await;
            let heard = context.transport.heard().unwrap_or_default();
            let rtt = context.transport.stats().rtt.unwrap_or(Duration::ZERO);
            match silence.look(heard, rtt, clock::now()) {
                Step::Wait => {}
                Step::Ping => {
                    context.transport.ping();
                    if silence.is_silent() {
                        end_passed_over(&context, &routes);
                    }
                }
                Step::Silent if give_way(&context, &routes) => {}
                // Nobody is left who could take over.
                Step::Silent => break,
                Step::Back => {
                    tracing::info!(remote = ?context.info.remote, "the peer is heard again");
                    context.subscribing.silent.send_replace(None);
                    routes.come_back();
                }
            }
        }
    }
}

/// Makes the peer's routes the last resort, if others can take over. Then whoever reads what another
/// publisher has asks anew.
fn give_way(context: &Shared, routes: &Arc<SessionRoutes>) -> bool {
    let gives_way = routes.give_way();
    if gives_way {
        tracing::warn!(remote = ?context.info.remote, "the peer is silent, others take over");
        end_passed_over(context, routes);
    }
    gives_way
}

/// Ends what is asked of the silent peer and could be asked of another by now.
fn end_passed_over(context: &Shared, routes: &Arc<SessionRoutes>) {
    let source = &context.subscribing.source;
    source.lose(Abort::SessionClosed, |path| routes.is_passed_over(path));
    context
        .subscribing
        .silent
        .send_replace(Some(routes.clone()));
}

/// Waits until the peer is silent and somebody else has `path`.
pub(super) async fn passed_over(context: &Shared, path: &BroadcastPath) {
    let mut silent = context.subscribing.silent.subscribe();
    loop {
        let routes = silent.borrow_and_update().clone();
        if routes.is_some_and(|routes| routes.is_passed_over(path)) {
            return;
        }
        if silent.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
