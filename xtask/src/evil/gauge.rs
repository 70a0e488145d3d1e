//! What the kernel knows of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;

/// A process to look at from outside.
#[derive(Debug, Clone)]
pub(super) struct Gauge {
    id: String,
}

/// Looks at a process's memory until it is asked for the most.
#[derive(Debug)]
pub(super) struct Peak {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Gauge {
    pub(super) fn new(id: String) -> Self {
        Self { id }
    }

    /// Resident memory, in bytes.
    pub(super) fn memory(&self) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let kib = number(&status, "VmRSS:").context("no resident memory is told")?;
        Ok(kib << 10)
    }

    /// How often its threads have waited for something, in all.
    pub(super) fn wakes(&self) -> anyhow::Result<u64> {
        let tasks = format!("/proc/{}/task", self.id);
        let mut wakes = 0;
        for task in std::fs::read_dir(&tasks).with_context(|| format!("listing {tasks}"))? {
            let status = task
                .with_context(|| format!("listing {tasks}"))?
                .path()
                .join("status");
            // A thread may end between being listed and being read.
            let status = std::fs::read_to_string(status).unwrap_or_default();
            wakes += number(&status, "voluntary_ctxt_switches:").unwrap_or_default();
        }
        Ok(wakes)
    }

    /// CPU time, in seconds.
    pub(super) fn cpu(&self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).context("no CPU time is told")?;
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// CPU time of the threads that it has now, to the nanosecond.
    pub(super) fn busy(&self) -> anyhow::Result<Duration> {
        let tasks = format!("/proc/{}/task", self.id);
        let mut busy = Duration::ZERO;
        for task in std::fs::read_dir(&tasks).with_context(|| format!("listing {tasks}"))? {
            let path = task.with_context(|| format!("listing {tasks}"))?.path();
            // A thread may end between being listed and being read.
            let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
            busy += Duration::from_nanos(nanos.unwrap_or_default());
        }
        Ok(busy)
    }

    /// Begins to look at its memory.
    pub(super) fn peak(&self) -> Peak {
        let (gauge, is_over) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let over = is_over.clone();
        let thread = thread::spawn(move || {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(gauge.memory().unwrap_or_default());
                thread::sleep(PACE);
            }
            most.max(gauge.memory().unwrap_or_default())
        });
        Peak { is_over, thread }
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.id);
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }
}

impl Peak {
    /// The most that there was, in bytes.
    pub(super) fn most(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(u64::MAX)
    }
}

/// Bytes as MiB.
pub(super) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What follows a name in a file of `/proc`.
fn number(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

/// User and system time. The program's name, in parentheses, may have spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// The machine's memory, in bytes.
pub(super) fn machine() -> anyhow::Result<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    let kib = number(&info, "MemTotal:").context("/proc/meminfo tells no total")?;
    Ok(kib << 10)
}

/// `USER_HZ` is 100 on every architecture of Linux that we build for.
const TICKS_PER_SECOND: f64 = 100.0;
/// From one look at the memory to the next.
const PACE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_proc() {
        let status = "Name:\tmoq\nVmRSS:\t  123 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(number(status, "VmRSS:"), Some(123));
        assert_eq!(number(status, "voluntary_ctxt_switches:"), Some(7));
        let stat = "12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn this_process_has_memory_and_wakes() {
        let gauge = Gauge::new(std::process::id().to_string());
        let peak = gauge.peak();
        assert!(gauge.memory().unwrap() > 1 << 20);
        assert!(peak.most() > 1 << 20);
        assert!(gauge.cpu().unwrap() >= 0.0 && gauge.wakes().is_ok());
        assert!(gauge.busy().unwrap() > Duration::ZERO);
    }
}
