//! Processes of the program, with a deadline for everything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Nothing takes this long, unless it hangs.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running process. It is killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    stderr: Vec<String>,
    stdout: Receiver<Vec<u8>>,
    /// Output that was read but not asked for.
    unread: Vec<u8>,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<String>,
}

impl Program {
    /// Starts the program, with nothing of the tests' environment.
    pub(crate) fn start<S: AsRef<str>>(args: &[S]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_moq")), args)
    }

    /// Starts the program by a command that runs it.
    pub(crate) fn spawn<S: AsRef<str>>(mut command: Command, args: &[S]) -> Self {
        command.args(args.iter().map(AsRef::as_ref)).env_clear();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut pipe = child.stdout.take().unwrap();
        let (sender, stdout) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            stderr: Vec::new(),
            stdout,
            unread: Vec::new(),
        }
    }

    /// Waits for the next bytes of its output, and takes exactly so many.
    pub(crate) fn output(&mut self, len: usize) -> Vec<u8> {
        let deadline = Instant::now() + DEADLINE;
        while self.unread.len() < len {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(bytes) => self.unread.extend(bytes),
                Err(error) => {
                    self.stderr.extend(self.lines.try_iter());
                    panic!(
                        "no output: {error}; {:?}; stderr: {:#?}",
                        self.unread, self.stderr
                    )
                }
            }
        }
        self.unread.drain(..len).collect()
    }

    /// Waits for a line on stderr that contains `needle`.
    pub(crate) fn line(&mut self, needle: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.stderr.push(line.clone());
                    if line.contains(needle) {
                        return line;
                    }
                }
                Err(error) => panic!(
                    "no line with {needle:?}: {error}; stderr: {:#?}",
                    self.stderr
                ),
            }
        }
    }

    /// Its stdin, to be closed by dropping.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Writes all of its input.
    pub(crate) fn input(mut self, bytes: &[u8]) -> Self {
        self.stdin().write_all(bytes).unwrap();
        self
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.stderr.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:#?}", self.stderr),
            }
        }
        let code = self.child.wait().unwrap().code();
        let mut stdout = std::mem::take(&mut self.unread);
        stdout.extend(self.stdout.iter().flatten());
        Ended {
            code,
            stdout,
            stderr: std::mem::take(&mut self.stderr),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails the test unless it ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{:#?}", self.stderr);
        self
    }
}

/// A directory that is gone with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("moq-cli-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running relay, its address and its fingerprint.
pub(crate) struct Relay {
    pub(crate) program: Program,
    pub(crate) addr: String,
    pub(crate) fingerprint: String,
    pub(crate) state: Scratch,
}

impl Relay {
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", Scratch::new(), flags)
    }

    pub(crate) fn start_at(listen: &str, state: Scratch, flags: &[&str]) -> Self {
        let dir = state.path().to_str().unwrap();
        let mut program =
            Program::start(&[&["relay", "--listen", listen, "--state", dir], flags].concat());
        let addr = last_word(&program.line("listening on"));
        let certificate = program.line("sha256");
        let fingerprint = certificate.split("sha256 ").nth(1).unwrap();
        let fingerprint = fingerprint
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .collect();
        program.line("raw QUIC");
        Self {
            program,
            addr,
            fingerprint,
            state,
        }
    }

    /// The arguments of a command against this relay: URL, what else it takes, the pin.
    pub(crate) fn args(&self, command: &str, scheme: &str, rest: &[&str]) -> Vec<String> {
        let url = format!("{scheme}://{}", self.addr);
        let all = [
            &[command, url.as_str()],
            rest,
            &["--tls-fingerprint", self.fingerprint.as_str()],
        ];
        all.concat().into_iter().map(String::from).collect()
    }

    /// Starts a command against this relay.
    pub(crate) fn run(&self, command: &str, scheme: &str, rest: &[&str]) -> Program {
        Program::start(&self.args(command, scheme, rest))
    }
}

fn last_word(line: &str) -> String {
    line.rsplit(' ').next().unwrap().to_owned()
}
