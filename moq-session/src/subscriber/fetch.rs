//! Asking the peer for one group.

use moq_model::session::FetchRequest;
use moq_model::{Abort, Fetch};
use moq_wire::{BiStream, FrameDecoder, GroupSequence, code};

use super::failure::GroupFailure;
use super::group::{self, Inbound};
use super::request::{Name, failure, name, open, written};
use super::takeover::passed_over;
use crate::context::Context;
use crate::convert;
use crate::error::{SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::transport::Transport;

/// Fetches one group for as long as somebody reads it.
pub(super) async fn run<T: Transport>(
    context: Context<T>,
    request: FetchRequest,
) -> Result<(), SessionError> {
    let unused = request.unused();
    let name = name(&context, &request.broadcast, &request.track);
    let mut fetching = Fetching {
        context: &context,
        fetch: request.fetch,
        group: Inbound::new(request.group),
    };
    let outcome = match name {
        // A draft without FETCH has no way to ask: as far as can be told here, there is no such group.
        Ok(_) if !context.version.features().fetch => Err(Abort::NotFound),
        Ok(_) if fetching.is_empty() => Ok(()),
        Ok(name) => tokio::select! {
            biased;
            () = unused => Err(Abort::Cancelled),
            () = passed_over(&context, &request.broadcast) => Err(Abort::SessionClosed),
            outcome = fetching.run(&name) => outcome,
        },
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(()) => fetching.group.finish(),
        Err(reason) => fetching.group.abort(reason),
    }
    Ok(())
}

struct Fetching<'a, T: Transport> {
    context: &'a Context<T>,
    fetch: Fetch,
    group: Inbound,
}

impl<T: Transport> Fetching<'_, T> {
    fn is_empty(&self) -> bool {
        let end = self.fetch.end_frame;
        end.is_some_and(|end| end <= self.fetch.first_frame)
    }

    async fn run(&mut self, name: &Name) -> Result<(), Abort> {
        let (mut writer, mut reader) = open(self.context, BiStream::Fetch).await?;
        self.ask(&mut writer, name)
            .await
            .map_err(|error| failure(&error))?;
        match self.fill(&mut reader).await {
            Ok(()) => {
                // Done with the request, not with the answer, which is complete.
                writer.reset(code::stream::CANCELLED);
                Ok(())
            }
            Err(failure) => {
                failure.count(&self.context.limiter);
                tracing::debug!(
                    group = self.fetch.group,
                    ?failure,
                    "group not fetched whole"
                );
                writer.reset(convert::abort_code(failure.abort));
                Err(failure.abort)
            }
        }
    }

    async fn ask(&self, writer: &mut Writer<T::Send>, name: &Name) -> Result<(), StreamError> {
        writer.message(&moq_wire::Fetch {
            broadcast: name.broadcast.clone(),
            track: name.track.clone(),
            priority: self.fetch.priority,
            group: GroupSequence(self.fetch.group),
            frame_start: self.fetch.first_frame,
            frame_last: self.fetch.end_frame.map(|end| end.saturating_sub(1)),
        })?;
        written(writer.flush().await)
    }

    /// Takes in the answer, up to its end or the last frame that is wanted.
    async fn fill(&mut self, reader: &mut Reader<T::Recv>) -> Result<(), GroupFailure> {
        let mut decoder = FrameDecoder::new(self.context.version);
        // A draft whose requests name no frames gets the group from its first one on.
        let has_bounds = self.context.version.features().frame_bounds;
        let mut next = if has_bounds {
            self.fetch.first_frame
        } else {
            0
        };
        let mut is_first = true;
        while self.fetch.end_frame.is_none_or(|end| next < end) {
            let header = group::frame_header(reader, &mut decoder);
            let header = if std::mem::take(&mut is_first) {
                let header = self.context.in_time(header).await;
                header.map_err(|_| LATE)?
            } else {
                header.await
            };
            let Some(header) = header? else { break };
            let buffered = &self.context.limiter.buffered;
            let frame = self.group.frame(reader, header, buffered).await?;
            if next >= self.fetch.first_frame {
                self.group.append(frame)?;
            }
            next += 1;
        }
        Ok(())
    }
}

/// No answer came in time.
const LATE: GroupFailure = GroupFailure {
    abort: Abort::Timeout,
    stop: None,
    fault: None,
};
