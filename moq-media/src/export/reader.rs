//! Tracks of a broadcast → bytes.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use moq_model::platform::clock::{self, Sleep};
use moq_model::{BroadcastConsumer, ReadError, TrackRead};

use super::catalog::CatalogTrack;
use super::config::ExportConfig;
use super::notice::ExportNotice;
use super::renditions::{Rendition, is_changed, sources, subscribe};
use crate::assembler::Assembler;
use crate::catalog::{Catalog, CatalogError, Reading, TRACK};
use crate::error::ExportError;

/// Reads a broadcast's media and writes it as one fragmented MP4.
///
/// ```
/// # let init_and_fragments = moq_media::doc::audio();
/// # use std::time::Duration;
/// # use moq_media::{Import, ImportConfig};
/// # use moq_model::{BroadcastProducer, Start};
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// # let broadcast = BroadcastProducer::new();
/// # let mut import = Import::new(broadcast.clone(), ImportConfig::default())?;
/// # import.push(init_and_fragments, Duration::ZERO)?;
/// # import.publish(Duration::MAX)?;
/// use moq_media::{Export, ExportConfig};
///
/// let mut config = ExportConfig::default();
/// config.start = Start::OLDEST;
/// let mut export = Export::open(&broadcast.consume(), config).await?;
/// # import.finish()?;
/// let mut file = Vec::new();
/// while let Some(bytes) = export.next().await? {
///     file.extend_from_slice(&bytes);
/// }
/// assert_eq!(&file[4..8], b"ftyp");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Export {
    /// `None` once it has ended.
    catalog: Option<CatalogTrack>,
    known: Catalog,
    renditions: Vec<Rendition>,
    assembler: Assembler,
    notices: VecDeque<ExportNotice>,
    wait: Wait,
    /// Which rendition is asked first, so that none starves.
    turn: usize,
    /// The last rendition that failed, unless another one ended well.
    failure: Option<(String, ReadError)>,
}

/// Waits for the first frames of all renditions, from the first of any on.
#[derive(Debug)]
enum Wait {
    ForFirst(Duration),
    Until(Pin<Box<Sleep>>),
    Over,
}

/// What came next.
enum Step {
    Catalog(Result<Option<Result<Reading, CatalogError>>, ReadError>),
    Read(usize, Result<Option<TrackRead>, ReadError>),
    Waited,
    End,
}

impl Export {
    /// Reads the catalog until it has something to write, and subscribes to that.
    ///
    /// # Errors
    /// [`ExportError::NoCatalog`] without a catalog, [`ExportError::NothingToWrite`] when it ends
    /// first, [`ExportError::Track`] when it fails.
    ///
    /// Cancel safe.
    pub async fn open(
        broadcast: &BroadcastConsumer,
        config: ExportConfig,
    ) -> Result<Self, ExportError> {
        let mut catalog = CatalogTrack::open(broadcast)?;
        let mut notices = VecDeque::new();
        loop {
            let next = catalog.next().await.map_err(|source| ExportError::Track {
                name: TRACK.to_owned(),
                source,
            })?;
            let reading = next.ok_or(ExportError::NothingToWrite)??;
            notices.extend(reading.faults.into_iter().map(ExportNotice::Field));
            let sources = sources(&reading.catalog, &config, &mut notices);
            if sources.is_empty() {
                continue;
            }
            let renditions = sources
                .iter()
                .map(|source| subscribe(broadcast, source, &config));
            return Ok(Self {
                catalog: Some(catalog),
                renditions: renditions.collect::<Result<_, _>>()?,
                assembler: Assembler::new(sources, config.assembler),
                known: reading.catalog,
                notices,
                wait: Wait::ForFirst(config.wait),
                turn: 0,
                failure: None,
            });
        }
    }

