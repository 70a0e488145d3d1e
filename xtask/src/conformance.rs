//! A foreign client, aioquic, against the servers of both transports. It tries what has to work, and sends
//! HTTP/3 heads, frames, settings and capsules that are odd or wrong.
//!
//! The cases are tables in `xtask/conformance`, whose expectations come from the standards. Where quinn's
//! WebTransport does something else, `known.py` says what and why.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::interop::{Place, default_cache, system_program};
use crate::process::Process;
use crate::workspace::Workspace;

/// What `cargo xtask conformance --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask conformance [OPTIONS]

Has aioquic, which is installed from PyPI into the cache of `cargo xtask interop`, talk to a server of
moq-transport-quinn and of moq-transport-direct, on raw QUIC and on WebTransport. Each case is a line of TAP.

  --quick           leaves out the cases that a backend is known to fail; where aioquic cannot be had, it is
                    a SKIP with its reason
  --backend NAME    quinn or direct alone
  --test WORD       the cases whose name contains the word
";

/// The servers, as `moq-transport-NAME` has them among its examples.
const BACKENDS: [&str; 2] = ["quinn", "direct"];

/// The version of aioquic that the cases were written with.
const AIOQUIC: &str = "aioquic==1.7.2";

/// How long all cases of a backend may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
struct Options {
    is_quick: bool,
    backend: Option<String>,
    test: String,
}

/// Runs the cases; the exit code says whether all of them went as they should.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<ExitCode> {
    let options = Options::parse(args)?;
    let mut out = std::io::stdout().lock();
    let python = match install(workspace) {
        Err(error) if options.is_quick => {
            let why = format!("{error:#}").replace('\n', " ");
            writeln!(out, "1..0 # SKIP {AIOQUIC} cannot be had: {why}")?;
            return Ok(ExitCode::SUCCESS);
        }
        installed => installed?,
    };
    let (mut count, mut failed) = (0, 0);
    for backend in BACKENDS {
        if options.backend.as_ref().is_some_and(|only| only != backend) {
            continue;
        }
        let server = Server::start(workspace, backend)?;
        let mut client = server.client(workspace, &python, &options);
        let log = workspace.target.join("conformance.log");
        let client = Process::start(&mut client, &log)?;
        let deadline = Instant::now() + PATIENCE;
        let mut last = None;
        while let Some(line) = client.line(deadline) {
            last = Some(line.text.clone());
            if line.text == "done" {
                break;
            }
            count += 1;
            failed += usize::from(line.text.starts_with("not ok"));
            writeln!(out, "{}", line.text)?;
        }
        ensure!(
            last.as_deref() == Some("done"),
            "the client for {backend} has ended early; see {}",
            log.display()
        );
    }
    writeln!(out, "1..{count}\n# {failed} of {count} failed")?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Options {
    fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
            match *arg {
                "--quick" => options.is_quick = true,
                "--test" => options.test = (*value()?).to_owned(),
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

/// Installs the client, and returns its Python.
fn install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let cache = default_cache().context("there is no cache directory")?;
    let clients = workspace.root.join("xtask/conformance");
    let place = Place::new(&cache, &clients, &AIOQUIC.replace("==", "-"))?;
    let system = system_program(&place, &["python3"], &["python3", "python3-venv"])?;
    let python = place.dir.join("bin/python");
    if !place.has("installed") {
        place.run(Command::new(system).args(["-m", "venv"]).arg(&place.dir))?;
        let pip = ["-m", "pip", "install", "--quiet", "--timeout=30", AIOQUIC];
        place.run(Command::new(&python).args(pip))?;
        place.mark("installed")?;
    }
    Ok(python)
}

/// A server on loopback, which ends with this program.
struct Server {
    backend: &'static str,
    port: String,
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
        let port = line.split(' ').nth(1).context("the server has no port")?;
        Ok(Self {
            backend,
            port: port.to_owned(),
            _process: process,
        })
    }

    fn client(&self, workspace: &Workspace, python: &PathBuf, options: &Options) -> Command {
        let mut client = Command::new(python);
        client.arg("-B");
        client.arg(workspace.root.join("xtask/conformance/main.py"));
        client.args([&self.port, self.backend, &options.test]);
        client.args(options.is_quick.then_some("quick"));
        client
    }
}
