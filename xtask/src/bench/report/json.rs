//! Figures for programs.

use serde_json::{Value, json};

use super::Measured;
use crate::bench::metric::{Gate, Metric};
use crate::bench::stats::Spread;
use crate::bench::subject::Subject;

/// A metric, with all its figures.
pub(super) fn metric(metric: &Metric) -> Value {
    let figures = Subject::ALL
        .iter()
        .map(|subject| (subject.name().to_owned(), json!(metric.of(*subject))));
    let ratio = |below| {
        metric
            .ratio(Subject::Ours, below)
            .map(|ratio| spread(&ratio))
    };
    json!({
        "id": metric.what.id,
        "what": metric.what.text,
        "unit": metric.what.unit,
        "gate": metric.what.gate.map(|gate| match gate {
            Gate::Ratio(most) => json!({ "ours_to_peer": most }),
            Gate::Ours(most) => json!({ "ours": most }),
        }),
        "figures": figures.collect::<serde_json::Map<_, _>>(),
        "ours_to_fanout": ratio(Subject::FanOut),
        "ours_to_peer": ratio(Subject::Peer),
        "passes": metric.passes(),
    })
}

/// A window, whether it counts or not.
pub(super) fn measured(measured: &Measured) -> Value {
    let window = &measured.window;
    json!({
        "workload": measured.workload,
        "subject": measured.subject.name(),
        "fault": measured.fault,
        "cpu_us": window.cpu.as_micros() as u64,
        "frames": [window.frames, window.expected_frames],
        "groups": [window.groups, window.expected_groups],
        "p50_us": window.p50.as_micros() as u64,
        "p99_us": window.p99.as_micros() as u64,
        "rss_kib": window.rss_kib,
        "generator_cores": window.generator,
        "elsewhere_cores": window.elsewhere,
        "steal": window.steal,
    })
}

/// A value with its interval.
pub(super) fn spread(spread: &Spread) -> Value {
    json!({
        "median": spread.median, "low": spread.low, "high": spread.high, "count": spread.count,
    })
}
