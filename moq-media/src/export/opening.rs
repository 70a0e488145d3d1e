//! How an export begins.

use std::collections::VecDeque;
use std::time::Duration;

use moq_model::BroadcastConsumer;
use moq_model::platform::clock::{self, Instant};

use super::catalog::CatalogTrack;
use super::choice::Choice;
use super::config::ExportConfig;
use super::notice::ExportNotice;
use super::reader::{Export, Wait};
use super::renditions::{sources, subscribe};
use crate::assembler::{Assembler, Source};
use crate::catalog::{Catalog, CatalogError, Reading, TRACK};
use crate::error::ExportError;

impl Export {
    /// Reads the catalog until it has something to write, and subscribes to that.
    ///
    /// A catalog that names something, but lacks one of the chosen kinds or names, is given half a second to
    /// gain it, because some publishers add their renditions one by one.
    ///
    /// # Errors
    /// [`ExportError::NoCatalog`] without a catalog, [`ExportError::NothingToWrite`] when nothing that it
    /// names can be written or it ends first, [`ExportError::NoRendition`] when it lacks a name that was chosen,
    /// [`ExportError::Track`] when it fails.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if a rendition has to be waited for.
    ///
    /// Cancel safe.
    pub async fn open(
        broadcast: &BroadcastConsumer,
        config: ExportConfig,
    ) -> Result<Self, ExportError> {
        let mut catalog = CatalogTrack::open(broadcast)?;
        let mut notices = VecDeque::new();
        let known = complete(&mut catalog, &config, &mut notices).await?;
        let sources = sources(&known, &config, &mut notices);
        let renditions = sources
            .iter()
            .map(|source| subscribe(broadcast, source, &config));
        Ok(Self {
            catalog: Some(catalog),
            renditions: renditions.collect::<Result<_, _>>()?,
            assembler: Assembler::new(sources, config.assembler),
            known,
            notices,
            wait: Wait::ForFirst(config.wait),
            turn: 0,
            failure: None,
            config,
        })
    }
}

/// The first catalog of which something can be written, with all that is wanted or as it is after a
/// while.
async fn complete(
    track: &mut CatalogTrack,
    config: &ExportConfig,
    notices: &mut VecDeque<ExportNotice>,
) -> Result<Catalog, ExportError> {
    let mut last: Option<Reading> = None;
    let mut deadline: Option<Instant> = None;
    loop {
        let next = match deadline {
            None => read(track).await?,
            Some(deadline) => match clock::timeout_at(deadline, read(track)).await {
                Ok(next) => next?,
                Err(_) => None,
            },
        };
        let Some(reading) = next else {
            return as_it_is(last, config, notices);
        };
        let catalog = &reading.catalog;
        if has_all(catalog, config) && !writable(catalog, config).is_empty() {
            notices.extend(reading.faults.into_iter().map(ExportNotice::Field));
            return Ok(reading.catalog);
        }
        let names_some = !catalog.video.is_empty() || !catalog.audio.is_empty();
        if (names_some || !reading.faults.is_empty()) && deadline.is_none() {
            deadline = Some(clock::now() + SETTLE);
        }
        last = Some(reading);
    }
}

/// The next catalog; `None` at the end of its track.
pub(super) async fn read(track: &mut CatalogTrack) -> Result<Option<Reading>, ExportError> {
    let next = track.next().await.map_err(|source| ExportError::Track {
        name: TRACK.to_owned(),
        source,
    })?;
    let reading: Option<Result<Reading, CatalogError>> = next;
    Ok(reading.transpose()?)
}

/// No further catalog is waited for.
fn as_it_is(
    last: Option<Reading>,
    config: &ExportConfig,
    notices: &mut VecDeque<ExportNotice>,
) -> Result<Catalog, ExportError> {
    let Some(Reading { catalog, faults }) = last else {
        let why = Vec::new();
        return Err(ExportError::NothingToWrite { why });
    };
    if let Some(name) = lacking(&catalog, config) {
        let there = catalog.video.keys().chain(catalog.audio.keys());
        return Err(ExportError::NoRendition {
            name: name.to_owned(),
            there: there.cloned().collect(),
        });
    }
    let mut left_out = VecDeque::new();
    if !sources(&catalog, config, &mut left_out).is_empty() {
        notices.extend(faults.into_iter().map(ExportNotice::Field));
        return Ok(catalog);
    }
    let faults = faults.iter().map(ToString::to_string);
    let left_out = left_out.into_iter().map(|notice| match notice {
        ExportNotice::LeftOut(error) => error.to_string(),
        other => other.to_string(),
    });
    let why = faults.chain(left_out).collect();
    Err(ExportError::NothingToWrite { why })
}

fn writable(catalog: &Catalog, config: &ExportConfig) -> Vec<Source> {
    sources(catalog, config, &mut VecDeque::new())
}

/// Whether a catalog has every kind and name that is chosen.
fn has_all(catalog: &Catalog, config: &ExportConfig) -> bool {
    let lacks = |choice: &Choice, is_empty: bool| match choice {
        Choice::Best | Choice::All => is_empty,
        Choice::Named(_) | Choice::None => false,
    };
    lacking(catalog, config).is_none()
        && !lacks(&config.video, catalog.video.is_empty())
        && !lacks(&config.audio, catalog.audio.is_empty())
}

/// A chosen name that a catalog lacks.
fn lacking<'a>(catalog: &Catalog, config: &'a ExportConfig) -> Option<&'a str> {
    match (&config.video, &config.audio) {
        (Choice::Named(name), _) if !catalog.video.contains_key(name) => Some(name),
        (_, Choice::Named(name)) if !catalog.audio.contains_key(name) => Some(name),
        _ => None,
    }
}

/// How long a catalog has to gain what it lacks.
pub(super) const SETTLE: Duration = Duration::from_millis(500);
