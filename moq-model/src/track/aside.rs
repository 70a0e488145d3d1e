//! Reading newest first, by who has to find a place for each group: groups stay in the track until
//! there is one.

use std::task::{Context, Poll};

use super::consumer::{NextGroup, TrackReader};
use super::state::{Newest, Take};
use crate::error::ReadError;

impl TrackReader {
    /// As [`Self::poll_next`], but groups that are not datagrams stay in the track, where they cost
    /// this reader nothing: [`Self::backlog`] says whether there are any, and [`Self::take_newest`]
    /// and [`Self::take_oldest`] take them.
    ///
    /// What goes while it waits there is lost to this reader, as any other group. `None` comes once
    /// the track is finished and nothing is left in it for this reader. A pending caller is woken
    /// when there is more to be yielded, or when the newest group is in the track and was not
    /// before; not for each further one.
    ///
    /// # Errors
    /// [`ReadError`] when the track ended before its finish, whatever is left in it.
    pub fn poll_aside(&mut self, cx: &Context<'_>) -> Poll<Result<Option<NextGroup>, ReadError>> {
        let id = self.id();
        let (next, backlog) = self
            .shared()
            .read(|state, fx| state.next_aside(id, cx.waker(), fx));
        self.set_backlog(backlog);
        self.yielded(next)
    }

    /// Takes the newest group that this reader left in the track; `Lost` if it is too old for the
    /// reader by now, `None` without any.
    ///
    /// A caller that waits in [`Self::poll_aside`] need not ask there again: it is woken if there is
    /// reason to.
    pub fn take_newest(&mut self) -> Option<NextGroup> {
        self.take(Take::Newest)
    }

    /// As [`Self::take_newest`], for the oldest group.
    pub fn take_oldest(&mut self) -> Option<NextGroup> {
        self.take(Take::Oldest)
    }

    fn take(&mut self, take: Take) -> Option<NextGroup> {
        let id = self.id();
        let (taken, backlog) = self.shared().read(|state, fx| state.take(id, take, fx));
        self.set_backlog(backlog);
        match self.yielded(taken.unwrap_or(Newest::Wait)) {
            Poll::Ready(Ok(next)) => next,
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }
}
