//! `moq bench`: load a relay, and measure what arrives and how late.
//!
//! Everything runs in this process, so that one clock stamps and reads the frames. What comes is
//! only counted, never put in order, so that the relay is the first to be saturated.

mod cpu;
mod pacer;
mod peers;
mod receive;
mod report;
mod schedule;
mod state;
mod tally;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::args::BenchArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Console;
use pacer::Pacer;
use peers::{Dialers, Place, Publishers, Sessions};
use report::Outcome;
use schedule::Schedule;
use state::Run;
use tally::Account;

/// Runs the command.
pub(crate) async fn run(args: BenchArgs, console: &Console) -> anyhow::Result<Exit> {
    let shape = args.shape();
    console.note(format_args!("{shape}"));
    let (place, dialers) = (Place::new(&args), Dialers::new(&args));
    let publishers = Publishers::connect(&args, &dialers, &place).await?;
    let run = Run::new(Schedule::new(&shape), args.late, console.meter());
    let run = Arc::new(run);
    let pacer = Pacer::start(run.clone(), publishers.tracks, shape.frame_bytes)?;
    let subscribers = peers::subscribe(&args, &dialers, &place, &run).await?;
    let sessions = publishers.sessions.with(subscribers);
    wait_until_joined(&args, &run, &sessions).await?;

    let tracks = (0..shape.subscribers).flat_map(|index| schedule::taken(&shape, index));
    let measured = run.measure(WARM_UP, args.duration, tracks);
    let (cpu, wall) = measure(&args, &run, measured).await?;
    let mut sent = pacer.end().await?;
    drain(&run).await;
    for track in sent.tracks.drain(..) {
        track.finish();
    }
    let (ended, reason) = sessions.ended().await;
    let outcome = Outcome::new(&run, &shape, &sessions, sent, cpu, wall);
    output::print(&if args.json {
        outcome.json()
    } else {
        outcome.table()
    })?;
    if let Some(reason) = reason {
        console.note(format_args!(
            "{ended} sessions ended, one of them: {reason}"
        ));
    }
    outcome.verdict()
}

/// Waits until every subscription has received something.
async fn wait_until_joined(args: &BenchArgs, run: &Run, sessions: &Sessions) -> anyhow::Result<()> {
    let shape = args.shape();
    let taken = (0..shape.subscribers).map(|index| schedule::taken(&shape, index).count() as u64);
    let all: u64 = taken.sum();
    // A group is received from its first frame on, but the first group may still have to begin.
    let deadline = Instant::now() + args.client.timeout() + run.schedule.group_duration();
    while run.count_joined() < all {
        run.check_capacity()?;
        if Instant::now() > deadline {
            let (ended, reason) = sessions.ended().await;
            let joined = run.count_joined();
            let what = format!("{joined} of {all} subscriptions receive anything");
            let hint =
                reason.map(|reason| format!("{ended} sessions ended, one of them: {reason}"));
            return Err(Failure::new(Exit::TimedOut, what).with_hint_if(hint).into());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Lets the measured time pass, telling of every second of it; yields what this process used, and
/// over which time.
async fn measure(
    args: &BenchArgs,
    run: &Run,
    measured: Range<Duration>,
) -> anyhow::Result<(Option<Duration>, Duration)> {
    sleep_until(run, measured.start).await;
    let (before, from) = (cpu::own(), run.now());
    run.tally().take_second();
    if args.json {
        output::print(&report::begin())?;
    }
    for number in 1.. {
        let end = (measured.start + number * SECOND).min(measured.end);
        sleep_until(run, end).await;
        let second = run.tally().take_second();
        if args.json {
            output::print(&report::second(number, &second))?;
        }
        if end == measured.end {
            break;
        }
    }
    let used = before.zip(cpu::own());
    let used = used.map(|(before, after)| after.saturating_sub(before));
    Ok((used, run.now() - from))
}

async fn sleep_until(run: &Run, at: Duration) {
    sleep(at.saturating_sub(run.now())).await;
}

/// Waits for what is still on its way, until nothing comes any more.
async fn drain(run: &Run) {
    let mut last = None;
    let mut progress = Instant::now();
    while progress.elapsed() < GIVE_UP {
        let accounts = run.accounts();
        if accounts.iter().all(Account::is_settled) {
            return;
        }
        if last.replace(accounts) != Some(accounts) {
            progress = Instant::now();
        }
        sleep(LOOK).await;
    }
}

/// From the last subscriber's first frame to the measured time.
const WARM_UP: Duration = Duration::from_secs(1);

/// Without anything new for so long, the rest is lost.
const GIVE_UP: Duration = Duration::from_secs(3);

/// How often to look.
const LOOK: Duration = Duration::from_millis(20);

const SECOND: Duration = Duration::from_secs(1);
