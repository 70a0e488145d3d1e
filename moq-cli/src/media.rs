//! What people are told of tracks of media, while they flow and afterwards.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use moq_media::assembler::WrittenStats;
use moq_media::catalog::Size;
use moq_media::packager::TrackStats;

use crate::output;

/// What is told of a track.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrackLine {
    name: String,
    codec: String,
    size: Option<Size>,
    samples: u64,
    groups: u64,
    bytes: u64,
    /// Samples that were left out, or groups that are missing, as a text.
    lost: Option<String>,
    /// How long it is, in media time.
    span: Duration,
}

impl TrackLine {
    /// A track that is published.
    pub(crate) fn published(stats: &TrackStats) -> Self {
        let dropped = stats.dropped;
        Self {
            name: output::harmless(&stats.name),
            codec: output::harmless(&stats.codec),
            size: stats.size,
            samples: stats.samples,
            groups: stats.groups,
            bytes: stats.bytes,
            lost: (dropped > 0).then(|| format!("{dropped} samples left out")),
            span: stats.end.saturating_sub(stats.start),
        }
    }

    /// A rendition that is written.
    pub(crate) fn written(stats: &WrittenStats) -> Self {
        let skipped = stats.skipped;
        Self {
            name: output::harmless(&stats.name),
            codec: output::harmless(&stats.codec),
            size: stats.size,
            samples: stats.samples,
            groups: stats.groups,
            bytes: stats.bytes,
            lost: (skipped > 0).then(|| format!("{skipped} groups missing")),
            span: stats.span,
        }
    }

    /// On one line: codec, size, rates, how long a group is, what is lost.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} {}", self.name, self.codec);
        // Writing into a string cannot fail.
        if let Some(Size { width, height }) = self.size {
            let _ = write!(text, " {width}×{height}");
        }
        let seconds = self.span.as_secs_f64();
        if seconds > 0.0 {
            let (rate, kilobits) = self.rates(seconds);
            let of = if self.size.is_some() {
                "fps"
            } else {
                "packets/s"
            };
            let _ = write!(text, ", {rate:.2} {of}, {kilobits:.0} kbit/s");
        }
        if self.groups > 0 {
            let group = seconds / self.groups as f64;
            let _ = write!(text, ", groups of {group:.2} s, {seconds:.1} s in all");
        }
        if let Some(lost) = &self.lost {
            let _ = write!(text, ", {lost}");
        }
        text
    }

    /// Samples and kilobits per second.
    fn rates(&self, seconds: f64) -> (f64, f64) {
        let kilobits = self.bytes as f64 * 8.0 / 1e3;
        (self.samples as f64 / seconds, kilobits / seconds)
    }

    /// What fits on a line beside another one.
    fn short(&self) -> String {
        let seconds = self.span.as_secs_f64();
        let (rate, kilobits) = self.rates(seconds.max(0.001));
        let lost = self
            .lost
            .as_ref()
            .map_or_else(String::new, |lost| format!(", {lost}"));
        format!(
            "{} {seconds:.1} s, {rate:.1}/s, {kilobits:.0} kbit/s{lost}",
            self.name
        )
    }
}

/// All tracks on one line of a terminal, as far as it reaches.
pub(crate) fn line(tracks: impl IntoIterator<Item = TrackLine>) -> String {
    let texts = tracks.into_iter().map(|track| track.short());
    let line = texts.collect::<Vec<_>>().join(" | ");
    match line.char_indices().nth(COLUMNS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// What every terminal has, but one.
const COLUMNS: usize = 78;

/// An error with its causes, as far as they add something.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    output::harmless(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_told_in_one_line() {
        let mut track = TrackLine {
            name: "video0".into(),
            codec: "avc1.64001e".into(),
            size: None,
            samples: 0,
            groups: 0,
            bytes: 0,
            lost: None,
            span: Duration::ZERO,
        };
        assert_eq!(track.text(), "video0 avc1.64001e");
        (track.samples, track.groups, track.bytes) = (50, 2, 125_000);
        track.span = Duration::from_secs(2);
        track.lost = Some("3 groups missing".into());
        assert_eq!(
            track.text(),
            "video0 avc1.64001e, 25.00 packets/s, 500 kbit/s, groups of 1.00 s, 2.0 s in all, \
             3 groups missing"
        );
        assert_eq!(
            track.short(),
            "video0 2.0 s, 25.0/s, 500 kbit/s, 3 groups missing"
        );
        let many = line(vec![track; 9]);
        assert_eq!(many.chars().count(), COLUMNS + 1);
        assert!(many.ends_with('…'));
    }
}
