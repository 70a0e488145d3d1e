//! Tracks of a broadcast → bytes.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use moq_model::platform::clock::{self, Sleep};
use moq_model::{Abort, GroupRange, ReadError, TrackRead};

use super::catalog::CatalogTrack;
use super::config::ExportConfig;
use super::notice::ExportNotice;
use super::renditions::Rendition;
use crate::assembler::Assembler;
use crate::catalog::{Catalog, CatalogError, Reading};
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
    pub(super) catalog: Option<CatalogTrack>,
    pub(super) known: Catalog,
    pub(super) config: ExportConfig,
    pub(super) renditions: Vec<Rendition>,
    pub(super) assembler: Assembler,
    pub(super) notices: VecDeque<ExportNotice>,
    pub(super) wait: Wait,
    /// Which rendition is asked first, so that none starves.
    pub(super) turn: usize,
    /// The last rendition that failed, unless another one ended well.
    pub(super) failure: Option<(String, ReadError)>,
}

/// Waits for the first frames of all renditions, from the first of any on.
#[derive(Debug)]
pub(super) enum Wait {
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
            Ok(Some(TrackRead::Frame {
                group,
                index,
                frame,
            })) => {
                if let Some(groups) = self.renditions[at].resumed_behind(group) {
                    self.skipped(at, groups, Abort::Missing);
                }
                if !self.renditions[at].was_written(group, index) {
                    self.frame(at, group, &frame.payload)?;
                }
            }
            Ok(Some(TrackRead::Skipped { groups, cause })) => {
                self.renditions[at].awaited = None;
                self.skipped(at, groups, cause);
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                self.renditions[at].reader = None;
                self.failure = None;
            }
            Err(error) => {
                self.renditions[at].lose();
                self.failure = Some((name.clone(), error));
                self.notices.push_back(ExportNotice::Failed { name, error });
            }
        }
        Ok(())
    }

    fn skipped(&mut self, at: usize, groups: GroupRange, cause: Abort) {
        self.assembler.gap(at);
        let rendition = &mut self.renditions[at];
        rendition.skipped += groups.end.saturating_sub(groups.start);
        let name = rendition.name.clone();
        self.notices.push_back(ExportNotice::Skipped {
            name,
            groups,
            cause,
        });
    }

    fn frame(&mut self, at: usize, group: u64, frame: &Bytes) -> Result<(), ExportError> {
        let rendition = &mut self.renditions[at];
        rendition.newest_at = Some(clock::now());
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
}
