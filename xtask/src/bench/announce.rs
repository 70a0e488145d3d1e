//! Many broadcasts to many watchers.

use anyhow::{Context as _, ensure};
use quinn::Connection;
use tokio::time::{Instant, timeout};

use super::driver::Session;
use super::lite;
use super::metric::What;
use super::programs::Stage;
use super::subject::Subject;
use super::subscriber::PATIENCE;

/// Lets publishers announce everything at once.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let broadcasts = if session.options.is_quick {
        2_000
    } else {
        10_000
    };
    let relays = session.relays();
    for round in 0..session.options.rounds {
        for subject in session.order(round, &relays) {
            for (what, value) in figures(session, subject, broadcasts)? {
                eprintln!("   {subject:8} {} {value:.2} {}", what.id, what.unit);
                session.report.add(what, round, subject, value);
            }
        }
    }
    Ok(())
}

fn figures(
    session: &Session,
    subject: Subject,
    broadcasts: u64,
) -> anyhow::Result<[(What, f64); 5]> {
    let told = |broadcasts, watchers| {
        let tell = async |stage: &mut Stage| tell(stage, broadcasts, watchers).await;
        session.programs.with(subject, tell)
    };
    let (one, ten) = (told(broadcasts, 1)?, told(broadcasts, 10)?);
    let many = told(broadcasts * 10, 10)?;
    let routes = broadcasts as f64;
    Ok([
        (
            What::new("a1 time", "until 10 watchers know all broadcasts", "ms"),
            ten.took,
        ),
        (
            What::new("a1 growth", "of that with 10 times the broadcasts", "1").with_bound(12.0),
            many.took / ten.took,
        ),
        (
            What::new("a1 cpu", "CPU per broadcast and watcher", "µs").with_gate(0.15),
            ten.cpu * 1e3 / (routes * 10.0),
        ),
        (
            What::new("a1 broadcast", "memory per broadcast, with a watcher", "B").with_gate(0.2),
            one.rss / routes,
        ),
        (
            What::new(
                "a1 watcher",
                "memory per broadcast and further watcher",
                "B",
            )
            .with_gate(0.1),
            (ten.rss - one.rss) / (routes * 9.0),
        ),
    ])
}

/// What it took until every watcher knew everything.
struct Told {
    /// In milliseconds.
    took: f64,
    /// CPU time, in milliseconds.
    cpu: f64,
    /// Memory, in bytes.
    rss: f64,
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
    let publishers = broadcasts.div_ceil(MOST).max(PUBLISHERS);
    for publisher in 0..publishers {
        let each = broadcasts / publishers;
        ensure!(each * publishers == broadcasts, "each has as many");
        let mine = publisher * each..(publisher + 1) * each;
        feeds.push(stage.dialer.publisher(mine).await?);
    }
    for watcher in watching {
        let known = timeout(PATIENCE * 12, watcher).await;
        known
            .context("waiting for the watchers")?
            .context("joining a watcher")??;
    }
    Ok(Told {
        took: begun.elapsed().as_secs_f64() * 1e3,
        cpu: (stage.process.cpu()? - cpu).as_secs_f64() * 1e3,
        rss: stage.process.rss_kib()?.saturating_sub(rss) as f64 * 1024.0,
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

/// How many publishers there are at least.
const PUBLISHERS: u64 = 10;
/// How many broadcasts each has at most: ours takes 4096 from a session.
const MOST: u64 = 4_000;
