//! A relay that is killed under idle clients, and how soon all of them are back.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::plan;
use crate::process::Process;
use crate::relay::{Relay, tail};
use crate::workspace::Workspace;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    clients: usize,
    kills: usize,
    is_release: bool,
    schemes: Vec<String>,
    version: String,
    engine: String,
}

impl Options {
    fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            clients: 1_000,
            kills: 3,
            is_release: true,
            schemes: SCHEMES.map(str::to_owned).to_vec(),
            version: "moq-lite-06".to_owned(),
            engine: "direct".to_owned(),
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            let mut value = || args.next().with_context(|| format!("{name} needs a value"));
            match name {
                "--quick" => {
                    (options.clients, options.kills, options.is_release) = (100, 1, false);
                    options.schemes.truncate(1);
                }
                "--clients" => options.clients = value()?.parse().context("--clients")?,
                "--kills" => options.kills = value()?.parse().context("--kills")?,
                "--engine" => options.engine = value()?.to_owned(),
                "--version" => options.version = value()?.to_owned(),
                "--scheme" => {
                    let value = value()?;
                    ensure!(SCHEMES.contains(&value), "no such scheme: {value}");
                    options.schemes = vec![value.to_owned()];
                }
                _ => bail!("unknown option `{name}`; see `cargo xtask drill --help`"),
            }
        }
        Ok(options)
    }
}

/// Runs the drill over each scheme.
pub(super) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let built = build(workspace, options.is_release)?;
    for scheme in &options.schemes {
        let name = format!("moq-restart-{}-{scheme}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).context("making a directory for logs")?;
        let drill = Drill {
            dir: dir.clone(),
            scheme,
            built: &built,
            options: &options,
        };
        let drilled = drill.run();
        drilled.with_context(|| format!("logs are in {}", dir.display()))?;
        std::fs::remove_dir_all(&dir).context("removing the logs")?;
    }
    Ok(())
}

/// Builds `moq` and the clients; says where they are.
fn build(workspace: &Workspace, is_release: bool) -> anyhow::Result<PathBuf> {
    let mut build = workspace.cargo(&["build", "-p", "moq-cli", "--bin", "moq"]);
    build.args(["--example", "evil"]);
    if is_release {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "our programs do not build");
    let profile = if is_release { "release" } else { "debug" };
    Ok(workspace.target.join(profile))
}

struct Drill<'a> {
    dir: PathBuf,
    scheme: &'a str,
    built: &'a PathBuf,
    options: &'a Options,
}

impl Drill<'_> {
    fn run(&self) -> anyhow::Result<()> {
        let Options {
            clients,
            kills,
            version,
            engine,
            ..
        } = self.options;
        let mut plan = plan(&self.built.join("moq"), version, &self.dir);
        plan.plain = Some(vec!["--engine".to_owned(), engine.clone()]);
        let mut relay = Relay::start(plan, soon())?;
        let idle = self.idle(&relay)?;
        let mut worst = Duration::ZERO;
        for kill in 1..=*kills {
            let killed = Instant::now();
            relay.kill()?;
            relay.restart(soon())?;
            let restarted = Instant::now();
            let all = clients * kill;
            let back = told(&idle, "back", all, restarted + LIMIT);
            let back = back.with_context(|| self.last_words(LIMIT))?;
            let after = back.saturating_duration_since(restarted);
            worst = worst.max(after);
            eprintln!(
                "{}: relay killed, {kill}: all {clients} are back {:.2} s after its restart, {:.2} s after its end",
                self.scheme,
                after.as_secs_f64(),
                back.saturating_duration_since(killed).as_secs_f64()
            );
        }
        eprintln!(
            "{}: {kills} kills under {clients} idle clients, back after at most {:.2} s",
            self.scheme,
            worst.as_secs_f64()
        );
        Ok(())
    }

    /// The clients, when they are connected.
    fn idle(&self, relay: &Relay) -> anyhow::Result<Process> {
        let mut command = Command::new(self.built.join("examples/evil"));
        let mut idle = Process::start(&mut command, &self.dir.join("idle.log"))?;
        let url = format!("{}://127.0.0.1:{}", self.scheme, relay.port);
        let Options {
            clients, version, ..
        } = self.options;
        idle.write(&format!("place {url} {} {version}", relay.fingerprint))?;
        idle.write(&format!("idle {clients}"))?;
        let connected = told(&idle, "idle", *clients, soon() + PATIENCE);
        connected.with_context(|| self.last_words(PATIENCE))?;
        Ok(idle)
    }

    fn last_words(&self, limit: Duration) -> String {
        let log = tail(&self.dir.join("relay.log"), 2).join(" | ");
        format!("{limit:?} at most; the relay's log ends with: {log}")
    }
}

/// Waits until the clients tell that so many of them are as they should; says when they told.
fn told(idle: &Process, word: &str, count: usize, deadline: Instant) -> anyhow::Result<Instant> {
    let mut last = 0;
    while let Some(line) = idle.line(deadline) {
        match line.text.split_once(' ') {
            Some((first, number)) if first == word => {
                last = number.parse::<usize>().context("reading a number")?;
                if last >= count {
                    return Ok(line.at);
                }
            }
            Some(("failed", why)) => bail!("a client gave up: {why}"),
            _ => {}
        }
    }
    bail!("only {last} of {count} in time");
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

const SCHEMES: [&str; 2] = ["moqt", "https"];

/// A client notices with its next ping, of which there is one every 3 s, and needs a moment to dial.
const LIMIT: Duration = Duration::from_secs(3 + 6);

/// How long all clients may take to connect at first.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_is_of_a_debug_build_over_one_binding() {
        let quick = Options::parse(&["--quick", "--clients", "7"]).unwrap();
        assert_eq!(
            (quick.clients, quick.kills, quick.is_release),
            (7, 1, false)
        );
        assert_eq!(quick.schemes, SCHEMES[..1]);
        let full = Options::parse(&["--scheme", "https"]).unwrap();
        assert_eq!((full.clients, full.is_release), (1_000, true));
        assert_eq!(full.schemes, ["https"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [&["--clients"][..], &["--scheme", "ws"], &["--kilns", "3"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
