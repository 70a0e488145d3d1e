//! What came of a run, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::pacer::Sent;
use super::peers::Sessions;
use super::state::Run;
use super::tally::{Account, Latency, Second, Tally};
use crate::args::Shape;
use crate::exit::{Exit, Failure};

/// What came of a run.
#[derive(Debug)]
pub(super) struct Outcome {
    shape: Shape,
    negotiated: String,
    frames: Account,
    groups: Account,
    late: u64,
    bytes: u64,
    latency: Latency,
    joins: Latency,
    sent: Sent,
    /// What this process used in the measured time, where the system tells.
    cpu: Option<Duration>,
    wall: Duration,
}

impl Outcome {
    pub(super) fn new(
        run: &Run,
        shape: &Shape,
        sessions: &Sessions,
        sent: Sent,
        cpu: Option<Duration>,
        wall: Duration,
    ) -> Self {
        let mut tally = run.tally();
        tally.take_second();
        let Tally {
            frames,
            groups,
            late,
            bytes,
            ref latency,
            ..
        } = *tally;
        Self {
            shape: *shape,
            negotiated: sessions.negotiated().unwrap_or_default(),
            frames,
            groups,
            late,
            bytes,
            latency: latency.clone(),
            joins: run.joins(),
            sent,
            cpu,
            wall,
        }
    }

    /// Lines for people.
    pub(super) fn table(&self) -> String {
        let seconds = self.wall.as_secs_f64();
        let rate = self.frames.delivered as f64 / seconds;
        let mut lines = vec![
            ("load", self.shape.to_string()),
            ("session", self.negotiated.clone()),
            (
                "frames",
                format!("{}, {} late", account(&self.frames), self.late),
            ),
            ("groups", account(&self.groups)),
            (
                "rate",
                format!(
                    "{rate:.0} frames/s, {:.1} Mbit/s over {seconds:.1} s",
                    self.bytes as f64 * 8e-6 / seconds
                ),
            ),
            ("latency", quantiles(&self.latency)),
            ("join", quantiles(&self.joins)),
            ("send delay", quantiles(&self.sent.delay)),
        ];
        if let Some((micros, share)) = self.cost() {
            lines.push((
                "generator",
                format!(
                    "{micros:.1} µs CPU per frame delivered, {:.0} % of a core",
                    share * 100.0
                ),
            ));
        }
        let mut text = String::new();
        for (name, value) in lines {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{name:<12}{value}");
        }
        text
    }

    /// One object on one line.
    pub(super) fn json(&self) -> String {
        let Shape {
            publishers,
            broadcasts,
            tracks,
            subscribers,
            each,
            fps,
            frame_bytes,
            group_frames,
        } = self.shape;
        let cost = self.cost();
        let object = json!({
            "event": "summary",
            "load": {
                "publishers": publishers, "broadcasts": broadcasts, "tracks": tracks,
                "subscribers": subscribers, "each": each, "fps": fps,
                "frame_bytes": frame_bytes, "group_frames": group_frames,
            },
            "session": self.negotiated,
            "seconds": self.wall.as_secs_f64(),
            "frames": counts(&self.frames),
            "groups": counts(&self.groups),
            "late": self.late,
            "refused": self.sent.refused,
            "bytes": self.bytes,
            "latency_us": micros(&self.latency),
            "join_us": micros(&self.joins),
            "send_delay_us": micros(&self.sent.delay),
            "generator_us_per_frame": cost.map(|(micros, _)| micros),
            "generator_cores": cost.map(|(_, share)| share),
        });
        format!("{object}\n")
    }

    /// Whether everything came that had to.
    pub(super) fn verdict(&self) -> anyhow::Result<Exit> {
        let (frames, groups) = (self.frames.lost(), self.groups.lost());
        if frames == 0 && groups == 0 {
            return Ok(Exit::Ok);
        }
        let what = format!(
            "lost {frames} of {} frames, {groups} of {} groups",
            self.frames.expected, self.groups.expected
        );
        let hint = "the relay or this machine cannot carry the load; --log debug says more";
        Err(Failure::new(Exit::Failed, what).with_hint(hint).into())
    }

    /// CPU of this process: microseconds per frame delivered, and its share of a core.
    fn cost(&self) -> Option<(f64, f64)> {
        let cpu = self.cpu?.as_secs_f64();
        let frames = self.frames.delivered.max(1) as f64;
        Some((cpu * 1e6 / frames, cpu / self.wall.as_secs_f64()))
    }
}

/// The moment from which on is measured.
pub(super) fn begin() -> String {
    format!("{}\n", json!({ "event": "begin" }))
}

/// A second of a run as one object on one line.
pub(super) fn second(number: u32, second: &Second) -> String {
    let object = json!({
        "event": "second",
        "second": number,
        "frames": second.frames,
        "groups": second.groups,
        "latency_us": micros(&second.latency),
    });
    format!("{object}\n")
}

fn account(account: &Account) -> String {
    let Account {
        expected,
        delivered,
        skipped,
    } = account;
    let lost = account.lost();
    format!("{delivered} of {expected} delivered, {skipped} skipped, {lost} lost")
}

fn counts(account: &Account) -> serde_json::Value {
    json!({
        "expected": account.expected,
        "delivered": account.delivered,
        "skipped": account.skipped,
        "lost": account.lost(),
    })
}

fn quantiles(latency: &Latency) -> String {
    if latency.is_empty() {
        return "unknown".into();
    }
    let mut text = String::new();
    for (name, quantile) in QUANTILES {
        let millis = latency.quantile(quantile).as_secs_f64() * 1e3;
        let _ = write!(text, "{name} {millis:.2}  ");
    }
    let _ = write!(text, "max {:.2} ms", latency.max().as_secs_f64() * 1e3);
    text
}

fn micros(latency: &Latency) -> serde_json::Value {
    if latency.is_empty() {
        return serde_json::Value::Null;
    }
    let quantiles = QUANTILES.map(|(name, quantile)| {
        let micros = latency.quantile(quantile).as_micros() as u64;
        (name.to_owned(), micros.into())
    });
    let mut object = serde_json::Map::from_iter(quantiles);
    object.insert("max".into(), (latency.max().as_micros() as u64).into());
    object.into()
}

const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
