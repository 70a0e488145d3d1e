//! A track on one line.

use std::fmt::Write as _;
use std::time::Duration;

use moq_media::assembler::WrittenStats;
use moq_media::catalog::Size;
use moq_media::packager::TrackStats;

use crate::output;

/// What is told of a track.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TrackLine {
    pub(crate) name: String,
    pub(crate) codec: String,
    pub(crate) size: Option<Size>,
    pub(crate) samples: u64,
    pub(crate) groups: u64,
    pub(crate) bytes: u64,
    /// Samples that were left out for want of a key frame.
    pub(crate) dropped: u64,
    /// Groups that are known to be missing.
    pub(crate) skipped: u64,
    /// How long it is, in media time.
    pub(crate) span: Duration,
    /// How long ago its newest frame came.
    pub(crate) age: Option<Duration>,
}

impl TrackLine {
    /// A track that is published.
    pub(crate) fn published(stats: &TrackStats) -> Self {
        Self {
            name: output::harmless(&stats.name),
            codec: output::harmless(&stats.codec),
            size: stats.size,
            samples: stats.samples,
            groups: stats.groups,
            bytes: stats.bytes,
            dropped: stats.dropped,
            skipped: 0,
            span: stats.end.saturating_sub(stats.start),
            age: stats.age,
        }
    }

    /// A rendition that is written.
    pub(crate) fn written(stats: &WrittenStats) -> Self {
        Self {
            name: output::harmless(&stats.name),
            codec: output::harmless(&stats.codec),
            size: stats.size,
            samples: stats.samples,
            groups: stats.groups,
            bytes: stats.bytes,
            dropped: 0,
            skipped: stats.skipped,
            span: stats.span,
            age: stats.age,
        }
    }

    /// What there is to say in the end: codec, size, rates, how long a group is, what is lost.
    pub(crate) fn text(&self) -> String {
        let mut text = self.head();
        let (rate, kilobits) = self.rates();
        // Writing into a string cannot fail.
        if !self.span.is_zero() {
            let of = self.unit();
            let _ = write!(text, ", {rate:.2} {of}, {kilobits:.0} kbit/s");
        }
        if self.groups > 0 {
            let (group, all) = (self.group(), self.span.as_secs_f64());
            let _ = write!(text, ", groups of {group:.2} s, {all:.1} s in all");
        }
        text + &self.lost()
    }

    /// What there is to say while it flows, as far as the line of a terminal reaches.
    pub(crate) fn progress(&self) -> String {
        let mut text = self.head();
        let ((rate, kilobits), of) = (self.rates(), self.unit());
        let _ = write!(text, ", {rate:.1} {of}, {kilobits:.0} kbit/s");
        let group = self.group();
        let _ = write!(text, ", GOP {group:.1} s");
        if let Some(age) = self.age {
            let _ = write!(text, ", age {} ms", age.as_millis());
        }
        text += &self.lost();
        match text.char_indices().nth(COLUMNS) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }

    /// Its name, codec and size.
    fn head(&self) -> String {
        let (name, codec) = (&self.name, &self.codec);
        match self.size {
            Some(Size { width, height }) => format!("{name} {codec} {width}×{height}"),
            None => format!("{name} {codec}"),
        }
    }

    fn unit(&self) -> &'static str {
        if self.size.is_some() {
            "fps"
        } else {
            "packets/s"
        }
    }

    /// What is missing, if anything.
    fn lost(&self) -> String {
        let mut text = String::new();
        if self.dropped > 0 {
            let _ = write!(text, ", {} samples left out", self.dropped);
        }
        if self.skipped > 0 {
            let _ = write!(text, ", {} groups missing", self.skipped);
        }
        text
    }

    /// Samples and kilobits per second of media time.
    pub(crate) fn rates(&self) -> (f64, f64) {
        let seconds = self.span.as_secs_f64();
        if seconds == 0.0 {
            return (0.0, 0.0);
        }
        let kilobits = self.bytes as f64 * 8.0 / 1e3;
        (self.samples as f64 / seconds, kilobits / seconds)
    }

    /// Seconds of a group, on average.
    pub(crate) fn group(&self) -> f64 {
        if self.groups == 0 {
            return 0.0;
        }
        self.span.as_secs_f64() / self.groups as f64
    }
}

/// What every terminal has, but one.
const COLUMNS: usize = 78;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_told_in_one_line() {
        let mut track = TrackLine {
            name: "video0".into(),
            codec: "avc1.64001e".into(),
            ..TrackLine::default()
        };
        assert_eq!(track.text(), "video0 avc1.64001e");
        (track.samples, track.groups, track.bytes) = (50, 2, 125_000);
        track.span = Duration::from_secs(2);
        (track.skipped, track.age) = (3, Some(Duration::from_millis(40)));
        assert_eq!(
            track.text(),
            "video0 avc1.64001e, 25.00 packets/s, 500 kbit/s, groups of 1.00 s, 2.0 s in all, \
             3 groups missing"
        );
        (track.skipped, track.dropped) = (0, 7);
        assert!(track.text().ends_with(", 7 samples left out"));
    }

    #[test]
    fn progress_is_no_wider_than_a_terminal() {
        let (width, height) = (1920, 1080);
        let mut track = TrackLine {
            name: "video0".into(),
            codec: "avc1.640028".into(),
            size: Some(Size { width, height }),
            age: Some(Duration::from_millis(40)),
            ..TrackLine::default()
        };
        assert_eq!(
            track.progress(),
            "video0 avc1.640028 1920×1080, 0.0 fps, 0 kbit/s, GOP 0.0 s, age 40 ms"
        );
        track.skipped = 100_000;
        assert!(track.progress().ends_with('…'));
        assert_eq!(track.progress().chars().count(), COLUMNS + 1);
    }
}
