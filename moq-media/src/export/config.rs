//! How an export goes about it.

use std::time::Duration;

use moq_model::Start;

use super::choice::Choice;
use crate::assembler::AssemblerConfig;

/// How an export goes about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExportConfig {
    /// Which video is written.
    pub video: Choice,
    /// Which audio is written.
    pub audio: Choice,
    /// How the file is written.
    pub assembler: AssemblerConfig,
    /// How far behind the newest group of its track a group may be, in media time.
    pub max_age: Duration,
    /// How long a group is waited for that may still come, once a later one is there.
    pub patience: Duration,
    /// Where in the tracks it begins.
    pub start: Start,
    /// How long the first frames of all renditions are waited for, once one of them has come.
    pub wait: Duration,
}

impl Default for ExportConfig {
    fn default() -> Self {
        Self {
            video: Choice::Best,
            audio: Choice::Best,
            assembler: AssemblerConfig::default(),
            max_age: Duration::from_millis(500),
            patience: Duration::from_millis(500),
            start: Start::Newest,
            wait: Duration::from_secs(3),
        }
    }
}
