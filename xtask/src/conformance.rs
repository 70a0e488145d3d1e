//! Foreign clients against the servers of both transports. aioquic tries what has to work, and sends HTTP/3
//! heads, frames, settings and capsules that are odd or wrong; Chromium tries what a page can do.
//!
//! The cases are tables in `xtask/conformance`, whose expectations come from the standards. Where quinn's
//! WebTransport does something else, `known.py` says what and why.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::interop::{Installed, Place, browser, default_cache, system_program};
use crate::process::Process;
use crate::workspace::Workspace;

/// What `cargo xtask conformance --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask conformance [OPTIONS]

Has foreign clients talk to a server of moq-transport-quinn and of moq-transport-direct: aioquic, on raw QUIC and
on WebTransport, and Chromium. They are installed into the cache of `cargo xtask interop`. Each case is a line
of TAP; a client that cannot be had is a SKIP with its reason.

  --quick           leaves out Chromium, and the cases that a backend is known to fail
  --client NAME     aioquic or chromium alone; it is a failure if it cannot be had
  --backend NAME    quinn or direct alone
  --test WORD       the cases whose name contains the word
";

/// The servers, as `moq-transport-NAME` has them among its examples.
const BACKENDS: [&str; 2] = ["quinn", "direct"];

/// The package of aioquic, as PyPI names it.
const AIOQUIC: &str = "aioquic==1.7.2";

/// How long all cases of a backend may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
struct Options {
    is_quick: bool,
    client: Option<String>,
    backend: Option<String>,
    test: String,
}

/// Who talks to the servers.
struct Client {
    name: &'static str,
    /// The version that the cases were written with.
    package: &'static str,
    install: fn(&Workspace, &Place) -> anyhow::Result<Installed>,
    /// Whether it is asked when it has to be quick.
    is_quick: bool,
}

const CLIENTS: [Client; 2] = [
    Client {
        name: "aioquic",
        package: "aioquic-1.7.2",
        install: install_aioquic,
        is_quick: true,
    },
    Client {
        name: "chromium",
        package: "conformance-chromium",
        install: install_chromium,
        is_quick: false,
    },
];

/// What the cases came to.
#[derive(Default)]
struct Count {
    all: usize,
    failed: usize,
}

/// Runs the cases; the exit code says whether all of them went as they should.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<ExitCode> {
    let options = Options::parse(args)?;
    let mut out = std::io::stdout().lock();
    let mut count = Count::default();
    let mut installed = Vec::new();
    for client in CLIENTS {
        if !options.wants(&client) {
            continue;
        }
        match client.install(workspace) {
            Ok(program) => installed.push((client, program)),
            Err(error) if options.client.is_none() => {
                let why = format!("{error:#}").replace('\n', " ");
                count.all += 1;
                writeln!(out, "ok {} # SKIP {why}", client.name)?;
            }
            Err(error) => return Err(error),
        }
    }
    for backend in BACKENDS {
        let is_wanted = options.backend.as_ref().is_none_or(|only| only == backend);
        if installed.is_empty() || !is_wanted {
            continue;
        }
        let server = Server::start(workspace, backend)?;
        for (client, program) in &installed {
            let command = server.client(program, &options);
            let told = tell(workspace, command, &mut out, &mut count);
            told.with_context(|| format!("{} and the server of {backend}", client.name))?;
        }
    }
    writeln!(out, "1..{}\n# {} of {0} failed", count.all, count.failed)?;
    Ok(if count.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Passes on what a client tells, until it is done.
fn tell(
    workspace: &Workspace,
    mut client: Command,
    out: &mut impl Write,
    count: &mut Count,
) -> anyhow::Result<()> {
    let log = workspace.target.join("conformance.log");
    let client = Process::start(&mut client, &log)?;
    let deadline = Instant::now() + PATIENCE;
    while let Some(line) = client.line(deadline) {
        if line.text == "done" {
            return Ok(());
        }
        count.all += 1;
        count.failed += usize::from(line.text.starts_with("not ok"));
        writeln!(out, "{}", line.text)?;
    }
    bail!("the client has ended early; see {}", log.display())
}

impl Options {
    fn wants(&self, client: &Client) -> bool {
        match &self.client {
            Some(only) => only == client.name,
            None => client.is_quick || !self.is_quick,
        }
    }

    fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
            match *arg {
                "--quick" => options.is_quick = true,
                "--test" => options.test = (*value()?).to_owned(),
                "--client" => {
                    let name = *value()?;
                    let is_known = CLIENTS.iter().any(|client| client.name == name);
                    ensure!(is_known, "there is no client {name}");
                    options.client = Some(name.to_owned());
                }
                "--backend" => {
                    let name = *value()?;
                    ensure!(BACKENDS.contains(&name), "there is no backend {name}");
                    options.backend = Some(name.to_owned());
                }
                other => bail!("unknown option `{other}`; see `cargo xtask conformance --help`"),
            }
        }
        Ok(options)
    }
}

impl Client {
    fn install(&self, workspace: &Workspace) -> anyhow::Result<Installed> {
        let cache = default_cache().context("there is no cache directory")?;
        let place = Place::new(&cache, &clients(workspace), self.package)?;
        (self.install)(workspace, &place)
    }
}

fn install_aioquic(workspace: &Workspace, place: &Place) -> anyhow::Result<Installed> {
    let system = system_program(place, &["python3"], &["python3", "python3-venv"])?;
    let python = place.dir.join("bin/python");
    if !place.has("installed") {
        place.run(Command::new(system).args(["-m", "venv"]).arg(&place.dir))?;
        let pip = ["-m", "pip", "install", "--quiet", "--timeout=30", AIOQUIC];
        place.run(Command::new(&python).args(pip))?;
        place.mark("installed")?;
    }
    let mut installed = Installed::program(python);
    installed.args = vec!["-B".into(), clients(workspace).join("main.py").into()];
    Ok(installed)
}

fn install_chromium(_: &Workspace, place: &Place) -> anyhow::Result<Installed> {
    let mut installed = browser::driver(place)?;
    // They have to lie beside the packages that they import.
    place.copy(&["chromium.mjs", "cases.mjs"], ".")?;
    installed.args = vec![place.dir.join("chromium.mjs").into()];
    Ok(installed)
}

fn clients(workspace: &Workspace) -> PathBuf {
    workspace.root.join("xtask/conformance")
}

/// A server on loopback, which ends with this program.
struct Server {
    backend: &'static str,
    port: String,
    fingerprint: String,
    _process: Process,
}

impl Server {
    fn start(workspace: &Workspace, backend: &'static str) -> anyhow::Result<Self> {
        let (package, example) = (
            format!("moq-transport-{backend}"),
            format!("echo_{backend}"),
        );
        let build = ["build", "-p", &package, "--example", &example];
        let status = workspace.cargo(&build).status()?;
        ensure!(status.success(), "the server of {package} does not build");
        let program = workspace.target.join("debug/examples").join(example);
        let log = workspace.target.join("conformance.log");
        let process = Process::start(&mut Command::new(program), &log)?;
        let line = process.line(Instant::now() + PATIENCE);
        let line = line.context("the server does not say where it is")?.text;
        let mut words = line.split(' ').skip(1).map(str::to_owned);
        Ok(Self {
            backend,
            port: words.next().context("the server has no port")?,
            fingerprint: words.next().context("the server has no fingerprint")?,
            _process: process,
        })
    }

    fn client(&self, program: &Installed, options: &Options) -> Command {
        let mut client = program.command();
        client.args([&self.port, self.backend, &self.fingerprint, &options.test]);
        client.args(options.is_quick.then_some("quick"));
        client
    }
}
