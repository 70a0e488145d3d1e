//! The publisher and the subscribers of a drill.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::process::Process;

/// What a line that is whole ends with.
pub(super) const END: &str = "end";

/// A `moq publish` that is fed numbered lines.
pub(super) struct Publisher {
    /// Its process.
    pub(super) id: String,
    written: Arc<AtomicU64>,
    /// Dropped to say that the input ends.
    kill: Sender<()>,
    feeder: JoinHandle<anyhow::Result<Process>>,
}

impl Publisher {
    /// `life` is the first word of its lines, `pace` the time from one line to the next.
    pub(super) fn start(
        publish: &Command,
        life: &str,
        pace: Duration,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let mut process = Process::start(&mut copy(publish), log)?;
        let id = process.id();
        let (kill, killed) = channel();
        let written = Arc::new(AtomicU64::new(0));
        let (count, life) = (Arc::clone(&written), life.to_owned());
        let feeder = thread::spawn(move || {
            let mut due = Instant::now();
            loop {
                due += pace;
                match killed.recv_timeout(due.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) => {
                        let number = count.load(Ordering::Relaxed);
                        process.write(&format!("{life} {number} {END}"))?;
                        count.store(number + 1, Ordering::Relaxed);
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(process),
                    Ok(()) => {
                        process.kill()?;
                        return Ok(process);
                    }
                }
            }
        });
        Ok(Self {
            id,
            written,
            kill,
            feeder,
        })
    }

    /// How many lines it was given so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Whether it takes no more lines.
    pub(super) fn has_failed(&self) -> bool {
        self.feeder.is_finished()
    }

    pub(super) fn kill(self) -> anyhow::Result<()> {
        // If nobody takes it, the feeder has ended, and says why.
        let _ = self.kill.send(());
        joined(self.feeder)?;
        Ok(())
    }

    /// Ends its input and waits until it has delivered; says how many lines it was given.
    pub(super) fn finish(self, deadline: Instant) -> anyhow::Result<u64> {
        drop(self.kill);
        let mut process = joined(self.feeder)?;
        process.end_input();
        let code = process.code(deadline);
        ensure!(code == Some(0), "the publisher ended with {code:?}");
        Ok(self.written.load(Ordering::Relaxed))
    }
}

fn joined(feeder: JoinHandle<anyhow::Result<Process>>) -> anyhow::Result<Process> {
    let ended = feeder.join();
    ended.map_err(|_| anyhow!("feeding a publisher failed"))?
}

/// A `moq subscribe` that stays, and what it has printed.
pub(super) struct Subscriber {
    process: Process,
    /// Whose line it was, and its number.
    lines: Vec<(String, u64)>,
}

impl Subscriber {
    pub(super) fn start(subscribe: &Command, log: &Path) -> anyhow::Result<Self> {
        let mut command = copy(subscribe);
        command.args(["--lines", "--stay", "--from", "oldest"]);
        Ok(Self {
            process: Process::start(&mut command, log)?,
            lines: Vec::new(),
        })
    }

    /// Waits for a line of `life` with this number or a later one; says when it came.
    pub(super) fn wait(
        &mut self,
        life: &str,
        from: u64,
        deadline: Instant,
    ) -> anyhow::Result<Instant> {
        loop {
            let at = self.next(deadline)?;
            let at = at.with_context(|| format!("no line of `{life}` from {from} on in time"))?;
            if self
                .lines
                .last()
                .is_some_and(|(of, number)| of == life && *number >= from)
            {
                return Ok(at);
            }
        }
    }

    /// Takes the next line; says when it came, or that none did.
    fn next(&mut self, deadline: Instant) -> anyhow::Result<Option<Instant>> {
        let Some(line) = self.process.line(deadline) else {
            return Ok(None);
        };
        let words: Vec<&str> = line.text.split(' ').collect();
        let [life, number, END] = words[..] else {
            bail!("a line is half: `{}`", line.text);
        };
        let number = number.parse().context("reading the number of a line")?;
        let is_next = self
            .lines
            .last()
            .is_none_or(|(of, last)| of != life || *last < number);
        ensure!(
            is_next,
            "`{}` comes after {:?}",
            line.text,
            self.lines.last()
        );
        self.lines.push((life.to_owned(), number));
        Ok(Some(line.at))
    }

    /// Reads to the end, and checks that nothing is missing of the last publisher, who was given
    /// `written` lines.
    pub(super) fn check(&mut self, written: u64, deadline: Instant) -> anyhow::Result<String> {
        while self.next(deadline)?.is_some() {}
        let code = self.process.code(deadline);
        ensure!(code == Some(0), "it ended with {code:?}");
        let split = self.lines.iter().position(|(life, _)| life == "second");
        let (first, second) = self.lines.split_at(split.unwrap_or(self.lines.len()));
        let has_all = second.iter().map(|(_, number)| *number).eq(0..written);
        ensure!(
            has_all,
            "it has {} of {written} lines of the second publisher",
            second.len()
        );
        let given = first.last().map_or(0, |(_, number)| number + 1);
        Ok(format!(
            "{} of {given} lines of the first publisher, all {written} of the second",
            first.len()
        ))
    }
}

/// The same program with the same arguments.
pub(super) fn copy(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args());
    copy
}
