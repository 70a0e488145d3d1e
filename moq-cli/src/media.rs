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
            let rate = self.samples as f64 / seconds;
            let kilobits = self.bytes as f64 * 8.0 / 1e3 / seconds;
            let _ = write!(text, ", {rate:.2} samples/s, {kilobits:.0} kbit/s");
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
}

/// All tracks on one line.
pub(crate) fn line(tracks: impl IntoIterator<Item = TrackLine>) -> String {
    let texts = tracks.into_iter().map(|track| track.text());
    texts.collect::<Vec<_>>().join(" | ")
}

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
            "video0 avc1.64001e, 25.00 samples/s, 500 kbit/s, groups of 1.00 s, 2.0 s in all, \
             3 groups missing"
        );
    }
}
