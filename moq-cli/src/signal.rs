//! Ending by signal.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// The signals that end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes over SIGINT and SIGTERM from here on. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal; yields the exit code that it stands for.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}
