//! From a track to stdout.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_model::platform::clock;
use moq_session::{Abort, Continuity, Frame, TrackInfo, TrackRead};

use super::trouble;
use crate::args::{Mode, SubscribeArgs};
use crate::input;
use crate::output::{self, Output, OutputClosed};
use crate::progress::{Console, Meter};

/// Writes frames in order, over as many subscriptions as it takes.
#[derive(Debug)]
pub(super) struct Writer {
    mode: Mode,
    is_strict: bool,
    output: Output,
    console: Console,
    meter: Meter,
    info: TrackInfo,
}

impl Writer {
    pub(super) fn new(args: &SubscribeArgs, console: &Console) -> Self {
        Self {
            mode: args.media.mode(),
            is_strict: args.strict,
            output: Output::stdout(),
            console: console.clone(),
            meter: console.meter(),
            info: TrackInfo::default(),
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If stdout cannot be written to.
    pub(super) async fn finish(self) -> anyhow::Result<()> {
        drop(self.meter);
        let finished = self
            .output
            .finish()
            .await
            .context("cannot write to stdout")?;
        // A reader that has seen enough is not a failure.
        finished.or(Ok(()))
    }

    /// A track with these properties follows.
    pub(super) fn begin(&mut self, info: TrackInfo, continuity: Continuity) {
        self.info = info;
        if continuity == Continuity::Anew {
            self.console
                .note("the publisher is taken for another one; beginning anew");
        }
    }

    /// Takes in what was read; says whether it is time to flush.
    ///
    /// # Errors
    /// If something is missing that must not be, or a frame is not what was asked for.
    pub(super) fn take(&mut self, read: TrackRead) -> anyhow::Result<bool> {
        match read {
            TrackRead::Frame { index, frame, .. } => {
                self.count(index, &frame);
                self.write(frame.payload)
            }
            TrackRead::Skipped { groups, cause } => {
                self.skipped(groups, cause)?;
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn skipped(&self, groups: std::ops::Range<u64>, cause: Abort) -> anyhow::Result<()> {
        let what = trouble::missing(&groups, cause);
        if self.is_strict {
            return Err(trouble::strict(what));
        }
        self.console.note(what);
        Ok(())
    }

    fn count(&self, index: usize, frame: &Frame) {
        if index == 0 {
            self.meter.group();
        }
        self.meter.frame(frame.payload.len());
        let written = self.info.timescale.to_duration(frame.timestamp);
        if let Some(lag) = clock::unix()
            .checked_sub(written)
            .filter(|lag| *lag < PLAUSIBLE)
        {
            self.meter.lag(lag);
        }
    }

    /// Hands a frame to the output; says whether it is time to flush.
    fn write(&mut self, payload: Bytes) -> anyhow::Result<bool> {
        if self.mode == Mode::Raw {
            return Ok(self.output.push(payload));
        }
        if self.mode == Mode::Json {
            input::check_json(&payload).map_err(trouble::no_json)?;
        }
        let is_full = self.output.push(payload);
        Ok(self.output.push(LINE_END) || is_full)
    }

    /// Hands what is pending to stdout; says whether that is closed.
    ///
    /// # Errors
    /// If stdout cannot be written to.
    pub(super) async fn flush(&mut self) -> anyhow::Result<Option<OutputClosed>> {
        output::flush(&mut self.output).await
    }
}

/// What ends a line.
const LINE_END: Bytes = Bytes::from_static(b"\n");

/// A frame that seems older bears no time of day.
const PLAUSIBLE: Duration = Duration::from_secs(24 * 60 * 60);
