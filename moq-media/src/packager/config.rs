//! How a packager goes about it.

use std::time::Duration;

use crate::timeline::AudioGroups;

/// How samples are wrapped into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// A frame per sample, in `legacy`: every player reads it.
    #[default]
    Legacy,
    /// A frame per sample, in `loc`.
    Loc,
    /// A frame per fragment, in `cmaf`: times stay exact.
    Cmaf,
}

/// How a packager goes about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PackagerConfig {
    /// How samples are wrapped.
    pub format: Format,
    /// What a group of audio spans.
    pub audio_group: Duration,
}

impl Default for PackagerConfig {
    fn default() -> Self {
        Self {
            format: Format::default(),
            audio_group: AudioGroups::DEFAULT_SPAN,
        }
    }
}
