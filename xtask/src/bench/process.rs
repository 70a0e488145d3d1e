//! A program under measurement, and what the kernel knows of its cost.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// A child process on one core, killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program on one core; what it says goes to the log.
    pub(super) fn start(
        cpu: usize,
        program: &Path,
        args: &[&str],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let log = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let child = Command::new("taskset")
            .args(["-c", &cpu.to_string()])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log)
            .spawn()
            .context("running taskset")?;
        Ok(Self { child })
    }

    /// # Errors
    ///
    /// The process has ended.
    pub(super) fn check_alive(&mut self) -> anyhow::Result<()> {
        match self
            .child
            .try_wait()
            .context("asking for a child's state")?
        {
            Some(status) => bail!("it ended by itself ({status})"),
            None => Ok(()),
        }
    }

    /// CPU time of all its threads.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(&self.child.id().to_string())
    }

    /// Resident memory.
    pub(super) fn rss_kib(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        resident(&status).with_context(|| format!("{path} tells no resident memory"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of this process.
pub(super) fn own_cpu() -> anyhow::Result<Duration> {
    cpu_of("self")
}

/// How busy the machine has been since it started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    busy: u64,
    steal: u64,
    total: u64,
    cores: usize,
}

impl Machine {
    pub(super) fn now() -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
        Self::parse(&stat).context("/proc/stat tells no CPU times")
    }

    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat
            .lines()
            .next()?
            .strip_prefix("cpu ")?
            .split_whitespace();
        let mut times = [0; 8];
        for time in &mut times {
            *time = fields.next()?.parse().ok()?;
        }
        // The loops that keep the cores awake are nice.
        let [_, nice, _, idle, iowait, _, _, steal] = times;
        let total = times.iter().sum();
        let cores = stat
            .lines()
            .skip(1)
            .filter(|line| line.starts_with("cpu"))
            .count();
        Some(Self {
            busy: total - nice - idle - iowait - steal,
            steal,
            total,
            cores,
        })
    }

    /// The share of its time that its host kept for others since then.
    pub(super) fn steal_since(&self, then: &Self) -> f64 {
        let total = self.total.saturating_sub(then.total).max(1);
        self.steal.saturating_sub(then.steal) as f64 / total as f64
    }

    /// How many cores were busy on average since then, with other than nice programs.
    pub(super) fn busy_since(&self, then: &Self) -> f64 {
        let total = self.total.saturating_sub(then.total).max(1);
        let busy = self.busy.saturating_sub(then.busy);
        busy as f64 / total as f64 * self.cores as f64
    }
}

/// CPU time of all threads of a process.
pub(super) fn cpu_of(process: &str) -> anyhow::Result<Duration> {
    let tasks = format!("/proc/{process}/task");
    let mut sum = Duration::ZERO;
    for task in std::fs::read_dir(&tasks).with_context(|| format!("listing {tasks}"))? {
        let path = task
            .with_context(|| format!("listing {tasks}"))?
            .path()
            .join("schedstat");
        // A thread may end between being listed and being read.
        let Ok(schedstat) = std::fs::read_to_string(&path) else {
            continue;
        };
        let nanos = schedstat
            .split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok());
        let nanos = nanos.with_context(|| format!("{} tells no CPU time", path.display()))?;
        sum += Duration::from_nanos(nanos);
    }
    Ok(sum)
}

fn resident(status: &str) -> Option<u64> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_status() {
        assert_eq!(resident("Name:\tmoq\nVmRSS:\t   12345 kB\n"), Some(12345));
        assert_eq!(resident("Name:\tmoq\n"), None);
    }

    #[test]
    fn busy_cores_leave_out_idle_nice_and_stolen_time() {
        let before = Machine::parse("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n").unwrap();
        let after = Machine::parse("cpu  40 5 30 90 10 5 10 10 0 0\ncpu0 0\ncpu1 0\n").unwrap();
        assert!((after.busy_since(&before) - 0.85).abs() < 1e-9);
        assert!((after.steal_since(&before) - 0.05).abs() < 1e-9);
        assert!(Machine::parse("intr 1 2 3").is_none());
    }
}
