//! Hostile peers against a relay in a process of its own, and what that costs others.

mod attacks;
mod bare;
mod client;
mod gauge;
mod log;
mod options;
mod outcome;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use self::attacks::{ATTACKS, Attack, Run};
use self::options::Options;
use self::outcome::Outcome;
use self::stage::{Setting, Stage};
use crate::workspace::Workspace;

pub(crate) use self::options::HELP;

/// The programs of this workspace that take part.
#[derive(Debug, Clone)]
struct Programs {
    moq: PathBuf,
    /// `moq-cli/examples/evil`, because this crate depends on none of ours.
    evil: PathBuf,
}

/// Runs the attacks in turn, each against a relay of its own.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<ExitCode> {
    let options = Options::parse(args)?;
    ensure!(
        cfg!(target_os = "linux"),
        "memory and wakes are read from /proc, which this system has not"
    );
    let programs = Programs::build(workspace, options.is_release)?;
    let mut failed = Vec::new();
    for attack in ATTACKS.iter().filter(|attack| options.has(attack.name)) {
        if options.is_quick && !attack.runs_quickly {
            eprintln!("{}: SKIPPED, it takes long", attack.name);
            continue;
        }
        for scheme in options.schemes_of(attack) {
            let title = format!("{} over {scheme}", attack.name);
            if !is_within_limits(&programs, (attack, scheme), &title, &options) {
                failed.push(title);
            }
        }
    }
    if failed.is_empty() {
        eprintln!("every attack stayed within its limits");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Runs one attack, and tells what it came to. Others on the machine make first frames late, too, so that
/// an attack of which only those are beyond their limit has a second and a third attempt.
fn is_within_limits(
    programs: &Programs,
    (attack, scheme): (&Attack, &str),
    title: &str,
    options: &Options,
) -> bool {
    for attempt in 1..=ATTEMPTS {
        let outcome = match stage(programs, attack, scheme, options) {
            Ok(outcome) => outcome,
            Err(error) => {
                eprintln!("{title}: {}\n  FAIL {error:#}", attack.says);
                return false;
            }
        };
        eprintln!("{title}: {}\n{outcome}", attack.says);
        if attempt == ATTEMPTS || !outcome.is_only_late() {
            return outcome.is_good();
        }
        eprintln!("  only late: attempt {} of {ATTEMPTS} follows", attempt + 1);
    }
    false
}

/// Runs one attack; the logs stay where it failed.
fn stage(
    programs: &Programs,
    attack: &Attack,
    scheme: &str,
    options: &Options,
) -> anyhow::Result<Outcome> {
    let name = format!("moq-evil-{}-{}-{scheme}", std::process::id(), attack.name);
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&dir).context("making a directory for logs")?;
    let setting = Setting {
        programs: programs.clone(),
        dir: dir.clone(),
        scheme: scheme.to_owned(),
        version: options.version.clone(),
        is_quick: options.is_quick,
        is_release: options.is_release,
        peer: options.peer.clone(),
        engine: options.engine.clone(),
    };
    let ran = match attack.run {
        Run::Sessions(run) => {
            Stage::start(setting, attack.relay).and_then(|mut stage| run(&mut stage))
        }
        Run::Packets(run) => run(&setting),
    };
    let outcome = ran.with_context(|| format!("logs are in {}", dir.display()))?;
    if outcome.is_good() {
        std::fs::remove_dir_all(&dir).context("removing the logs")?;
    } else {
        eprintln!("logs are in {}", dir.display());
    }
    Ok(outcome)
}

impl Programs {
    fn build(workspace: &Workspace, is_release: bool) -> anyhow::Result<Self> {
        let mut build = workspace.cargo(&["build", "-p", "moq-cli", "--bin", "moq"]);
        build.args(["--example", "evil"]);
        if is_release {
            build.arg("--release");
        }
        let status = build.status().context("building our programs")?;
        ensure!(status.success(), "our programs do not build");
        let profile = if is_release { "release" } else { "debug" };
        let built = workspace.target.join(profile);
        Ok(Self {
            moq: built.join("moq"),
            evil: built.join("examples/evil"),
        })
    }
}

const ATTEMPTS: usize = 3;
