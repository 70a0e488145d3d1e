//! Real processes that are killed, and how soon data flows again.

mod ends;
mod restart;
mod strict;
mod takeover;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use self::ends::{Publisher, Subscriber};
use crate::relay::{Plan, Relay};
use crate::workspace::Workspace;

/// What `cargo xtask drill --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask drill [OPTIONS]
       cargo xtask drill restart [OPTIONS]
       cargo xtask drill strict [OPTIONS]
       cargo xtask drill takeover [OPTIONS]

Kills a relay ten times with SIGKILL under a publisher and two subscribers in processes of their own, and says how
long after each restart data flows again: at most 4 s. Then it kills the publisher and starts another one, which
subscribers that were asked to stay go on with. Nothing that arrived may be half, twice or out of order.

  --quick       kills the relay twice
  --scheme S    https or moqt alone; both without it
  --version V   the draft, such as moq-lite-06

`restart` kills a relay three times with SIGKILL under 1000 idle clients, which know of it only by what the restarted
relay answers. All of them have to be connected again within 9 s: the 3 s from one ping to the next, and 6 s.

  --quick       100 clients over moqt, one kill, a debug build
  --clients N   how many clients
  --kills N     how often the relay is killed
  --engine E    the relay's QUIC engine: direct or quinn
  --scheme S    https or moqt alone; both without it
  --version V   the draft, such as moq-lite-06

`strict` kills a relay 20 times under a publisher of 60 groups a second and one `moq subscribe --strict`, in each draft
that tells who publishes, over https and moqt. Every group has to arrive, once and in order. It says how many did, how
many were skipped, and for how long no data came after a kill.

  --quick       3 kills of the newest of the drafts
  --kills N     how often the relay is killed
  --scheme S    https or moqt alone
  --version V   one draft alone
  --seed S      the moments of the kills
  --keep        keeps the logs

`takeover` kills the publisher of a broadcast with SIGKILL, in turns with a second one that publishes it already and
with one that is started afterwards. A subscriber that stays has to have data of the other one within 2 s; one that
does not has to end with a reason within the same time, and `moq ls --watch` has to tell of the change. Then a publisher
with one beside it is stopped for 2 s and has to come back.

  --quick       2 kills of each kind
  --rounds N    kills of each kind [10]
  --scheme S    https or moqt alone; both without it
  --version V   the draft, such as moq-lite-06
  --loss MIN    instead: live data for MIN minutes over a link that loses 5 % of the packets, with a second publisher
                beside it; nobody may take over
";

/// Data has to flow again within this time after a relay is back.
const LIMIT: Duration = Duration::from_secs(4);
/// A publisher that vanished is missed once the relay's idle timeout is over.
const PATIENCE: Duration = Duration::from_secs(30);

struct Options {
    kills: usize,
    schemes: Vec<String>,
    version: String,
}

impl Options {
    fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            kills: 10,
            schemes: vec!["https".to_owned(), "moqt".to_owned()],
            version: "moq-lite-06".to_owned(),
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            match name {
                "--quick" => options.kills = 2,
                "--scheme" | "--version" => {
                    let value = args.next();
                    let value = value.with_context(|| format!("{name} needs a value"))?;
                    if name == "--version" {
                        options.version = value.to_owned();
                    } else {
                        ensure!(
                            ["https", "moqt"].contains(&value),
                            "no such scheme: {value}"
                        );
                        options.schemes = vec![value.to_owned()];
                    }
                }
                _ => bail!("unknown option `{name}`; see `cargo xtask drill --help`"),
            }
        }
        Ok(options)
    }
}

/// From one line of a publisher to the next; five are a group.
const PACE: Duration = Duration::from_millis(20);

/// Runs the drill over each scheme, or another one by its name.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    match args {
        ["restart", args @ ..] => return restart::run(workspace, args),
        ["strict", args @ ..] => return strict::run(workspace, args),
        ["takeover", args @ ..] => return takeover::run(workspace, args),
        _ => {}
    }
    let options = Options::parse(args)?;
    let program = build(workspace)?;
    for scheme in &options.schemes {
        let name = format!("moq-drill-{}-{scheme}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).context("making a directory for logs")?;
        drill(&program, scheme, &options, &dir)
            .with_context(|| format!("logs are in {}", dir.display()))?;
        std::fs::remove_dir_all(&dir).context("removing the logs")?;
    }
    Ok(())
}