    /// The next bytes of the file; `None` at its end.
    ///
    /// # Errors
    /// [`ExportError::Track`] when all renditions have ended and none of them well,
    /// [`ExportError::Changed`] when one needs another decoder.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if a group or a rendition has to be waited for.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        loop {
            if let Some(bytes) = self.assembler.pop() {
                return Ok(Some(bytes));
            }
            match poll_fn(|cx| self.poll_step(cx)).await {
                Step::Catalog(next) => self.follow(next)?,
                Step::Read(at, next) => self.read(at, next)?,
                Step::Waited => self.start()?,
                Step::End if self.assembler.is_started() => return self.end(),
                Step::End => {
                    self.start()?;
                    if !self.assembler.is_started() {
                        return self.end();
                    }
                }
            }
        }
    }

    /// The next thing that a person should know.
    pub fn next_notice(&mut self) -> Option<ExportNotice> {
        self.notices.pop_front()
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(catalog) = &mut self.catalog
            && let Poll::Ready(next) = pin!(catalog.next()).poll(cx)
        {
            return Poll::Ready(Step::Catalog(next));
        }
        let count = self.renditions.len();
        let mut is_over = true;
        for step in 0..count {
            let at = (self.turn + step) % count;
            let Some(reader) = &mut self.renditions[at].reader else {
                continue;
            };
            is_over = false;
            if let Poll::Ready(next) = reader.poll_next(cx) {
                self.turn = at + 1;
                return Poll::Ready(Step::Read(at, next));
            }
        }
        if is_over {
            return Poll::Ready(Step::End);
        }
        match &mut self.wait {
            Wait::Until(timer) => timer.as_mut().poll(cx).map(|()| Step::Waited),
            Wait::ForFirst(_) | Wait::Over => Poll::Pending,
        }
    }

    fn read(
        &mut self,
        at: usize,
        next: Result<Option<TrackRead>, ReadError>,
    ) -> Result<(), ExportError> {
        let name = self.renditions[at].name.clone();
        match next {
            Ok(Some(TrackRead::Frame { group, frame, .. })) => {
                self.frame(at, group, &frame.payload)?;
            }
            Ok(Some(TrackRead::Skipped { groups, cause })) => {
                self.assembler.gap(at);
                let notice = ExportNotice::Skipped {
                    name,
                    groups,
                    cause,
                };
                self.notices.push_back(notice);
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                self.renditions[at].reader = None;
                self.failure = None;
            }
            Err(error) => {
                self.renditions[at].reader = None;
                self.failure = Some((name.clone(), error));
                self.notices.push_back(ExportNotice::Failed { name, error });
            }
        }
        Ok(())
    }

    fn frame(&mut self, at: usize, group: u64, frame: &Bytes) -> Result<(), ExportError> {
        let rendition = &mut self.renditions[at];
        if rendition.left == Some(group) {
            return Ok(());
        }
        if let Err(error) = self.assembler.frame(at, group, frame)? {
            rendition.left = Some(group);
            let name = rendition.name.clone();
            self.notices
                .push_back(ExportNotice::BadFrame { name, error });
        }
        match &self.wait {
            _ if self.assembler.is_started() => self.wait = Wait::Over,
            Wait::ForFirst(wait) => self.wait = Wait::Until(Box::pin(clock::sleep(*wait))),
            Wait::Until(_) | Wait::Over => {}
        }
        Ok(())
    }

    /// Starts the output without the renditions that have no frame yet.
    fn start(&mut self) -> Result<(), ExportError> {
        self.wait = Wait::Over;
        self.assembler.start()?;
        if self.assembler.is_started() {
            let late = self
                .assembler
                .left_out()
                .map(|name| ExportNotice::Late(name.to_owned()));
            self.notices.extend(late);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Bytes>, ExportError> {
        match self.failure.take() {
            Some((name, source)) => Err(ExportError::Track { name, source }),
            None => Ok(None),
        }
    }

    /// Takes a change of the catalog. Only another decoder matters to what is being written.
    fn follow(
        &mut self,
        next: Result<Option<Result<Reading, CatalogError>>, ReadError>,
    ) -> Result<(), ExportError> {
        let reading = match next {
            Ok(Some(Ok(reading))) => reading,
            Ok(Some(Err(error))) => {
                self.notices.push_back(ExportNotice::Catalog(error));
                return Ok(());
            }
            // The renditions tell how the broadcast ended.
            Ok(None) | Err(_) => {
                self.catalog = None;
                return Ok(());
            }
        };
        self.notices
            .extend(reading.faults.into_iter().map(ExportNotice::Field));
        for Rendition { name, reader, .. } in &self.renditions {
            if reader.is_some() && is_changed(&self.known, &reading.catalog, name) {
                return Err(ExportError::Changed { name: name.clone() });
            }
        }
        let (old, new) = (&self.known, &reading.catalog);
        let video = new
            .video
            .keys()
            .filter(|name| !old.video.contains_key(*name));
        let audio = new
            .audio
            .keys()
            .filter(|name| !old.audio.contains_key(*name));
        let appeared = video
            .chain(audio)
            .map(|name| ExportNotice::Appeared(name.clone()));
        self.notices.extend(appeared);
        self.known = reading.catalog;
        Ok(())
    }
}
