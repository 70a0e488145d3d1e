//! The programs that are measured, and how each is started.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::awake::Awake;
use super::dialer::Dialer;
use super::options::Options;
use super::process::Process;
use super::subject::Subject;

/// The programs to measure.
pub(super) struct Programs {
    /// Where release builds are.
    dir: PathBuf,
    this: PathBuf,
    peer: Option<PathBuf>,
    /// What runs as the control.
    control: Subject,
    relay_cpu: usize,
    _awake: Awake,
}

/// A subject that runs and listens.
pub(super) struct Stage {
    pub(super) process: Process,
    pub(super) dialer: Dialer,
    pub(super) address: SocketAddr,
}

impl Programs {
    pub(super) fn beside_this_one(options: &Options) -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("looking for this program")?;
        let dir = this.parent().context("a program lies in a directory")?;
        Ok(Self {
            dir: dir.to_owned(),
            peer: options.peer.clone(),
            control: if options.subjects.contains(&Subject::Peer) {
                Subject::Peer
            } else {
                Subject::Ours
            },
            _awake: Awake::keep(&this, [options.relay_cpu, options.generator_cpu])?,
            this,
            relay_cpu: options.relay_cpu,
        })
    }

    /// Starts a subject in a process of its own, and does something with it.
    pub(super) fn with<T>(
        &self,
        subject: Subject,
        measure: impl AsyncFnOnce(&mut Stage) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        // A runtime of its own, so that nothing of one measurement is left in the next.
        let measured = runtime()?.block_on(async {
            let address = free_address()?;
            let mut stage = Stage {
                process: self.start(subject, address)?,
                dialer: Dialer::new(subject, address)?,
                address,
            };
            stage.dialer.wait_until_up(&mut stage.process).await?;
            measure(&mut stage).await
        });
        measured.with_context(|| {
            let log = self.log(subject);
            format!("measuring {subject}, see {}", log.display())
        })
    }

    /// The command line of this workspace.
    pub(super) fn moq(&self) -> PathBuf {
        self.dir.join("moq")
    }

    fn start(&self, subject: Subject, address: SocketAddr) -> anyhow::Result<Process> {
        let address = address.to_string();
        let log = self.log(subject);
        let start =
            |program: &Path, args: &[&str]| Process::start(self.relay_cpu, program, args, &log);
        let program = match subject {
            Subject::Control => self.control,
            chosen => chosen,
        };
        match (program, &self.peer) {
            (Subject::FanOut, _) => start(&self.this, &["bench-fanout", &address]),
            (Subject::Peer, Some(peer)) => {
                let tls = ["--listen-tls-generate", "localhost"];
                let rest = ["--auth-public", "**"];
                start(peer, &[&["--listen", &address][..], &tls, &rest].concat())
            }
            _ => {
                // A certificate of its own: the user's is not ours to renew.
                let state = self.dir.join("bench-state").display().to_string();
                start(
                    &self.moq(),
                    &["relay", "--listen", &address, "--state", &state],
                )
            }
        }
    }

    fn log(&self, subject: Subject) -> PathBuf {
        self.dir.join(format!("bench-{subject}.log"))
    }
}

pub(super) fn runtime() -> anyhow::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().context("starting tokio")
}

/// An address that nobody listens on; what is started next may have it.
fn free_address() -> anyhow::Result<SocketAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").context("looking for a free port")?;
    socket.local_addr().context("looking for a free port")
}
