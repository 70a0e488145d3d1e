//! What people and programs are told of tracks of media, while they flow and afterwards.

mod line;
mod stats;

use std::error::Error;

pub(crate) use line::TrackLine;
pub(crate) use stats::Stats;

use crate::output;

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
