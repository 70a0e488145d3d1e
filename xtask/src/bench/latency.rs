//! What a relay adds to the way of a frame, at half of what the slower relay can carry.

use std::time::Duration;

use super::direct::{self, Latency};
use super::driver::Session;
use super::generator;
use super::metric::What;
use super::window::Window;
use super::workload::{Load, Workload};

/// Measures with as many subscribers as half the capacity of the slower relay is enough for.
pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let workloads = session.options.workloads.clone().into_iter();
    for workload in workloads.filter(|workload| LOADS.iter().any(|(id, _)| *id == workload.id)) {
        at_half(session, &workload)?;
    }
    Ok(())
}

fn at_half(session: &mut Session, workload: &Workload) -> anyhow::Result<()> {
    let relays = session.relays();
    let mut slowest: f64 = 0.0;
    for subject in relays.iter().copied() {
        let window = session.programs.with(subject, async |stage| {
            generator::measure(workload.load, &stage.process, &stage.dialer).await
        })?;
        slowest = slowest.max(window.micros_per_frame());
    }
    let load = half(workload.load, slowest);
    let label = LOADS.iter().find(|(id, _)| *id == workload.id);
    let label = label.map_or(workload.id, |(_, label)| *label);
    eprintln!("{label}: {load}");
    let Some(windows) = session.pairs(label, load, &relays)? else {
        let note = format!("{label}: somebody loses groups at {load}");
        session.report.note_missing(note);
        return Ok(());
    };
    let direct = direct::measure(load)?;
    session.report.note(format!(
        "{label}: measured at {load}, half of what a relay can carry that needs {slowest:.1} µs per frame; \
         without a relay p50 is {:.2} ms and p99 {:.2} ms",
        millis(direct.p50),
        millis(direct.p99),
    ));
    for (pair, subject, window) in windows {
        for (what, value) in added(label, &window, direct) {
            session.report.add(what, pair, subject, value);
        }
    }
    Ok(())
}

/// The load with as many subscribers as keep a relay of this cost busy for half of the time.
fn half(load: Load, micros_per_frame: f64) -> Load {
    let frames = 1e6 / micros_per_frame.max(1.0) / 2.0;
    let subscribers = ((frames / load.fps as f64) as u64).max(1);
    Load {
        subscribers,
        publishers: load.publishers.min(subscribers),
        ..load
    }
}

fn added(label: &str, window: &Window, direct: Latency) -> [(What, f64); 2] {
    let what = |name| {
        What::new(
            format!("{label} {name}"),
            "latency that the relay adds, at half load",
            "ms",
        )
    };
    [
        (
            what("p50").with_gate(0.8),
            millis(window.p50) - millis(direct.p50),
        ),
        (
            what("p99").with_gate(0.5),
            millis(window.p99) - millis(direct.p99),
        ),
    ]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Workloads, and what they are called at half load.
const LOADS: [(&str, &str); 2] = [("w2", "w2 half"), ("w5", "w5 half")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::workload::V4K60;

    #[test]
    fn half_load_keeps_the_slower_relay_busy_for_half_of_the_time() {
        let load = half(V4K60.load, 80.0);
        assert_eq!((load.subscribers, load.publishers), (104, 1));
        let audio = Workload::find("audio").unwrap().load;
        let load = half(audio, 1e6);
        assert_eq!((load.subscribers, load.publishers), (1, 1));
    }

    #[test]
    fn added_latency_leaves_out_what_the_way_takes_without_a_relay() {
        let mut window = Window::whole(Duration::from_millis(1));
        (window.p50, window.p99) = (Duration::from_millis(3), Duration::from_millis(8));
        let direct = Latency {
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(2),
        };
        let [(p50, added_p50), (_, added_p99)] = added("w2 half", &window, direct);
        assert_eq!(
            (p50.id.as_str(), added_p50, added_p99),
            ("w2 half p50", 2.0, 6.0)
        );
    }
}
