//! Runs every test with every subject in turn, again and again.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::metric::What;
use super::options::Options;
use super::programs::Programs;
use super::report::Report;
use super::subject::{Subject, Test};
use super::window::{Fault, Window};
use super::workload::{Load, Workload};
use super::{announce, cross, generator, join, latency, memory, setting};

/// Measures with the options given, and writes the report.
pub(crate) fn measure(args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let mut session = Session {
        programs: Programs::beside_this_one(&options)?,
        report: Report::new(setting::describe(&options)),
        options,
    };
    if session.options.is_noisy {
        let note = "--noisy: windows count even though others used the machine, see `others %`";
        session.report.note(note.into());
    }
    for test in session.options.tests.clone() {
        match test {
            Test::Load => session.loads()?,
            Test::Latency => latency::run(&mut session)?,
            Test::Memory => memory::run(&mut session)?,
            Test::Join => join::run(&mut session)?,
            Test::Announce => announce::run(&mut session)?,
            Test::Cross => cross::run(&mut session)?,
        }
        // Who ends a long run early has what was measured until then.
        session.write()?;
    }
    session.finish()
}

/// One run of the bench.
pub(super) struct Session {
    pub(super) programs: Programs,
    pub(super) options: Options,
    pub(super) report: Report,
}

impl Session {
    /// Those of the subjects that are relays.
    pub(super) fn relays(&self) -> Vec<Subject> {
        let relays = self.options.subjects.iter().copied();
        relays
            .filter(|subject| *subject != Subject::FanOut)
            .collect()
    }

    /// Measures the CPU time per frame under each workload.
    fn loads(&mut self) -> anyhow::Result<()> {
        let mut subjects = self.options.subjects.clone();
        if !self.relays().is_empty() {
            subjects.push(Subject::Control);
        }
        for workload in self.options.workloads.clone() {
            self.workload(&workload, &subjects)?;
        }
        Ok(())
    }

    /// Measures at the highest share of the load at which nobody loses anything.
    fn workload(&mut self, workload: &Workload, subjects: &[Subject]) -> anyhow::Result<()> {
        for share in SHARES {
            let load = scaled(workload.load, share);
            eprintln!("{} {}: {load}", workload.id, workload.name);
            let Some(windows) = self.pairs(workload.id, load, subjects)? else {
                continue;
            };
            if load != workload.load {
                let note = format!("{}: measured at {load}, without losses", workload.id);
                self.report.note(note);
            }
            for (pair, subject, window) in windows {
                for (what, value) in figures(workload, &window) {
                    self.report.add(what, pair, subject, value);
                }
            }
            return Ok(());
        }
        let note = format!(
            "{}: somebody loses groups even at the least load",
            workload.id
        );
        self.report.note_missing(note);
        Ok(())
    }

    /// All pairs at one load; `None` if the load is too much for somebody.
    pub(super) fn pairs(
        &mut self,
        workload: &'static str,
        load: Load,
        subjects: &[Subject],
    ) -> anyhow::Result<Option<Vec<(usize, Subject, Window)>>> {
        let mut windows = Vec::new();
        for pair in 0..self.options.pairs {
            for subject in self.order(pair, subjects) {
                match self.window(workload, subject, load)? {
                    Ok(window) => windows.push((pair, subject, window)),
                    Err(fault) if fault.is_loss() => return Ok(None),
                    // Its pair is without it.
                    Err(_) => {}
                }
            }
        }
        Ok(Some(windows))
    }

    /// The subjects forth and back, by turns.
    pub(super) fn order(&self, round: usize, subjects: &[Subject]) -> Vec<Subject> {
        let mut order = subjects.to_vec();
        if round % 2 == 1 {
            order.reverse();
        }
        order
    }

    /// A window that counts, after a bounded number of attempts.
    fn window(
        &mut self,
        workload: &'static str,
        subject: Subject,
        load: Load,
    ) -> anyhow::Result<Result<Window, Fault>> {
        let mut last = None;
        for _ in 0..=self.options.repeats {
            let window = self.programs.with(subject, async |stage| {
                generator::measure(load, &stage.process, &stage.dialer).await
            })?;
            let fault = window.fault(self.options.is_noisy);
            let said = fault.map(|fault| fault.to_string());
            eprintln!(
                "   {subject:8} {:6.1} µs/frame  {}",
                window.micros_per_frame(),
                said.as_deref().unwrap_or_default()
            );
            self.report.keep(workload, subject, window.clone(), said);
            match fault {
                None => return Ok(Ok(window)),
                Some(fault) => last = Some(fault),
            }
        }
        let fault = last.context("a window is measured at least once")?;
        let times = self.options.repeats + 1;
        let note = format!(
            "{workload}: {subject} without a window that counts, {times} times in a row: {fault}"
        );
        if fault.is_loss() {
            self.report.note(note);
        } else {
            self.report.note_missing(note);
        }
        Ok(Err(fault))
    }

    /// Writes what was measured so far into the files that were asked for.
    fn write(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.options.markdown {
            write(file, &self.report.markdown())?;
        }
        if let Some(file) = &self.options.json {
            write(file, &format!("{:#}\n", self.report.json()))?;
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        if self.options.markdown.is_none() {
            print(&self.report.markdown())?;
        }
        match self.report.fault() {
            Some(fault) if !self.options.is_noisy => bail!("these figures do not count: {fault}"),
            _ => Ok(()),
        }
    }
}

/// A share of a load: fewer subscribers, and no publisher without any.
fn scaled(load: Load, (parts, of): (u64, u64)) -> Load {
    let subscribers = (load.subscribers * parts / of).max(1);
    Load {
        subscribers,
        publishers: load.publishers.min(subscribers),
        ..load
    }
}

/// What a window says.
fn figures(workload: &Workload, window: &Window) -> [(What, f64); 4] {
    let what = |name, text, unit| What::new(format!("{} {name}", workload.id), text, unit);
    let cost = what("cpu", "CPU per delivered frame", "µs");
    [
        (
            cost.with_gate(f64::from(workload.gate) / 100.0),
            window.micros_per_frame(),
        ),
        (
            what("p50", "latency, from due to whole", "ms"),
            window.p50.as_secs_f64() * 1e3,
        ),
        (
            what("p99", "latency, from due to whole", "ms"),
            window.p99.as_secs_f64() * 1e3,
        ),
        (
            what("rss", "memory at the end", "MiB"),
            window.rss_kib as f64 / 1024.0,
        ),
    ]
}

fn print(page: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut stdout = std::io::stdout();
    stdout.write_all(page.as_bytes()).context("printing")
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

/// Shares of a load, as fractions.
const SHARES: [(u64, u64); 6] = [(1, 1), (3, 4), (1, 2), (3, 8), (1, 4), (1, 8)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::workload::V4K60;

    #[test]
    fn less_load_means_fewer_subscribers() {
        let chat = Workload::find("chat").unwrap().load;
        let half = scaled(chat, (1, 2));
        assert_eq!((half.publishers, half.subscribers), (150, 150));
        let least = scaled(V4K60.load, (1, 1000));
        assert_eq!((least.publishers, least.subscribers), (1, 1));
    }
}
