//! Renditions of the catalog that are written.

use std::collections::VecDeque;

use moq_model::platform::clock::Instant;
use moq_model::{BroadcastConsumer, OrderedReader, Start, Subscription};

use super::choice;
use super::config::ExportConfig;
use super::notice::ExportNotice;
use crate::assembler::Source;
use crate::catalog::Catalog;
use crate::error::ExportError;

/// A rendition that is read.
#[derive(Debug)]
pub(super) struct Rendition {
    pub(super) name: String,
    /// `None` once it has ended.
    pub(super) reader: Option<OrderedReader>,
    /// The group that is left, because a frame of it can't be used.
    pub(super) left: Option<u64>,
    /// Whether the track failed, so that it may be found again.
    pub(super) is_lost: bool,
    /// The group and the frame that were next when it was lost.
    pub(super) position: Option<(u64, usize)>,
    /// The group that has to come first after that.
    pub(super) awaited: Option<u64>,
    /// How many groups are known to be missing.
    pub(super) skipped: u64,
    /// When its newest frame came.
    pub(super) newest_at: Option<Instant>,
}

/// What is to be written, by the configuration.
pub(super) fn sources(
    catalog: &Catalog,
    config: &ExportConfig,
    notices: &mut VecDeque<ExportNotice>,
) -> Vec<Source> {
    let video = choice::video(catalog, &config.video);
    let audio = choice::audio(catalog, &config.audio);
    let mut sources = Vec::new();
    for source in video.into_iter().chain(audio) {
        match source {
            Ok(source) => sources.push(source),
            Err(error) => notices.push_back(ExportNotice::LeftOut(error)),
        }
    }
    sources
}

/// Begins to read the track of a rendition.
pub(super) fn subscribe(
    broadcast: &BroadcastConsumer,
    source: &Source,
    config: &ExportConfig,
) -> Result<Rendition, ExportError> {
    let name = source.name.clone();
    Ok(Rendition {
        reader: Some(open(broadcast, &name, config.start, config)?),
        name,
        left: None,
        is_lost: false,
        position: None,
        awaited: None,
        skipped: 0,
        newest_at: None,
    })
}

/// Reads a track from `start` on.
pub(super) fn open(
    broadcast: &BroadcastConsumer,
    name: &str,
    start: Start,
    config: &ExportConfig,
) -> Result<OrderedReader, ExportError> {
    let track = broadcast
        .track(name)
        .map_err(|error| ExportError::Rendition {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
    let subscription = Subscription::default()
        .with_start(start)
        .with_max_age(config.max_age)
        .with_patience(config.patience);
    Ok(track.subscribe(subscription).ordered())
}

/// Whether a rendition's entry asks for another decoder. One that is gone ends by its track.
pub(super) fn is_changed(old: &Catalog, new: &Catalog, name: &str) -> bool {
    let video = old.video.get(name).zip(new.video.get(name));
    let audio = old.audio.get(name).zip(new.audio.get(name));
    video.is_some_and(|(old, new)| !old.is_same_stream(new))
        || audio.is_some_and(|(old, new)| !old.is_same_stream(new))
}
