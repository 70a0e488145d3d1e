//! One Announce stream.

use std::time::Duration;

use moq_model::BroadcastPath;
use moq_model::platform::clock::{self, Instant};
use moq_wire::{AnnounceDecoder, AnnounceOk, AnnounceRequest, BiStream};

use super::super::request::open;
use super::Waiting;
use super::pace::Pace;
use super::table::Table;
use crate::context::Context;
use crate::convert;
use crate::error::StreamError;
use crate::granted::Changes;
use crate::io::{Announced, Reader, Writer};
use crate::limits::Limit;
use crate::transport::Transport;

/// So many times as long as one answer may take, the set may take as a whole. Other watchers wait for it.
const PATIENCE: u32 = 3;
/// Silence after which a draft that does not mark the end of the initial set has told it.
const SET_SILENCE: Duration = Duration::from_millis(500);

/// Follows one Announce stream to its end; what was learned on it goes with it.
pub(super) async fn listen<T: Transport>(
    context: &Context<T>,
    prefix: &BroadcastPath,
    waiting: &mut Waiting,
    is_answered: &mut bool,
) -> Result<(), StreamError> {
    let (mut writer, mut reader) = ask(context, prefix).await?;
    // The price and the identity of the peer come with its SETUP.
    context.peer_setup().await;
    let granted = context.grant.changes();
    let mut table = Table::new(context, prefix);
    let awaited = read_ok(context, &mut reader, &mut table).await?;
    *is_answered = awaited.is_some();
    // What was learned would be lost with the stream.
    reader.at_leisure();
    let listening = Listening {
        context,
        table,
        granted,
        awaited,
        until: clock::now() + context.answer_timeout * PATIENCE,
    };
    listening.run(&mut reader, waiting, is_answered).await?;
    writer.finish().await
}

async fn ask<T: Transport>(
    context: &Context<T>,
    prefix: &BroadcastPath,
) -> Result<(Writer<T::Send>, Reader<T::Recv>), StreamError> {
    let (mut writer, reader) = open(context, BiStream::Announce)
        .await
        .map_err(|_| StreamError::Timeout)?;
    writer.message(&AnnounceRequest {
        prefix: convert::wire_path(prefix.clone()).unwrap_or_default(),
        exclude_hop: convert::wire_hop(context.hop),
        include_hidden: true,
    })?;
    writer.flush().await?;
    Ok((writer, reader))
}

/// A stream that was answered.
struct Listening<'a, T> {
    context: &'a Context<T>,
    table: Table<'a>,
    granted: Changes,
    /// How many announcements of the initial set are still to come, where the peer tells.
    awaited: Option<u64>,
    /// When the initial set is waited for no longer.
    until: Instant,
}

impl<T: Transport> Listening<'_, T> {
    async fn run(
        mut self,
        reader: &mut Reader<T::Recv>,
        waiting: &mut Waiting,
        is_answered: &mut bool,
    ) -> Result<(), StreamError> {
        let mut decoder = AnnounceDecoder::new(self.context.version);
        let mut pace = Pace::new(self.context);
        loop {
            if self.awaited == Some(0) {
                waiting.end();
            }
            let limit = (!waiting.is_over()).then(|| self.limit(waiting, *is_answered));
            let room = || self.table.room();
            let announced = tokio::select! {
                biased;
                () = self.granted.changed() => {
                    self.table.admit();
                    continue;
                }
                announced = within(limit, reader.announced(&mut decoder, room)) => announced,
            };
            let Some(announced) = announced else {
                waiting.end();
                continue;
            };
            let announced = announced?;
            *is_answered = true;
            self.awaited = self.awaited.or_else(|| decoder.listed());
            match announced {
                None => break,
                Some(Announced::Listed) => {}
                // No more of the set will be known here.
                Some(Announced::LeftOut) => {
                    self.context.limiter.reach(Limit::Announces);
                    waiting.end();
                }
                Some(Announced::Event(event)) => {
                    pace.keep(&event, self.awaited).await;
                    self.awaited = self.awaited.map(|left| left.saturating_sub(1));
                    self.table.apply(event)?;
                }
            }
        }
        waiting.end();
        Ok(())
    }

    /// Until when the next announcement of the initial set is waited for. Streams that others take the
    /// place of have time: nobody waits for their end.
    fn limit(&self, waiting: &Waiting, is_answered: bool) -> Instant {
        let is_marked = self.context.version.features().announce_init || self.awaited.is_some();
        let has_time = waiting.sync.is_none() && !is_answered;
        let wait = match is_marked || has_time {
            true => self.context.answer_timeout,
            false => SET_SILENCE,
        };
        self.until.min(clock::now() + wait)
    }
}

/// Waits for the next announcement, without a limit if there is none.
async fn within<F: Future>(limit: Option<Instant>, announced: F) -> Option<F::Output> {
    match limit {
        Some(limit) => clock::timeout_at(limit, announced).await.ok(),
        None => Some(announced.await),
    }
}

/// Reads ANNOUNCE_OK where the draft has it; says how many announcements the initial set has.
async fn read_ok<T: Transport>(
    context: &Context<T>,
    reader: &mut Reader<T::Recv>,
    table: &mut Table<'_>,
) -> Result<Option<u64>, StreamError> {
    if !context.version.features().announce_ok {
        return Ok(None);
    }
    let ok = context
        .in_time(reader.message::<AnnounceOk>("ANNOUNCE_OK"))
        .await??;
    let Some(ok) = ok else { return Ok(Some(0)) };
    // A sibling is no further hop.
    table.sender = context.policy.is_hop().then(|| convert::hop(ok.hop));
    Ok(Some(ok.active))
}
