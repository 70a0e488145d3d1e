//! The clients of `cargo xtask evil`: a healthy pair of publisher and viewer, and a peer that breaks rules;
//! and the idle ones of `cargo xtask drill restart`.
//!
//! Each process does what its stdin says, line by line, and tells on stdout what happens. It ends when its
//! stdin does. `xtask/src/evil` says which lines there are.

mod floods;
mod good;
mod idle;
mod place;
mod publisher;
mod raw;
mod viewer;
mod wire;

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::Context as _;
use tokio::sync::mpsc;

use floods::Flood;
use good::Good;
use place::Place;
use raw::Raw;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut program = Program::default();
    let mut lines = lines_of_stdin();
    while let Some(line) = lines.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        if let Err(error) = program.run(&words).await {
            tell(&format!("failed {error:#}"));
        }
    }
    Ok(())
}

/// What one process has begun.
#[derive(Debug, Default)]
struct Program {
    place: Option<Place>,
    good: Option<Good>,
    floods: HashMap<String, Flood>,
    raw: Raw,
}

impl Program {
    async fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["place", url, fingerprint, version] => {
                self.place = Some(Place::new(url, fingerprint, version)?);
            }
            ["good"] => {
                let place = self.place.as_ref().context("no place is known")?;
                self.good = Some(Good::start(place).await?);
                tell("good");
            }
            ["flood", name, ref arguments @ ..] => {
                let place = self.place.as_ref().context("no place is known")?;
                let flood = Flood::start(name, place, arguments)?;
                self.floods.insert(name.to_owned(), flood);
            }
            ["stop", name] => {
                let flood = self.floods.remove(name).context("there is no such flood")?;
                flood.stop().await;
                tell(&format!("stopped {name}"));
            }
            ["raw", ref words @ ..] => {
                let place = self.place.as_ref().context("no place is known")?;
                self.raw.run(place.target()?, words)?;
            }
            ["idle", count] => {
                let place = self.place.as_ref().context("no place is known")?;
                idle::start(place, count.parse().context("no number")?);
            }
            _ => self.good.as_mut().context("nobody is good")?.run(words)?,
        }
        Ok(())
    }
}

/// Does something, and tells it if that fails.
async fn told(work: impl Future<Output = anyhow::Result<()>>) {
    if let Err(error) = work.await {
        tell(&format!("over {error:#}"));
    }
}

/// Tells a line on stdout; without anybody to read, there is nobody to tell.
fn tell(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", line.replace('\n', " "));
    let _ = stdout.flush();
}

/// The lines of stdin, until it ends.
fn lines_of_stdin() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
