//! What people and programs are told of tracks of media, while they flow and afterwards.

mod line;
mod stats;
mod tally;

use std::error::Error;

pub(crate) use line::TrackLine;
pub(crate) use stats::Stats;
pub(crate) use tally::Tally;

use moq_media::Export;

use crate::output;

/// What there is to tell of each rendition that is written.
pub(crate) fn written(export: Option<&Export>) -> impl Iterator<Item = TrackLine> {
    let stats = export.into_iter().flat_map(Export::stats);
    stats.map(|stats| TrackLine::written(&stats))
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
