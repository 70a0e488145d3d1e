//! `moq ping`: connect, and report what was negotiated and how long it took.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{AnnouncedEvent, Dial as _, DialError, Session};
use tokio::time::{Instant, timeout};

use crate::args::PingArgs;
use crate::client::{self, Dialer};
use crate::exit::{Exit, Failure};
use crate::output;

/// Runs the command.
pub(crate) async fn run(args: PingArgs) -> anyhow::Result<Exit> {
    let dialer = Dialer::new(&args.client);
    let failed = |error| client::failed(&args.client.url, Arc::new(error));
    let started = Instant::now();
    let connection = dialer
        .dial()
        .await
        .map_err(|error| failed(DialError::Dial(error)))?;
    let connected = started.elapsed();
    let session = Session::connect_with(connection, client::config(&args.client))
        .await
        .map_err(|error| failed(DialError::Connect(error)))?;
    let set_up = answer(&session, &args, started).await?;
    let report = report(&session, connected, set_up);
    output::print(&report)?;
    Ok(Exit::Ok)
}

/// Waits for the peer's SETUP, and until it answers: for what is announced.
async fn answer(session: &Session, args: &PingArgs, started: Instant) -> anyhow::Result<Duration> {
    let mut announced = session
        .announced("")
        .context("cannot ask for announcements")?;
    let live = async {
        session.set_up().await;
        let set_up = started.elapsed();
        while !matches!(announced.next().await, AnnouncedEvent::Live) {}
        set_up
    };
    tokio::select! {
        answered = timeout(args.client.timeout(), live) => {
            let slow = || Failure::new(Exit::TimedOut, "connected, but the session does not answer")
                .with_hint("check that the server speaks moq-lite");
            let set_up = answered.with_context(slow)?;
            client::confirm(&args.client.url, session).await?;
            Ok(set_up)
        }
        error = session.closed() => Err(client::ended(&args.client.url, error)),
    }
}

fn report(session: &Session, connected: Duration, set_up: Duration) -> String {
    let info = session.info();
    let remote = info
        .remote
        .map_or_else(|| "unknown".into(), |remote| remote.to_string());
    let mut lines = vec![
        ("version", session.version().to_string()),
        ("transport", info.kind.to_string()),
        ("remote", remote),
    ];
    if let Some(fingerprint) = &info.fingerprint {
        lines.push(("certificate", format!("sha256 {fingerprint}")));
    }
    if let Some(rtt) = session.stats().rtt {
        lines.push(("rtt", millis(rtt)));
    }
    lines.push(("connected", millis(connected)));
    lines.push(("set up", millis(set_up)));
    lines
        .iter()
        .map(|(name, value)| format!("{name:<12}{value}\n"))
        .collect()
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
