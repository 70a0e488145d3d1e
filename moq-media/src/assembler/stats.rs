//! What was written.

use std::time::Duration;

use super::state::Assembler;
use super::track::Track;
use crate::catalog::Size;

/// What was written of a rendition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WrittenStats {
    /// The name of its track.
    pub name: String,
    /// Its WebCodecs string.
    pub codec: String,
    /// The size of its pictures, if it has pictures and they are known.
    pub size: Option<Size>,
    /// Samples that were written.
    pub samples: u64,
    /// Groups of which something was written.
    pub groups: u64,
    /// Bytes of the samples.
    pub bytes: u64,
    /// Groups that are known to be missing.
    pub skipped: u64,
    /// How long it is, from its first sample on, in media time.
    pub span: Duration,
    /// How long ago its newest frame came; `None` if none did.
    pub age: Option<Duration>,
}

/// Counts what is written of a rendition.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    pub(super) samples: u64,
    pub(super) groups: u64,
    pub(super) bytes: u64,
    /// The group that was counted last.
    pub(super) group: Option<u64>,
    /// Where the first sample began, in the output's ticks of the rendition.
    pub(super) start: Option<i64>,
}

impl Assembler {
    /// What was written of the renditions, in their order. It knows of no missing groups, and of
    /// no ages.
    pub fn stats(&self) -> impl Iterator<Item = WrittenStats> {
        self.tracks.iter().map(Track::stats)
    }
}

impl Track {
    fn stats(&self) -> WrittenStats {
        let ticks = self.end.zip(self.counters.start);
        let ticks = ticks.map_or(0, |(end, start)| end.saturating_sub(start));
        let micros = self.scale().micros(ticks);
        WrittenStats {
            name: self.source.name.clone(),
            codec: self.source.config.codec.clone(),
            size: self.source.config.media.size(),
            samples: self.counters.samples,
            groups: self.counters.groups,
            bytes: self.counters.bytes,
            skipped: 0,
            span: Duration::from_micros(u64::try_from(micros).unwrap_or(0)),
            age: None,
        }
    }
}
