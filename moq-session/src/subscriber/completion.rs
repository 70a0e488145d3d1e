//! Where a track begins and when it is over, as far as its groups tell.

use std::convert::Infallible;
use std::time::Duration;

use moq_model::Abort;
use moq_model::platform::clock;
use moq_wire::GroupStart;

use super::feed::Feed;

/// How long the first groups may take to sort themselves out, where the draft does not say which
/// is the first.
const FIRST_GROUPS: Duration = Duration::from_millis(500);
/// How long groups are waited for that no answer says anything about.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// How long owed groups are waited for at most.
pub(super) const MAX_GRACE: Duration = Duration::from_secs(30);

/// Waits until every owed group has arrived whole, or the grace is over. Before the peer has said all,
/// only what may be the last group as well can tell that nothing is owed, where the end is not exact:
/// `doubt` is how long that group is waited for there.
pub(super) async fn complete(
    feed: &Feed,
    is_finished: bool,
    grace: Duration,
    doubt: Option<Duration>,
) {
    let is_told = feed.look(|account| account.end.is_some());
    if is_told && !is_finished && doubt.is_some() {
        feed.when(|account| account.is_surely_whole().then_some(()))
            .await;
        return;
    }
    if is_told {
        let owed =
            feed.when(|account| (account.owed().is_none() && account.open == 0).then_some(()));
        let is_whole = clock::timeout(grace, owed).await.is_ok();
        if is_whole && let Some(doubt) = doubt {
            // The end may be the last group instead, which the end of the answers has overtaken.
            let last = feed.when(|account| (account.highest >= account.end).then_some(()));
            let _ = clock::timeout(doubt, last).await;
        }
        if let Some(gap) = feed.look(|account| account.missing()) {
            feed.give_up(gap, Abort::Missing);
        }
    } else {
        wait_for_quiet(feed, grace).await;
    }
    feed.when(|account| (account.open == 0).then_some(())).await;
}

/// Waits until no group has arrived for `grace`.
async fn wait_for_quiet(feed: &Feed, grace: Duration) {
    loop {
        let highest = feed.look(|account| account.highest);
        let news = feed.when(|account| (account.highest != highest).then_some(()));
        if clock::timeout(grace, news).await.is_err() {
            return;
        }
    }
}

/// Finds out where the track begins if the publisher does not say: at the group that was asked for
/// if that comes, else at the lowest one that comes within a while.
pub(super) async fn find_start(feed: &Feed, asked: Option<GroupStart>) -> Infallible {
    let floor = match asked {
        Some(GroupStart::Floor(floor)) => floor.0,
        // Several may be on their way already, the newest of them first.
        _ => 0,
    };
    feed.when(|account| account.lowest.map(|_| ())).await;
    let told = feed.when(|account| {
        let is_found =
            account.start.is_some() || account.lowest.is_some_and(|lowest| lowest <= floor);
        is_found.then_some(())
    });
    let _ = clock::timeout(FIRST_GROUPS, told).await;
    let start = feed.change(|account| {
        account.start = account.start.or(account.lowest);
        account.start
    });
    if let Some(start) = start {
        feed.track.set_start(start);
    }
    std::future::pending().await
}