/// Builds `moq`.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let build = ["build", "-p", "moq-cli", "--bin", "moq"];
    let status = workspace.cargo(&build).status()?;
    ensure!(status.success(), "our program does not build");
    Ok(workspace.target.join("debug/moq"))
}

fn drill(program: &Path, scheme: &str, options: &Options, dir: &Path) -> anyhow::Result<()> {
    let mut relay = Relay::start(plan(program, &options.version, dir), soon())?;
    let place = Place {
        scheme,
        port: relay.port,
        fingerprint: &relay.fingerprint,
        version: &options.version,
        path: "live/x",
    };
    let client = |command| place.client(program, command);
    let (mut publish, subscribe) = (client("publish"), client("subscribe"));
    publish.args(["--lines", "--group-frames", "5"]);
    let mut subscribers = [
        Subscriber::start(&subscribe, &dir.join("subscriber-1.log"))?,
        Subscriber::start(&subscribe, &dir.join("subscriber-2.log"))?,
    ];
    let first = Publisher::start(&publish, "first", PACE, &dir.join("publisher-1.log"))?;
    flowing(&mut subscribers, "first", 0, Instant::now(), PATIENCE)?;

    let mut worst = Duration::ZERO;
    for kill in 1..=options.kills {
        relay.kill()?;
        relay.restart(soon())?;
        let after = flowing(
            &mut subscribers,
            "first",
            first.written(),
            Instant::now(),
            LIMIT,
        )?;
        worst = worst.max(after);
        eprintln!(
            "{scheme}: relay killed, {kill}: data again {:.2} s after its restart",
            after.as_secs_f64()
        );
    }
    first.kill()?;
    let killed = Instant::now();
    let second = Publisher::start(&publish, "second", PACE, &dir.join("publisher-2.log"))?;
    let after = flowing(&mut subscribers, "second", 0, killed, PATIENCE)?;
    eprintln!(
        "{scheme}: publisher killed: data of the next one {:.2} s later",
        after.as_secs_f64()
    );
    let written = second.finish(soon())?;
    for (number, subscriber) in (1..).zip(&mut subscribers) {
        let told = subscriber.check(written, soon());
        eprintln!("{scheme}: subscriber {number}: {}", told?);
    }
    eprintln!(
        "{scheme}: {} kills of the relay, at most {:.2} s each",
        options.kills,
        worst.as_secs_f64()
    );
    Ok(())
}

/// Where a client of a drill connects, and what for.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    scheme: &'a str,
    port: u16,
    fingerprint: &'a str,
    version: &'a str,
    path: &'a str,
}

impl Place<'_> {
    /// A `moq` that does something there.
    fn client(&self, program: &Path, command: &str) -> Command {
        let mut client = Command::new(program);
        let url = format!("{}://127.0.0.1:{}", self.scheme, self.port);
        client.args([command, &url, self.path]);
        client.args(["--tls-fingerprint", self.fingerprint]);
        client.args(["--version", self.version]);
        client
    }
}

fn plan(program: &Path, version: &str, dir: &Path) -> Plan {
    Plan {
        program: program.to_owned(),
        is_ours: true,
        version: version.to_owned(),
        public: "**".to_owned(),
        plain: None,
        upstream: None,
        drains: false,
        identity: dir.join("unused"),
        dir: dir.to_owned(),
        log: dir.join("relay.log"),
    }
}

/// Waits until each subscriber has a line of `life` from number `from` on; says how long after
/// `since` the last of them had.
fn flowing(
    subscribers: &mut [Subscriber],
    life: &str,
    from: u64,
    since: Instant,
    limit: Duration,
) -> anyhow::Result<Duration> {
    let mut longest = Duration::ZERO;
    for (number, subscriber) in (1..).zip(subscribers) {
        let at = subscriber.wait(life, from, since + limit);
        let at = at.with_context(|| format!("subscriber {number}, {limit:?} at most"))?;
        longest = longest.max(at.saturating_duration_since(since));
    }
    Ok(longest)
}

/// When a program that is asked for something simple has to be done.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
