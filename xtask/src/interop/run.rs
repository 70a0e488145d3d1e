//! Installs the peers and runs the cells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::cache::Place;
use super::cell::{self, Cell, End};
use super::options::Options;
use super::ours::Ours;
use super::peers::{self, Installed, Peer};
use super::report::{self, Figures, Row, Verdict};
use super::stage::Stage;
use super::{endpoint::Outcome, markdown};
use crate::workspace::Workspace;

/// Runs the cells that the options ask for.
pub(crate) fn launch(workspace: &Workspace, args: &[&str]) -> anyhow::Result<ExitCode> {
    let options = Options::parse(args)?;
    let peers = selected(&options)?;
    let dir = workspace.target.join("interop");
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let ours = Ours::build(workspace, &dir)?;
    let cells = cell::all(&ours, &peers, &options);
    if cells.is_empty() {
        eprintln!("no cell matches");
        return Ok(ExitCode::from(NOTHING));
    }
    if options.list {
        let names: String = cells.iter().map(|cell| format!("{cell}\n")).collect();
        report::print(&names)?;
        return Ok(ExitCode::SUCCESS);
    }
    let installed = install(&cells, &options, &workspace.root.join("xtask/interop"));
    let runner = Runner {
        ours,
        installed,
        required: options.required.clone(),
        dir,
    };
    let rows = runner.run(cells, options.jobs)?;
    let figures = Figures::of(&rows);
    report::end(figures)?;
    if let Some(file) = &options.markdown {
        let page = markdown::page(&rows, &runner.ours);
        std::fs::write(file, page).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(ExitCode::from(u8::from(figures.failed > 0)))
}

/// The peers that the options allow.
fn selected(options: &Options) -> anyhow::Result<Vec<&'static Peer>> {
    for name in options.peers.iter().chain(&options.required) {
        if name != "ours" && !peers::ALL.iter().any(|peer| peer.name == name) {
            bail!("there is no peer {name}");
        }
    }
    let quick = peers::ALL
        .iter()
        .filter(|peer| peer.is_quick || !options.quick);
    Ok(quick.copied().collect())
}

/// Installs whoever the cells need; keeps why that failed.
fn install(cells: &[Cell], options: &Options, clients: &Path) -> Installations {
    let needed = peers::ALL.iter().filter(|peer| {
        let mut peers = cells.iter().filter(|cell| cell.lack().is_none());
        peers.any(|cell| cell.peers().any(|needed| needed.name == peer.name))
    });
    needed
        .map(|peer| {
            let version = peer.package.split(' ').nth(1).unwrap_or_default();
            let folder = format!("{}-{version}", peer.name);
            let place = Place::new(&options.cache, clients, &folder);
            let installed = place.and_then(|place| (peer.install)(&place));
            let installed = installed.map_err(|error| format!("{}: {error:#}", peer.package));
            (peer.name, installed)
        })
        .collect()
}

type Installations = BTreeMap<&'static str, Result<Installed, String>>;

struct Runner {
    ours: Ours,
    installed: Installations,
    required: Vec<String>,
    dir: PathBuf,
}

impl Runner {
    /// Runs all cells, several at a time; tells of them in their order.
    fn run(&self, cells: Vec<Cell>, jobs: usize) -> anyhow::Result<Vec<Row>> {
        report::begin(cells.len())?;
        let next = AtomicUsize::new(0);
        let load = Load::new(jobs);
        let rows: Mutex<BTreeMap<usize, Row>> = Mutex::default();
        let (done, finished) = mpsc::channel();
        let mut told = Vec::new();
        thread::scope(|scope| {
            for _ in 0..jobs {
                let (done, rows, next, cells) = (done.clone(), &rows, &next, &cells);
                let load = &load;
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(cell) = cells.get(index) else { return };
                        let weight = cell.peer.map_or(1, |peer| peer.weight);
                        let row = load.carry(weight, || self.row(cell.clone()));
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        rows.insert(index, row);
                        if done.send(()).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(done);
            for () in finished {
                let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                while let Some(row) = rows.remove(&told.len()) {
                    let dir = Stage::dir_of(&row.cell, &self.dir);
                    report::row(told.len() + 1, &row, &dir)?;
                    told.push(row);
                }
            }
            Ok(told)
        })
    }

    fn row(&self, cell: Cell) -> Row {
        let started = Instant::now();
        let verdict = self.verdict(&cell);
        let took = started.elapsed();
        Row {
            cell,
            verdict,
            took,
        }
    }

    fn verdict(&self, cell: &Cell) -> Verdict {
        if let Some(why) = cell.lack() {
            return Verdict::Skipped(why.to_owned());
        }
        for peer in cell.peers() {
            let Some(Err(why)) = self.installed.get(peer.name) else {
                continue;
            };
            if self.required.iter().any(|name| name == peer.name) {
                let expected = format!("{} to be installed", peer.name);
                return Verdict::Failed(super::failure::Failure::new(expected, why));
            }
            return Verdict::Skipped(why.clone());
        }
        match self.attempt(cell) {
            Ok(verdict) => verdict,
            Err(failure) => Verdict::Failed(failure),
        }
    }

    fn attempt(&self, cell: &Cell) -> Outcome<Verdict> {
        let installed = [End::Publisher, End::Subscriber].map(|end| {
            let peer = cell.peer_at(end)?;
            self.installed.get(peer.name)?.as_ref().ok()
        });
        let mut stage = Stage::new(cell, &self.ours, installed, &self.dir)?;
        (cell.scenario.run)(&mut stage)?;
        let latency = stage.latency;
        Ok(Verdict::Passed { latency })
    }
}

/// How much is run at the same time.
struct Load {
    most: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

impl Load {
    fn new(most: usize) -> Self {
        Self {
            most,
            free: Mutex::new(most),
            freed: Condvar::new(),
        }
    }

    /// Does some work when there is room for it.
    fn carry<T>(&self, weight: usize, work: impl FnOnce() -> T) -> T {
        let weight = weight.min(self.most);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.freed.wait_while(free, |free| *free < weight);
        *free.unwrap_or_else(PoisonError::into_inner) -= weight;
        let done = work();
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += weight;
        self.freed.notify_all();
        done
    }
}

/// The exit code when no cell matches.
const NOTHING: u8 = 127;
