//! The processes of one cell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::cell::{Cell, End, Side};
use super::endpoint::{Endpoint, Outcome};
use super::failure::Failure;
use super::ours::Ours;
use super::peers::Installed;
use super::shaper::{Link, Shaper};
use crate::process::Process;
use crate::relay::{Plan, Relay};

/// What a scenario works with. Dropping it ends everything.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) cell: &'a Cell,
    pub(crate) ours: &'a Ours,
    /// What plays the publisher, and what the subscriber, where that is not ours.
    installed: [Option<&'a Installed>; 2],
    /// From the publisher to the subscriber.
    pub(crate) relays: Vec<Relay>,
    /// Where files and logs of the cell lie.
    pub(crate) dir: PathBuf,
    pub(crate) deadline: Instant,
    shapers: Vec<Shaper>,
    started: usize,
    /// Where the end that listens is: port and fingerprint.
    listener: Option<(u16, String)>,
    /// The longest time from writing a frame to its arrival.
    pub(crate) latency: Option<Duration>,
}

/// An endpoint's place: what it dials, if anything.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) fingerprint: String,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        cell: &'a Cell,
        ours: &'a Ours,
        installed: [Option<&'a Installed>; 2],
        dir: &Path,
    ) -> Outcome<Self> {
        let dir = Self::dir_of(cell, dir);
        // What an earlier run left does not belong to this one.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        Ok(Self {
            cell,
            ours,
            installed,
            relays: Vec::new(),
            dir,
            deadline: Instant::now() + PATIENCE,
            shapers: Vec::new(),
            started: 0,
            listener: None,
            latency: None,
        })
    }

    /// Where files and logs of a cell lie.
    pub(crate) fn dir_of(cell: &Cell, dir: &Path) -> PathBuf {
        dir.join(cell.to_string().replace('/', "_"))
    }

    /// Starts the relays, open to everybody below `public`.
    pub(crate) fn start_relays(&mut self, public: &str) -> Outcome {
        let sides = self.cell.role.topology().relays;
        let mut relays: Vec<Option<Relay>> = sides.iter().map(|_| None).collect();
        // Ours first: theirs is the one that dials.
        let mut order: Vec<usize> = (0..sides.len()).collect();
        order.sort_by_key(|index| sides[*index] == Side::Peer);
        for index in order {
            let is_ours = sides[index] == Side::Us;
            let upstream = relays.iter().flatten().next().map(|relay| {
                let scheme = self.cell.transport.scheme();
                let url = format!("{scheme}://127.0.0.1:{}/", relay.port);
                (url, relay.fingerprint.clone())
            });
            let plan = Plan {
                program: self.relay_program(is_ours)?,
                is_ours,
                version: self.cell.version.clone(),
                public: public.to_owned(),
                plain: None,
                upstream: upstream.filter(|_| !is_ours),
                drains: self.cell.scenario.name == "goaway",
                identity: self.ours.identity.clone(),
                dir: self.dir.clone(),
                log: self.dir.join(format!("relay-{index}.log")),
            };
            relays[index] = Some(Relay::start(plan, self.deadline)?);
        }
        self.relays = relays.into_iter().flatten().collect();
        Ok(())
    }

    fn relay_program(&self, is_ours: bool) -> anyhow::Result<PathBuf> {
        if is_ours {
            return Ok(self.ours.moq.clone());
        }
        let [installed, _] = self.installed;
        let installed = installed.context("the peer is not installed")?;
        Ok(installed.program.clone())
    }

    /// What this end dials.
    pub(crate) fn address(&self, end: End) -> Outcome<Address> {
        let relay = match end {
            End::Publisher => self.relays.first(),
            End::Subscriber => self.relays.last(),
        };
        let relay = relay.map(|relay| (relay.port, relay.fingerprint.clone()));
        let (port, fingerprint) = relay
            .or_else(|| self.listener.clone())
            .context("there is nobody to dial")?;
        let scheme = self.cell.transport.scheme();
        Ok(Address {
            url: format!("{scheme}://127.0.0.1:{port}/"),
            fingerprint,
        })
    }

    /// As [`Self::address`], over a link of limited rate.
    pub(crate) fn shaped(&mut self, end: End, link: Link) -> Outcome<Address> {
        let mut address = self.address(end)?;
        let relay = match end {
            End::Publisher => self.relays.first(),
            End::Subscriber => self.relays.last(),
        };
        let port = relay
            .context("only a relay is reached over a shaped link")?
            .port;
        let shaper = Shaper::start(port, link)?;
        address.url = address
            .url
            .replace(&port.to_string(), &shaper.port().to_string());
        self.shapers.push(shaper);
        Ok(address)
    }

    /// Starts a test client for one end, not connected yet.
    pub(crate) fn endpoint(&mut self, end: End) -> Outcome<Endpoint> {
        let topology = self.cell.role.topology();
        let (side, role) = match end {
            End::Publisher => (topology.publisher, "publisher"),
            End::Subscriber => (topology.subscriber, "subscriber"),
        };
        self.started += 1;
        let log = self.dir.join(format!("{role}-{}.log", self.started));
        let mut command = match side {
            Side::Us => {
                let mut command = Command::new(&self.ours.endpoint);
                command.env("RUST_LOG", "info");
                command
            }
            Side::Peer => self.peer_command(end)?,
        };
        let who = match side {
            Side::Us => "our",
            Side::Peer => "their",
        };
        Endpoint::start(&format!("{who} {role}"), &mut command, &log, self.deadline)
    }

    /// Starts a test client for one end and connects it; checks the draft.
    pub(crate) fn connected(&mut self, end: End) -> Outcome<Endpoint> {
        let mut endpoint = self.endpoint(end)?;
        if self.cell.role.topology().listener == Some(end) {
            self.listen(&mut endpoint)?;
        } else {
            let address = self.address(end)?;
            self.connect(&mut endpoint, &address)?;
        }
        Ok(endpoint)
    }

    pub(crate) fn connect(&self, endpoint: &mut Endpoint, address: &Address) -> Outcome {
        let Address { url, fingerprint } = address;
        let version = &self.cell.version;
        endpoint.tell(&format!("connect {url} {fingerprint} {version}"))?;
        self.check_version(endpoint)
    }

    /// Waits until it is connected, with the draft of the cell where the client can tell.
    pub(crate) fn check_version(&self, endpoint: &mut Endpoint) -> Outcome {
        let connected = endpoint.wait("connected")?;
        let (told, version) = (connected.word(1), &self.cell.version);
        if told == "-" || told == version {
            return Ok(());
        }
        let expected = format!("a session of {version}");
        Err(Failure::new(expected, told))
    }

    fn listen(&mut self, endpoint: &mut Endpoint) -> Outcome {
        endpoint.tell(&format!("listen {}", self.cell.version))?;
        let listening = endpoint.wait("listening * *")?;
        let port = listening.word(1).parse().context("reading a port")?;
        self.listener = Some((port, listening.word(2).to_owned()));
        Ok(())
    }

    /// Both ends, connected.
    pub(crate) fn both(&mut self) -> Outcome<(Endpoint, Endpoint)> {
        if self.cell.role.topology().listener == Some(End::Subscriber) {
            let mut subscriber = self.connected(End::Subscriber)?;
            let publisher = self.connected(End::Publisher)?;
            self.check_version(&mut subscriber)?;
            return Ok((publisher, subscriber));
        }
        let mut publisher = self.connected(End::Publisher)?;
        let subscriber = self.connected(End::Subscriber)?;
        if self.cell.role.topology().listener.is_some() {
            self.check_version(&mut publisher)?;
        }
        Ok((publisher, subscriber))
    }

    /// The program that the peer is.
    pub(crate) fn peer_command(&self, end: End) -> Outcome<Command> {
        let [publisher, subscriber] = self.installed;
        let installed = match end {
            End::Publisher => publisher,
            End::Subscriber => subscriber,
        };
        let installed = installed.context("the peer is not installed")?;
        Ok(installed.command())
    }

    /// Starts a program that is no test client; what it prints goes to `output`, if given.
    pub(crate) fn program(
        &self,
        name: &str,
        command: &Command,
        output: Option<&Path>,
    ) -> Outcome<Process> {
        let log = self.dir.join(format!("{name}.log"));
        let Some(output) = output else {
            return Ok(Process::guarded(command, &log)?);
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", "out=$1; shift; exec \"$@\" > \"$out\"", "sh"]);
        shell.arg(output).arg(command.get_program());
        shell.args(command.get_args());
        Ok(Process::guarded(&shell, &log)?)
    }

    /// Waits until a program has ended; yields its exit code.
    pub(crate) fn end_of(&self, process: &mut Process) -> Outcome<i32> {
        let code = process.code(self.deadline);
        code.ok_or_else(|| Failure::new("a program that ends", "it still runs"))
    }

    /// Writes a payload for a frame; the same seed gives the same bytes.
    pub(crate) fn payload(&self, seed: u32, length: usize) -> Outcome<Payload> {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .take(length)
        .collect();
        let file = self.dir.join(format!("payload-{seed}-{length}"));
        fs::write(&file, &bytes)?;
        let hash = super::sha256::hex(&bytes);
        Ok(Payload { file, length, hash })
    }
}

/// What a frame holds.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) file: PathBuf,
    pub(crate) length: usize,
    pub(crate) hash: String,
}

/// How long a cell may take.
const PATIENCE: Duration = Duration::from_secs(40);
