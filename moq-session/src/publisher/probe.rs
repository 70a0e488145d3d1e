//! Answering a Probe stream: what this end could send.

use std::time::Duration;

use moq_model::platform::clock::{self, Instant};
use moq_wire::{Probe, code, varint};

use super::LASTING;
use crate::context::Context;
use crate::error::{SessionError, StreamError};
use crate::io::{Reader, Writer};
use crate::limiter::{Kind, Slot};
use crate::subscriber::Probing;
use crate::transport::{Transport, TransportStats};

/// Reports for as long as the peer keeps its half open; what it sends there is of no interest.
///
/// Who could not announce that it measures nothing keeps silent; who could, refuses.
pub(super) async fn answer<T: Transport>(
    context: &Context<T>,
    writer: &mut Writer<T::Send>,
    reader: &mut Reader<T::Recv>,
) -> Result<(), StreamError> {
    let _slot = Slot::take(&context.shared, Kind::Probes)?;
    if context.version.features().setup_stream && !context.probing.measures {
        context.limiter.refused();
        writer.reset(code::stream::CANCELLED);
        return Ok(());
    }
    let begun = clock::now();
    tokio::select! {
        error = report(context, writer) => return Err(error),
        ended = reader.drained() => ended?,
    }
    if clock::now().saturating_duration_since(begun) < LASTING {
        context.limiter.withdrawn();
    }
    writer.finish().await
}

/// Writes reports until that fails.
async fn report<T: Transport>(context: &Context<T>, writer: &mut Writer<T::Send>) -> StreamError {
    if !context.probing.measures {
        return std::future::pending().await;
    }
    let mut reports = context.probing.reports.subscribe();
    context.probing.asked.notify_one();
    loop {
        let report = reports.borrow_and_update().clone();
        if let Some(report) = report {
            if let Err(error) = writer.message(&report) {
                return error.into();
            }
            if let Err(error) = writer.flush().await {
                return error;
            }
        }
        if reports.changed().await.is_err() {
            return StreamError::Transport;
        }
    }
}

/// Measures for all Probe streams of the session, while there is any.
pub(super) async fn measure<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let Probing { reports, asked, .. } = &context.probing;
    loop {
        asked.notified().await;
        let mut reporter = Reporter {
            has_rtt: context.version.features().probe.has_rtt(),
            last: None,
        };
        let mut pause = SHORTEST;
        while reports.receiver_count() > 0 {
            let now = clock::now();
            match reporter.due(now, context.transport.stats()) {
                Some(report) => {
                    reports.send_replace(Some(report));
                    pause = SHORTEST;
                }
                None => pause = (pause * 2).min(CALM),
            }
            clock::sleep(pause.min(reporter.left(now))).await;
        }
        reports.send_replace(None);
    }
}

/// Decides when there is something to report.
struct Reporter {
    has_rtt: bool,
    /// The last report, and when that was.
    last: Option<(Instant, Probe)>,
}

impl Reporter {
    /// The report that is due: the first one, one that says something new, or one in good time.
    fn due(&mut self, now: Instant, stats: TransportStats) -> Option<Probe> {
        let report = Probe {
            bitrate: stats.send_rate.map(|rate| rate.clamp(1, varint::MAX)),
            rtt: stats.rtt.filter(|_| self.has_rtt).map(whole),
        };
        let is_known = report.bitrate.is_some() || report.rtt.is_some();
        let is_due = match &self.last {
            None => is_known,
            Some((at, last)) => {
                let age = now.saturating_duration_since(*at);
                let is_stale = is_known && age >= LONGEST;
                age >= SHORTEST && (is_stale || has_moved(last, &report, age))
            }
        };
        if !is_due {
            return None;
        }
        self.last = Some((now, report.clone()));
        Some(report)
    }

    /// How long it is until the last report is stale.
    fn left(&self, now: Instant) -> Duration {
        let age = self
            .last
            .as_ref()
            .map(|(at, _)| now.saturating_duration_since(*at));
        let left = age.map(|age| LONGEST.saturating_sub(age));
        left.filter(|left| !left.is_zero()).unwrap_or(LONGEST)
    }
}

/// As it is written: whole milliseconds, and not 0.
fn whole(rtt: Duration) -> Duration {
    let millis = u64::try_from(rtt.as_millis()).unwrap_or(varint::MAX);
    Duration::from_millis(millis.clamp(1, varint::MAX))
}

