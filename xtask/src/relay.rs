//! Relays, ours and theirs.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::Process;

/// A relay that listens on loopback.
#[derive(Debug)]
pub(crate) struct Relay {
    plan: Plan,
    process: Option<Process>,
    pub(crate) port: u16,
    /// SHA-256 of its certificate, in hexadecimal digits.
    pub(crate) fingerprint: String,
}

/// How to start a relay.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) program: PathBuf,
    pub(crate) is_ours: bool,
    pub(crate) version: String,
    /// What everybody may publish and subscribe to.
    pub(crate) public: String,
    /// Starts it as users do: ours with these options alone, theirs without its debug log.
    pub(crate) plain: Option<Vec<String>>,
    /// The relay that theirs dials: URL and fingerprint.
    pub(crate) upstream: Option<(String, String)>,
    /// Whether theirs asks its sessions to leave before it ends.
    pub(crate) drains: bool,
    /// The certificate and key of theirs; ours makes its own.
    pub(crate) identity: PathBuf,
    /// Where its certificate, its key and its log go.
    pub(crate) dir: PathBuf,
    pub(crate) log: PathBuf,
}

impl Plan {
    fn command(&self, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        let address = format!("127.0.0.1:{port}");
        if self.is_ours
            && let Some(options) = &self.plain
        {
            command.args(["relay", "--listen", &address]).args(options);
            command.arg("--state").arg(self.dir.join("state"));
            return command;
        }
        if self.is_ours {
            command.args(["relay", "--listen", &address, "--log", "moq=debug,info"]);
            command.args(["--version", &self.version, "--auth-public", &self.public]);
            command.arg("--state").arg(self.dir.join("state"));
            return command;
        }
        command.args(["--listen", &address, "--web-http-listen", &address]);
        command.arg("--listen-tls-cert").arg(&self.identity);
        command.arg("--listen-tls-key").arg(&self.identity);
        command.args(["--listen-version", &self.version]);
        command.args(["--auth-public", &self.public]);
        if self.plain.is_none() {
            command.args(["--log-level", "debug"]);
        }
        if self.drains {
            command.args(["--drain-timeout", "1s"]);
        }
        if let Some((url, fingerprint)) = &self.upstream {
            command.args(["--cluster-connect", url]);
            command.args(["--connect-tls-fingerprint", fingerprint]);
            command.args(["--connect-version", &self.version]);
        }
        command
    }
}

impl Relay {
    /// Starts it, and waits until it shows its certificate.
    pub(crate) fn start(plan: Plan, deadline: Instant) -> anyhow::Result<Self> {
        let mut attempts = 3;
        loop {
            attempts -= 1;
            let mut relay = Self {
                plan: plan.clone(),
                process: None,
                port: free_port()?,
                fingerprint: String::new(),
            };
            match relay.run(deadline) {
                Ok(()) => return Ok(relay),
                // Somebody else may have taken the port in between.
                Err(error) if attempts == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn run(&mut self, deadline: Instant) -> anyhow::Result<()> {
        let command = self.plan.command(self.port);
        let mut process = Process::guarded(&command, &self.plan.log)?;
        self.fingerprint = loop {
            if process.has_ended() {
                bail!("the relay ended: {}", tail(&self.plan.log, 3).join(" | "));
            }
            match fingerprint(self.port) {
                Ok(fingerprint) => break fingerprint,
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context("the relay does not answer"));
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        self.process = Some(process);
        Ok(())
    }

    /// The id of its process, while it runs.
    pub(crate) fn id(&self) -> Option<String> {
        self.process.as_ref().map(Process::id)
    }

    pub(crate) fn stop(&mut self) {
        drop(self.process.take());
    }

    /// Ends it without its doing.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => bail!("the relay does not run"),
        }
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self, deadline: Instant) -> anyhow::Result<()> {
        self.stop();
        self.run(deadline)
    }
}

/// Asks a relay for its certificate's fingerprint, over plain HTTP.
fn fingerprint(port: u16) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("connecting")?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let request =
        "GET /certificate.sha256 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes())?;
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .context("reading the answer")?;
    let (head, body) = response.split_once("\r\n\r\n").context("no answer")?;
    let body = body.trim();
    let is_hex = body.len() == 64 && body.chars().all(|c| c.is_ascii_hexdigit());
    if !head.contains(" 200") || !is_hex {
        bail!("no fingerprint in `{head}`");
    }
    Ok(body.to_owned())
}

/// A port that nobody listens on, for UDP and TCP.
fn free_port() -> anyhow::Result<u16> {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
        let port = udp.local_addr().context("looking for a free port")?.port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path, lines: usize) -> Vec<String> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    all[from..].iter().map(|line| (*line).to_owned()).collect()
}
