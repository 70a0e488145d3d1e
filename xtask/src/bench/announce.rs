//! Many broadcasts to many watchers.

use anyhow::Context as _;
use quinn::Connection;
use tokio::time::{Instant, timeout};

use super::driver::Session;
use super::lite;
use super::metric::What;
use super::programs::Stage;
use super::subscriber::PATIENCE;

/// Lets ten publishers announce everything at once.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let broadcasts = if session.options.is_quick {
        2_000
    } else {
        10_000
    };
    let relays = session.options.relays();
    for round in 0..session.options.rounds {
        for subject in session.order(round, &relays) {
            for watchers in [1, 10] {
                let told = session.programs.with(subject, async |stage| {
                    tell(stage, broadcasts, watchers).await
                })?;
                for (what, value) in told.figures(watchers) {
                    eprintln!("   {subject:8} {} {value:.2} {}", what.id, what.unit);
                    session.report.add(what, round, subject, value);
                }
            }
        }
    }
    Ok(())
}

struct Told {
    /// Until every watcher knows everything, in milliseconds.
    took: f64,
    /// CPU time per broadcast and watcher, in microseconds.
    cpu: f64,
    /// Memory per broadcast and watcher, in bytes.
    rss: f64,
}

impl Told {
    fn figures(&self, watchers: u64) -> [(What, f64); 3] {
        let what = |name, text, unit| What::new(format!("a1 {watchers} {name}"), text, unit);
        [
            (
                what("time", "until all watchers know all broadcasts", "ms"),
                self.took,
            ),
            (
                what("cpu", "CPU per broadcast and watcher", "µs").with_gate(0.15),
                self.cpu,
            ),
            (
                what("rss", "memory per broadcast and watcher", "B"),
                self.rss,
            ),
        ]
    }
}

async fn tell(stage: &Stage, broadcasts: u64, watchers: u64) -> anyhow::Result<Told> {
    let mut watching = Vec::new();
    for index in 0..watchers {
        let connection = stage.dialer.idle(index).await?;
        watching.push(tokio::spawn(watch(connection, broadcasts)));
    }
    let (cpu, rss, begun) = (
        stage.process.cpu()?,
        stage.process.rss_kib()?,
        Instant::now(),
    );
    let mut feeds = Vec::new();
    for publisher in 0..PUBLISHERS {
        let each = broadcasts / PUBLISHERS;
        let mine = publisher * each..(publisher + 1) * each;
        feeds.push(stage.dialer.publisher(mine).await?);
    }
    for watcher in watching {
        let known = timeout(PATIENCE * 12, watcher).await;
        known
            .context("waiting for the watchers")?
            .context("joining a watcher")??;
    }
    let routes = (broadcasts * watchers) as f64;
    let grown = stage.process.rss_kib()?.saturating_sub(rss);
    Ok(Told {
        took: begun.elapsed().as_secs_f64() * 1e3,
        cpu: (stage.process.cpu()? - cpu).as_secs_f64() * 1e6 / routes,
        rss: grown as f64 * 1024.0 / routes,
    })
}

/// Follows the announcements until so many broadcasts were told of.
async fn watch(connection: Connection, broadcasts: u64) -> anyhow::Result<()> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_chunk(lite::announce_request()).await?;
    // ANNOUNCE_OK has no type.
    lite::read_message(&mut recv).await?;
    let mut known = 0;
    while known < broadcasts {
        let kind = lite::read_varint(&mut recv).await?;
        lite::read_message(&mut recv).await?;
        known += u64::from(lite::is_announce_start(kind));
    }
    Ok(())
}

const PUBLISHERS: u64 = 10;
