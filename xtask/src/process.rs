//! Child processes that do not outlive this one.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// A line that a child wrote.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) text: String,
}

/// A child that ends when its stdin does, at the latest when this program ends.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The program below the child, where that is only its guard.
    guarded: Option<String>,
    /// `None` once it was closed.
    stdin: Option<ChildStdin>,
    lines: Receiver<Line>,
}

impl Process {
    /// Starts a program that reads its stdin and ends with it; its stderr goes to the log.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let name = command.get_program().display().to_string();
        let log = File::options().create(true).append(true).open(log);
        let log = log.context("opening a log")?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let stdin = child.stdin.take();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().context("a child has no stdout")?;
        thread::spawn(move || read_lines(BufReader::new(stdout), &sender));
        Ok(Self {
            child,
            guarded: None,
            stdin,
            lines,
        })
    }

    /// Starts a program that does not care for its stdin, below a shell that does.
    ///
    /// The shell ends the program, by its id, as soon as stdin ends.
    pub(crate) fn guarded(command: &Command, log: &Path) -> anyhow::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", GUARD, "sh"]).arg(command.get_program());
        shell.args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        let mut process = Self::start(&mut shell, log)?;
        let id = process.line(Instant::now() + PATIENCE);
        process.guarded = Some(id.context("a guard does not say what it guards")?.text);
        Ok(process)
    }

    /// The id of the program.
    pub(crate) fn id(&self) -> String {
        let own = || self.child.id().to_string();
        self.guarded.clone().unwrap_or_else(own)
    }

    /// Kills the program, so that it can do nothing more.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        match &self.guarded {
            Some(id) => signal(id, "KILL")?,
            None => self.child.kill().context("killing a program")?,
        }
        self.child.wait().context("waiting for a program")?;
        Ok(())
    }

    pub(crate) fn write(&mut self, line: &str) -> anyhow::Result<()> {
        self.write_bytes(format!("{line}\n").as_bytes())
    }

    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("its stdin is closed")?;
        stdin.write_all(bytes).context("writing to a child")?;
        stdin.flush().context("writing to a child")
    }

    /// The next line, unless time is up or the child has closed its stdout.
    pub(crate) fn line(&self, deadline: Instant) -> Option<Line> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.lines.recv_timeout(left).ok()
    }

    /// Waits for the child's end; `None` if it does not come in time or was a signal.
    pub(crate) fn code(&mut self, deadline: Instant) -> Option<i32> {
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Closes the child's stdin.
    pub(crate) fn end_input(&mut self) {
        drop(self.stdin.take());
    }

    /// Lets the child end, and makes it when it does not.
    pub(crate) fn stop(&mut self) {
        self.end_input();
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal, such as `STOP`, to a program that this one has started.
pub(crate) fn signal(id: &str, name: &str) -> anyhow::Result<()> {
    let status = Command::new("kill")
        .args([&format!("-{name}"), id])
        .status();
    let status = status.with_context(|| format!("sending SIG{name}"))?;
    ensure!(status.success(), "{id} is gone");
    Ok(())
}

fn read_lines(mut stdout: BufReader<impl std::io::Read>, lines: &Sender<Line>) {
    let mut bytes = Vec::new();
    while let Ok(1..) = stdout.read_until(b'\n', &mut bytes) {
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let at = Instant::now();
        if lines.send(Line { at, text }).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// How long a child may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs its arguments until stdin ends, and ends as they do; its first line is the id of the
/// program. The shell waits for the program, and what it put into the background waits for stdin.
const GUARD: &str = "\
exec 3<&0
sh -c 'echo $$; exec \"$@\"' sh \"$@\" < /dev/null 3<&- & child=$!
{
    cat <&3 > /dev/null
    kill \"$child\"
    sleep 2
    kill -KILL \"$child\"
} > /dev/null 2>&1 & watch=$!
exec 3<&-
wait \"$child\"
code=$?
kill \"$watch\" 2> /dev/null
exit \"$code\"
";

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> std::path::PathBuf {
        std::env::temp_dir().join(format!("xtask-process-{}.log", std::process::id()))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn lines_go_both_ways_and_the_end_of_stdin_ends_the_child() {
        let mut process = Process::start(&mut Command::new("cat"), &log()).unwrap();
        process.write("hello").unwrap();
        assert_eq!(process.line(soon()).unwrap().text, "hello");
        process.stop();
        assert!(process.has_ended());
    }

    #[test]
    fn a_guarded_program_ends_with_its_guard() {
        let mut command = Command::new("sleep");
        command.arg("600");
        for end in [Process::stop, |process: &mut Process| {
            process.kill().unwrap()
        }] {
            let mut process = Process::guarded(&command, &log()).unwrap();
            let id = process.guarded.clone().unwrap();
            let alive = || Path::new("/proc").join(&id).join("cmdline").exists();
            assert!(alive());
            end(&mut process);
            assert!(!alive());
        }
    }
}
