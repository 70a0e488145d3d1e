//! Fragmented MP4, MPEG-TS or H.264 → a broadcast.

mod input;
mod publisher;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use moq_model::BroadcastProducer;

pub use self::input::InputFormat;

use self::input::Input;
use self::publisher::Publisher;
use crate::error::ImportError;
use crate::fmp4::{DemuxError, Limits};
use crate::packager::{Notice, Packager, PackagerConfig, TrackStats};

/// How an import goes about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImportConfig {
    /// What the input is.
    pub input: InputFormat,
    /// How samples become groups and frames.
    pub packager: PackagerConfig,
    /// What the input may cost.
    pub limits: Limits,
    /// How long groups are kept for those who join.
    pub max_age: Duration,
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self {
            input: InputFormat::default(),
            packager: PackagerConfig::default(),
            limits: Limits::default(),
            max_age: Duration::from_secs(30),
        }
    }
}

/// Publishes fragmented MP4, or what [`InputFormat`] says, in a broadcast: its catalog, its tracks, and their groups.
///
/// Input is handed over in any pieces. What it says is published by [`publish`](Self::publish), up to
/// a moment of the broadcast's time, so that files can be sent in real time.
///
/// ```
/// # let init_and_fragments = moq_media::doc::audio();
/// use std::time::Duration;
///
/// use moq_media::{Import, ImportConfig};
/// use moq_model::BroadcastProducer;
///
/// let broadcast = BroadcastProducer::new();
/// let mut import = Import::new(broadcast.clone(), ImportConfig::default())?;
/// for piece in init_and_fragments.chunks(100) {
///     import.push(piece.to_vec(), Duration::ZERO)?;
///     import.publish(Duration::MAX)?;
/// }
/// import.finish()?;
/// assert!(broadcast.consume().track("audio0").is_ok());
/// # Ok::<(), moq_media::ImportError>(())
/// ```
#[derive(Debug)]
pub struct Import {
    input: Input,
    config: (InputFormat, Limits),
    packager: Packager,
    publisher: Publisher,
    notices: VecDeque<Notice>,
}

impl Import {
    /// An import into `broadcast`, whose catalog's track is created.
    ///
    /// # Errors
    /// [`ImportError::Publish`] when the broadcast has a catalog already.
    pub fn new(broadcast: BroadcastProducer, config: ImportConfig) -> Result<Self, ImportError> {
        Ok(Self {
            input: Input::new(config.input, config.limits),
            config: (config.input, config.limits),
            packager: Packager::new(config.packager),
            publisher: Publisher::new(broadcast, config.max_age)?,
            notices: VecDeque::new(),
        })
    }

    /// Takes a piece of the input. `now` is the time since any moment the caller likes; it says how
    /// long an encoder was away that is restarted. A file says 0 throughout.
    ///
    /// # Errors
    /// [`ImportError`] when no further input can help. What came before can still be published, and
    /// then [`finish`](Self::finish) ends the tracks well.
    pub fn push(&mut self, input: impl Into<Bytes>, now: Duration) -> Result<(), ImportError> {
        self.input.push(input.into());
        while let Some(event) = self.input.next()? {
            self.packager.push(event, now)?;
        }
        Ok(())
    }

    /// When the next frame is due, in the broadcast's time; `None` until there is more input.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.packager.next_due()
    }

    /// Whether to push more of a file before waiting for [`next_due`](Self::next_due): a track has no
    /// frame queued, and less than ten seconds of the other tracks are.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.packager.wants_input()
    }

    /// Publishes what is due at `until` in the broadcast's time; [`Duration::MAX`] publishes all.
    ///
    /// # Errors
    /// [`ImportError::Publish`] when the broadcast takes no more.
    pub fn publish(&mut self, until: Duration) -> Result<(), ImportError> {
        while self.next_due().is_some_and(|due| due <= until) {
            if let Some(output) = self.packager.pop() {
                self.notices.extend(self.publisher.publish(output)?);
            }
        }
        Ok(())
    }

    /// Waits while even the fastest reader of a track is far behind.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, if it has to wait.
    ///
    /// Cancel safe.
    pub async fn ready(&self) {
        self.publisher.ready().await;
    }

    /// Waits until somebody reads the catalog.
    ///
    /// Cancel safe.
    pub async fn used(&self) {
        self.publisher.used().await;
    }

    /// When the first frame was due, in the broadcast's time; `None` before one was published.
    #[must_use]
    pub fn started_at(&self) -> Option<Duration> {
        self.publisher.started_at()
    }

    /// The next thing that a person should know.
    pub fn next_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// What was published of the tracks that live.
    pub fn stats(&self) -> impl Iterator<Item = TrackStats> {
        self.packager.stats().map(|stats| TrackStats {
            age: self.publisher.age(&stats.name),
            ..stats.clone()
        })
    }

    /// Where in the input it is, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Whether the input could end here, between two boxes or packets: a file that is sent once more begins there.
    #[must_use]
    pub fn is_at_border(&self) -> bool {
        self.input.is_at_border()
    }

    /// Ends the input and begins it anew, as for a file that is sent once more. Bytes pushed later do not
    /// continue the earlier ones. The broadcast's time goes on.
    ///
    /// # Errors
    /// [`ImportError`] when no further input can help.
    pub fn begin_again(&mut self) -> Result<(), ImportError> {
        let (format, limits) = self.config;
        if format == InputFormat::Fmp4 {
            // Its boxes tell.
            return Ok(());
        }
        self.input.finish();
        self.drain()?;
        self.input = Input::new(format, limits);
        Ok(())
    }

    /// Says that the input has ended: publishes what is left, and ends all tracks well.
    ///
    /// # Errors
    /// [`ImportError::Input`] when the input ended in the middle. Everything whole is published, and
    /// the tracks have ended well all the same.
    pub fn finish(&mut self) -> Result<(), ImportError> {
        self.input.finish();
        let ended = self.drain();
        self.packager.finish()?;
        self.publish(Duration::MAX)?;
        self.publisher.finish();
        Ok(ended?)
    }

    fn drain(&mut self) -> Result<(), DemuxError> {
        while let Some(event) = self.input.next()? {
            if self.packager.push(event, Duration::ZERO).is_err() {
                break;
            }
        }
        Ok(())
    }
}
