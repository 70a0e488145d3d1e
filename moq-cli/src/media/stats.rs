//! `--stats-json`: what flows, for programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio::time::Instant;

use super::TrackLine;
use crate::exit::{Exit, Failure};
use crate::progress::Console;

/// Shows how tracks flow: to people on the terminal, and to programs an object a second.
pub(crate) struct Stats<'a> {
    console: &'a Console,
    sink: Option<Box<dyn Write + Send>>,
    start: Instant,
    /// Seconds that were told.
    told: u64,
    /// What was told last of each track.
    before: BTreeMap<String, TrackLine>,
}

impl<'a> Stats<'a> {
    /// Opens the file, or stderr for `-`; nothing without a path.
    ///
    /// # Errors
    /// If the file can't be written.
    pub(crate) fn open(path: Option<&PathBuf>, console: &'a Console) -> anyhow::Result<Self> {
        let open = |path: &PathBuf| -> anyhow::Result<Box<dyn Write + Send>> {
            if path == Path::new("-") {
                return Ok(Box::new(console.writer()));
            }
            let what = format!("cannot write {}", path.display());
            let failure = Failure::new(Exit::Failed, what);
            Ok(Box::new(File::create(path).context(failure)?))
        };
        Ok(Self {
            console,
            sink: path.map(open).transpose()?,
            start: Instant::now(),
            told: 0,
            before: BTreeMap::new(),
        })
    }

    /// Shows the progress, and tells programs if a second has passed since they were told.
    ///
    /// # Errors
    /// If the file can't be written.
    pub(crate) fn show<L: Iterator<Item = TrackLine>>(
        &mut self,
        lines: impl Fn() -> L,
    ) -> anyhow::Result<()> {
        self.console
            .show_lines(|| lines().map(|line| line.progress()).collect());
        self.tell(lines)
    }

    /// Tells programs, if a second has passed since they were told.
    ///
    /// # Errors
    /// If the file can't be written.
    pub(crate) fn tell<L: Iterator<Item = TrackLine>>(
        &mut self,
        lines: impl Fn() -> L,
    ) -> anyhow::Result<()> {
        let seconds = self.start.elapsed().as_secs();
        if self.sink.is_none() || seconds <= self.told {
            return Ok(());
        }
        self.told = seconds;
        self.write(lines(), false)
    }

    /// Tells people and programs what there was in all.
    ///
    /// # Errors
    /// If the file can't be written.
    pub(crate) fn end<L: Iterator<Item = TrackLine>>(
        &mut self,
        lines: impl Fn() -> L,
    ) -> anyhow::Result<()> {
        for line in lines() {
            self.console.note(line.text());
        }
        self.before.clear();
        self.write(lines(), true)
    }

    fn write(
        &mut self,
        lines: impl Iterator<Item = TrackLine>,
        is_end: bool,
    ) -> anyhow::Result<()> {
        let Some(sink) = &mut self.sink else {
            return Ok(());
        };
        let tracks = lines.map(|line| {
            let track = Track::of(&line, self.before.get(&line.name));
            self.before.insert(line.name.clone(), line);
            track
        });
        let second = Second {
            seconds: millis(self.start.elapsed()),
            end: is_end,
            tracks: tracks.collect(),
        };
        let mut text = serde_json::to_string(&second).context("cannot write the figures")?;
        text.push('\n');
        sink.write_all(text.as_bytes())
            .context("cannot write the figures of --stats-json")
    }
}

/// An object of `--stats-json`.
#[derive(Debug, Serialize)]
struct Second {
    /// Since the command began.
    seconds: f64,
    /// Whether this is the last one, which tells the averages of all.
    end: bool,
    tracks: Vec<Track>,
}

/// A track in an object of `--stats-json`.
#[derive(Debug, Serialize)]
struct Track {
    name: String,
    codec: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Samples per second of media time since the object before.
    fps: f64,
    /// Kilobits likewise.
    kbps: f64,
    /// Seconds of a group, on average over all.
    gop_seconds: f64,
    /// Since the newest frame came.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<u64>,
    skipped_groups: u64,
    dropped_samples: u64,
    /// In all, as the two after it.
    samples: u64,
    groups: u64,
    bytes: u64,
    /// Seconds of media time.
    media_seconds: f64,
}

impl Track {
    fn of(line: &TrackLine, before: Option<&TrackLine>) -> Self {
        let since = before.map_or_else(TrackLine::default, Clone::clone);
        let recent = TrackLine {
            samples: line.samples.saturating_sub(since.samples),
            bytes: line.bytes.saturating_sub(since.bytes),
            span: line.span.saturating_sub(since.span),
            ..TrackLine::default()
        };
        let (fps, kbps) = recent.rates();
        let hundredths = |value: f64| (value * 100.0).round() / 100.0;
        Self {
            name: line.name.clone(),
            codec: line.codec.clone(),
            width: line.size.map(|size| size.width),
            height: line.size.map(|size| size.height),
            fps: hundredths(fps),
            kbps: hundredths(kbps),
            gop_seconds: hundredths(line.group()),
            age_ms: line
                .age
                .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            skipped_groups: line.skipped,
            dropped_samples: line.dropped,
            samples: line.samples,
            groups: line.groups,
            bytes: line.bytes,
            media_seconds: millis(line.span),
        }
    }
}

/// Seconds with three places.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_time_since_the_object_before() {
        let line = |samples, bytes, seconds| TrackLine {
            name: "video0".into(),
            samples,
            bytes,
            groups: 2,
            span: Duration::from_secs(seconds),
            age: Some(Duration::from_millis(40)),
            ..TrackLine::default()
        };
        let (first, second) = (line(25, 125_000, 1), line(85, 250_000, 3));
        let track = Track::of(&first, None);
        assert_eq!((track.fps, track.kbps), (25.0, 1_000.0));
        let track = Track::of(&second, Some(&first));
        assert_eq!((track.fps, track.kbps), (30.0, 500.0));
        assert_eq!((track.gop_seconds, track.age_ms), (1.5, Some(40)));
        let still = Track::of(&second, Some(&second));
        assert_eq!((still.fps, still.kbps), (0.0, 0.0));
        let json = serde_json::to_value(&still).unwrap();
        assert_eq!(json["name"], "video0");
        assert!(json.get("width").is_none());
    }
}