/// Whether a report says something new: by a quarter, and by ever less for a bitrate that was told
/// long ago.
fn has_moved(last: &Probe, report: &Probe, age: Duration) -> bool {
    let left = LONGEST.saturating_sub(age).as_millis();
    let rate = match (last.bitrate, report.bitrate) {
        (Some(last), Some(now)) => {
            let step = u128::from(last.abs_diff(now));
            step > 0 && step * QUARTER * LONGEST.as_millis() >= u128::from(last) * left
        }
        (last, now) => last != now,
    };
    let rtt = match (last.rtt, report.rtt) {
        (Some(last), Some(now)) => last.abs_diff(now).as_millis() * QUARTER >= last.as_millis(),
        (last, now) => last != now,
    };
    rate || rtt
}

/// The least time between two reports.
const SHORTEST: Duration = Duration::from_millis(100);
/// The most time between two measurements.
const CALM: Duration = Duration::from_millis(400);
/// The most time between two reports of what is known.
const LONGEST: Duration = Duration::from_secs(10);
/// What a value is divided by for the step that is worth a report.
const QUARTER: u128 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured, in bits per second and milliseconds; 0 for unknown.
    fn stats(rate: u64, rtt: u64) -> TransportStats {
        TransportStats {
            rtt: Some(Duration::from_millis(rtt)).filter(|rtt| !rtt.is_zero()),
            send_rate: Some(rate).filter(|rate| *rate > 0),
        }
    }

    /// Measures at these times in milliseconds, and says what is reported; 0 for unknown.
    fn reports(has_rtt: bool, measured: &[(u64, u64, u64)]) -> Vec<(u64, u64, u128)> {
        let start = clock::now();
        let mut reporter = Reporter {
            has_rtt,
            last: None,
        };
        let mut reports = Vec::new();
        for &(at, rate, rtt) in measured {
            let now = start + Duration::from_millis(at);
            if let Some(report) = reporter.due(now, stats(rate, rtt)) {
                let rtt = report.rtt.unwrap_or_default().as_millis();
                reports.push((at, report.bitrate.unwrap_or_default(), rtt));
            }
        }
        reports
    }

    // spec: Section 3.10, "first report at once, then on changes"
    #[test]
    fn a_step_of_a_quarter_is_reported() {
        let measured = [(0, 1_000, 20), (1_000, 1_100, 24), (2_000, 1_000, 25)];
        assert_eq!(
            reports(true, &measured),
            [(0, 1_000, 20), (2_000, 1_000, 25)]
        );
        let measured = [(0, 1_000, 20), (100, 1_300, 20), (150, 9_000, 20)];
        assert_eq!(reports(true, &measured), [(0, 1_000, 20), (100, 1_300, 20)]);
    }

    // spec: Section 3.10, "the threshold for bitrate shrinking to nothing over ten seconds"
    #[test]
    fn a_small_step_is_reported_the_later_the_smaller_it_is() {
        let measured: Vec<_> = (0..100)
            .map(|n| (n * 100, 1_000 + 50 * n.min(1), 20))
            .collect();
        assert_eq!(
            reports(true, &measured),
            [(0, 1_000, 20), (8_000, 1_050, 20)]
        );
    }

    // spec: Section 3.10, "at least every 10 s"
    #[test]
    fn what_does_not_change_is_reported_every_ten_seconds() {
        let measured: Vec<_> = (0..250).map(|n| (n * 100, 1_000, 20)).collect();
        let times: Vec<_> = reports(true, &measured).iter().map(|r| r.0).collect();
        assert_eq!(times, [0, 10_000, 20_000]);
    }

    // spec: Section 3.10, "A metric that becomes unknown is reported as 0, and stays 0"
    #[test]
    fn what_becomes_unknown_is_reported_as_such() {
        let measured = [
            (0, 1_000, 20),
            (200, 0, 20),
            (10_200, 0, 20),
            (10_400, 0, 0),
        ];
        let expected = [
            (0, 1_000, 20),
            (200, 0, 20),
            (10_200, 0, 20),
            (10_400, 0, 0),
        ];
        assert_eq!(reports(true, &measured), expected);
    }

    // spec: Section 3.10, "no report before it is known, a single 0 when it is lost, and then silence"
    #[test]
    fn where_only_the_bitrate_is_told_its_absence_is_told_once() {
        let mut measured = vec![(0, 0, 20), (500, 1_000, 20), (1_000, 1_000, 90)];
        measured.extend((11..300).map(|n| (n * 100, 0, 20)));
        assert_eq!(reports(false, &measured), [(500, 1_000, 0), (1_100, 0, 0)]);
    }

    #[test]
    fn what_is_beyond_the_wire_is_cut() {
        let measured = [(0, u64::MAX, 1)];
        assert_eq!(reports(true, &measured), [(0, varint::MAX, 1)]);
        assert_eq!(whole(Duration::from_micros(3)), Duration::from_millis(1));
    }
}
