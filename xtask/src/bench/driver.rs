//! Runs every subject in turn, again and again.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use super::generator;
use super::options::{Options, Subject};
use super::process::Process;
use super::report::Report;
use super::window::Window;

/// Measures with the options given, and prints the table.
pub(crate) fn measure(args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let programs = Programs::beside_this_one(&options)?;
    let mut report = Report::default();
    for pair in 0..options.pairs {
        let mut order = options.subjects.clone();
        if pair % 2 == 1 {
            order.reverse();
        }
        for subject in order {
            let window = programs.measure(subject, &options).with_context(|| {
                format!(
                    "measuring {subject}, see {}",
                    programs.log(subject).display()
                )
            })?;
            let fault = window
                .fault()
                .map(|fault| format!("  {fault}"))
                .unwrap_or_default();
            eprintln!(
                "   {subject:8} {:6.1} µs/frame{fault}",
                window.micros_per_frame()
            );
            report.add(pair, subject, window);
        }
    }
    report.print()?;
    ensure!(!report.has_faults(), "windows marked INVALID do not count");
    Ok(())
}

/// The programs to measure.
struct Programs {
    /// Where release builds are.
    dir: PathBuf,
    this: PathBuf,
    peer: PathBuf,
}

impl Programs {
    fn beside_this_one(options: &Options) -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("looking for this program")?;
        let dir = this.parent().context("a program lies in a directory")?;
        Ok(Self {
            dir: dir.to_owned(),
            peer: options.peer.clone().unwrap_or_default(),
            this,
        })
    }

    fn measure(&self, subject: Subject, options: &Options) -> anyhow::Result<Window> {
        let address = free_address()?;
        let mut process = self.start(subject, options.relay_cpu, address)?;
        // A runtime of its own, so that nothing of one window is left in the next.
        let runtime = runtime()?;
        runtime.block_on(generator::measure(
            subject,
            address,
            options.load,
            &mut process,
        ))
    }

    fn start(&self, subject: Subject, cpu: usize, address: SocketAddr) -> anyhow::Result<Process> {
        let address = address.to_string();
        let start =
            |program: &Path, args: &[&str]| Process::start(cpu, program, args, &self.log(subject));
        match subject {
            Subject::Ours => {
                // A certificate of its own: the user's is not ours to renew.
                let state = self.dir.join("bench-state").display().to_string();
                start(
                    &self.dir.join("moq"),
                    &["relay", "--listen", &address, "--state", &state],
                )
            }
            Subject::FanOut => start(&self.this, &["bench-fanout", &address]),
            Subject::Peer => {
                let tls = ["--listen-tls-generate", "localhost"];
                let rest = ["--auth-public", "**"];
                let args = [&["--listen", &address][..], &tls, &rest].concat();
                start(&self.peer, &args)
            }
        }
    }

    fn log(&self, subject: Subject) -> PathBuf {
        self.dir.join(format!("bench-{subject}.log"))
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().context("starting tokio")
}

/// An address that nobody listens on; what is started next may have it.
fn free_address() -> anyhow::Result<SocketAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").context("looking for a free port")?;
    socket.local_addr().context("looking for a free port")
}
