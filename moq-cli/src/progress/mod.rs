//! What people see on stderr: notes, and one line of progress that is written over and over.

mod lines;

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Writes to stderr for people. Clones write to the same place.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    is_quiet: bool,
    is_terminal: bool,
    /// How many lines of progress stand on the terminal.
    drawn: Mutex<usize>,
}

impl Console {
    /// Notes and, on a terminal, progress; neither if `is_quiet`.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let inner = Inner {
            is_quiet,
            is_terminal: io::stderr().is_terminal(),
            drawn: Mutex::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Whether colours and moving the cursor make sense.
    pub(crate) fn is_terminal(&self) -> bool {
        self.inner.is_terminal
    }

    /// Tells something on a line of its own, unless quiet.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.inner.is_quiet {
            // Nobody can be told that stderr is gone.
            let _ = writeln!(self.writer(), "moq: {text}");
        }
    }

    /// Tells several lines as they are, unless quiet.
    pub(crate) fn banner(&self, text: &str) {
        if !self.inner.is_quiet {
            let _ = self.writer().write_all(text.as_bytes());
        }
    }

    /// Tells what ends the program, on a line of its own.
    pub(crate) fn fail(&self, line: &str) {
        let _ = writeln!(self.writer(), "{line}");
    }

    /// Begins to show progress: nothing without a terminal.
    pub(crate) fn meter(&self) -> Meter {
        let counters = Arc::new(Counters::default());
        let task = (self.inner.is_terminal && !self.inner.is_quiet).then(|| {
            let (console, counters) = (self.clone(), counters.clone());
            tokio::spawn(async move { console.draw_often(&counters).await })
        });
        let console = self.clone();
        Meter {
            counters,
            task,
            console,
        }
    }

    /// Shows a line of progress of its own, in place of the one before: nothing without a terminal.
    pub(crate) fn show(&self, line: impl FnOnce() -> String) {
        self.show_lines(|| vec![line()]);
    }

    /// Shows several lines of progress, in place of those before: nothing without a terminal.
    pub(crate) fn show_lines(&self, lines: impl FnOnce() -> Vec<String>) {
        if self.inner.is_terminal && !self.inner.is_quiet {
            self.draw(&lines());
        }
    }

    /// A place for whole lines, beside the line of progress.
    pub(crate) fn writer(&self) -> Writer {
        Writer(self.clone())
    }

    async fn draw_often(&self, counters: &Counters) {
        let mut interval = tokio::time::interval(REDRAW);
        let (mut at, mut bytes) = (Instant::now(), 0);
        loop {
            interval.tick().await;
            let (now, total) = (Instant::now(), counters.bytes.load(Ordering::Relaxed));
            let rate = rate(total - bytes, now - at);
            (at, bytes) = (now, total);
            self.draw(&[counters.line(rate)]);
        }
    }

    fn draw(&self, lines: &[String]) {
        let mut drawn = self.lock();
        let text = lines::in_place_of(*drawn, lines);
        *drawn = lines.len();
        let _ = write!(io::stderr(), "{text}");
    }

    /// Takes the lines of progress away.
    fn clear(&self) {
        let mut drawn = self.lock();
        let before = std::mem::take(&mut *drawn);
        if before > 0 {
            let _ = write!(io::stderr(), "{}", lines::in_place_of(before, &[]));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, usize> {
        self.inner
            .drawn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Console::writer`].
#[derive(Debug)]
pub(crate) struct Writer(Console);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.clear();
        io::stderr().write(bytes)
    }

    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        // A line is one write, so that those of several processes do not mix.
        self.write_all(text.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Counts what flows. Dropping it takes the line of progress away.
#[derive(Debug)]
pub(crate) struct Meter {
    counters: Arc<Counters>,
    task: Option<JoinHandle<()>>,
    console: Console,
}

#[derive(Debug)]
struct Counters {
    bytes: AtomicU64,
    groups: AtomicU64,
    lag_millis: AtomicU64,
    subscribers: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            groups: AtomicU64::new(0),
            lag_millis: AtomicU64::new(UNKNOWN),
            subscribers: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Meter {
    /// A frame of so many bytes.
    pub(crate) fn frame(&self, bytes: usize) {
        self.counters
            .bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A group began.
    pub(crate) fn group(&self) {
        self.counters.groups.fetch_add(1, Ordering::Relaxed);
    }

    /// How long ago the last frame was written.
    pub(crate) fn lag(&self, lag: Duration) {
        let millis = u64::try_from(lag.as_millis()).unwrap_or(UNKNOWN);
        self.counters.lag_millis.store(millis, Ordering::Relaxed);
    }

    /// How many subscriptions are served.
    pub(crate) fn subscribers(&self, subscribers: usize) {
        self.counters
            .subscribers
            .store(subscribers as u64, Ordering::Relaxed);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
            self.console.clear();
        }
    }
}

impl Counters {
    fn line(&self, rate: f64) -> String {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let groups = self.groups.load(Ordering::Relaxed);
        let mut line = format!(
            "{}/s, {} in {groups} groups",
            amount(rate),
            amount(bytes as f64)
        );
        let lag = self.lag_millis.load(Ordering::Relaxed);
        if lag != UNKNOWN {
            // Writing into a string cannot fail.
            let _ = write!(line, ", lag {lag} ms");
        }
        let subscribers = self.subscribers.load(Ordering::Relaxed);
        if subscribers != UNKNOWN {
            let _ = write!(line, ", {subscribers} subscribers");
        }
        line
    }
}

fn rate(bytes: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        bytes as f64 / time.as_secs_f64()
    }
}

/// Bytes in the unit that reads best.
fn amount(bytes: f64) -> String {
    match bytes {
        b if b < 1e3 => format!("{b:.0} B"),
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.2} GB", b / 1e9),
    }
}

/// Not known, or not of this command.
const UNKNOWN: u64 = u64::MAX;

/// Four times a second.
const REDRAW: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        let read: Vec<_> = [0.0, 999.0, 1_500.0, 2.5e6, 3e9].map(amount).into();
        assert_eq!(read, ["0 B", "999 B", "1.5 kB", "2.5 MB", "3.00 GB"]);
    }

    #[test]
    fn only_what_is_known_is_shown() {
        let counters = Counters::default();
        assert_eq!(counters.line(0.0), "0 B/s, 0 B in 0 groups");
        counters.lag_millis.store(7, Ordering::Relaxed);
        counters.subscribers.store(2, Ordering::Relaxed);
        assert_eq!(
            counters.line(2e3),
            "2.0 kB/s, 0 B in 0 groups, lag 7 ms, 2 subscribers"
        );
    }
}
