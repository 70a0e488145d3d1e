//! The same load by `moq bench`: two generators that share no code have to find the same relay.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::sync::mpsc;

use super::driver::Session;
use super::generator::{self, Sample};
use super::metric::What;
use super::process::{Process, cpu_of};
use super::programs::Stage;
use super::workload::{Load, Workload};

/// Measures each workload with both generators in turn.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let relays = session.relays();
    let moq = session.programs.moq();
    for workload in session.options.workloads.clone() {
        for round in 0..session.options.rounds {
            for subject in session.order(round, &relays) {
                let load = workload.load;
                let by_us = session.programs.with(subject, async |stage| {
                    generator::measure(load, &stage.process, &stage.dialer).await
                })?;
                let by_moq = session
                    .programs
                    .with(subject, async |stage| bench(&moq, stage, load).await)?;
                let figures = figures(&workload, by_us.micros_per_frame(), by_moq);
                for (what, value) in figures {
                    eprintln!("   {subject:8} {} {value:.2} {}", what.id, what.unit);
                    session.report.add(what, round, subject, value);
                }
            }
        }
    }
    Ok(())
}

fn figures(workload: &Workload, by_us: f64, by_moq: ByMoq) -> [(What, f64); 3] {
    let what = |name, text, unit| What::new(format!("{} {name}", workload.id), text, unit);
    [
        (
            what("cross cpu", "CPU per frame under `moq bench`", "µs"),
            by_moq.relay,
        ),
        (
            what("cross ratio", "of that under this generator", "1"),
            by_moq.relay / by_us,
        ),
        (
            what("cross own", "CPU of `moq bench` per frame", "µs"),
            by_moq.own,
        ),
    ]
}

/// What `moq bench` came to: CPU time per delivered frame, in microseconds.
struct ByMoq {
    relay: f64,
    own: f64,
}

async fn bench(moq: &Path, stage: &Stage, load: Load) -> anyhow::Result<ByMoq> {
    let (mut child, mut events) = start(moq, stage.address, load)?;
    let generator = child.0.id().to_string();
    let sample = |process: &Process| Sample::take_with(process, cpu_of(&generator)?);
    let (mut begin, mut last, mut summary) = (None, None, None);
    while let Some(event) = events.recv().await {
        match event["event"].as_str() {
            Some("begin") => begin = Some(sample(&stage.process)?),
            Some("second") => last = Some(sample(&stage.process)?),
            _ => summary = Some(event),
        }
    }
    let status = child.0.wait().context("waiting for moq bench")?;
    ensure!(status.success(), "moq bench failed ({status})");
    let (begin, last) = begin.zip(last).context("moq bench measured nothing")?;
    let summary = summary.context("moq bench came to nothing")?;
    let frames = summary["frames"]["delivered"].as_f64();
    let frames = frames.context("moq bench tells no frames")?;
    let own = summary["generator_us_per_frame"].as_f64();
    Ok(ByMoq {
        relay: last.used_since(&begin).cpu.as_secs_f64() * 1e6 / frames.max(1.0),
        own: own.unwrap_or_default(),
    })
}

/// A child that does not outlive this.
struct Bench(Child);

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it; its lines come as JSON, each when it is written.
fn start(
    moq: &Path,
    address: SocketAddr,
    load: Load,
) -> anyhow::Result<(Bench, mpsc::UnboundedReceiver<Value>)> {
    let Load {
        publishers,
        subscribers,
        fps,
        frame_bytes,
        group_frames,
        seconds,
    } = load;
    let flags = [
        ("--publishers", publishers),
        ("--subscribers", subscribers),
        ("--fps", fps),
        ("--frame-bytes", frame_bytes),
        ("--group-frames", group_frames),
    ];
    let mut command = Command::new(moq);
    command.args(["bench", &format!("moqt://{address}")]);
    command.args(["--json", "--quiet", "--tls-insecure", "--log", "error"]);
    command.args(["--version", "moq-lite-06", "--max-age", "5s"]);
    command.args(["--duration", &format!("{seconds}s")]);
    for (flag, value) in flags {
        command.args([flag, &value.to_string()]);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = Bench(child.context("starting moq bench")?);
    let stdout = child.0.stdout.take().context("moq bench has an output")?;
    let (sender, events) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).unwrap_or(Value::Null);
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    Ok((child, events))
}
