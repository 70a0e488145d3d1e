//! Giving way to another publisher while nothing comes from the peer.

use std::time::Duration;

use moq_model::Abort;
use moq_model::platform::clock;
use moq_model::session::SessionRoutes;

use super::silence::{LOOK, Silence, Step};
use crate::context::Context;
use crate::error::SessionError;
use crate::transport::Transport;

/// Listens whether the peer is there, for as long as another publisher could take over a path of its.
///
/// A peer that is silent is the last resort until something comes from it, and its tracks that others can
/// go on with end. What comes through the peer from elsewhere is the peer's to judge.
pub(super) async fn follow<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let routes = context.subscribe.routes(context.id);
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
                Step::Ping => context.transport.ping(),
                Step::Silent if give_way(&context, &routes) => {}
                // Nobody is left who could take over.
                Step::Silent => break,
                Step::Back => {
                    tracing::info!(remote = ?context.info.remote, "the peer is heard again");
                    routes.come_back();
                }
            }
        }
    }
}

/// Makes the peer's routes the last resort, if others can take over. Then whoever reads what another
/// publisher has asks anew.
fn give_way<T>(context: &Context<T>, routes: &SessionRoutes) -> bool {
    let gives_way = routes.give_way();
    if gives_way {
        tracing::warn!(remote = ?context.info.remote, "the peer is silent, others take over");
        let source = &context.source;
        source.lose(Abort::SessionClosed, |path| routes.is_passed_over(path));
    }
    gives_way
}
