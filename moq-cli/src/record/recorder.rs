//! The one loop that writes.

use std::time::Duration;

use anyhow::Context as _;
use moq_media::recording::{Record, RecordingWriter};
use moq_model::platform::clock;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::reel::Reel;
use super::shelf::Shelf;
use crate::args::RecordArgs;
use crate::exit::{Exit, Failure};
use crate::media::{Stats, Tally};
use crate::output::Output;
use crate::progress::Console;

/// Why no more is written.
pub(super) enum Stopped {
    /// The file has as many bytes as it may.
    Full,
    /// It can't be written.
    Failed(anyhow::Error),
}

/// Writes what comes.
pub(super) struct Recorder<'a> {
    records: mpsc::Receiver<Record>,
    shelf: Shelf,
    file: Part,
    /// Follows what the next file needs; `None` if there is only one.
    reel: Option<Reel>,
    pub(super) start: clock::Instant,
    unix: Duration,
    split: Duration,
    max_size: u64,
    /// Bytes of the files before.
    before: u64,
    frames: u64,
    groups: u64,
    console: &'a Console,
    redraw: Interval,
    tally: Tally,
    stats: Stats<'a>,
}

/// The file that is being written.
struct Part {
    number: u32,
    name: String,
    writer: RecordingWriter,
    output: Output,
    /// When it began.
    at: Duration,
    /// Bytes that it began with.
    head: u64,
}

impl<'a> Recorder<'a> {
    /// Creates the file.
    ///
    /// # Errors
    /// If it can't be created, or is there already.
    pub(super) fn new(
        records: mpsc::Receiver<Record>,
        args: &RecordArgs,
        console: &'a Console,
    ) -> anyhow::Result<Self> {
        let reel = args.split.map(|_| Reel::default());
        let shelf = Shelf::new(&args.file, reel.is_some())?;
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let unix = clock::unix();
        let file = Part::create(&shelf, reel.as_ref(), 1, unix, Duration::ZERO)?;
        Ok(Self {
            records,
            shelf,
            file,
            reel,
            start: clock::now(),
            unix,
            split: args.split.unwrap_or(Duration::MAX),
            max_size: args.max_size.unwrap_or(u64::MAX),
            before: 0,
            frames: 0,
            groups: 0,
            console,
            redraw,
            tally: Tally::default(),
            stats: Stats::open(args.stats_json.as_ref(), console)?,
        })
    }

    /// Writes records until nobody has any.
    pub(super) async fn write(&mut self) -> Result<(), Stopped> {
        loop {
            let record = match self.records.try_recv() {
                Ok(record) => record,
                Err(mpsc::error::TryRecvError::Disconnected) => return Ok(()),
                Err(mpsc::error::TryRecvError::Empty) => {
                    // The file stays readable if this process is killed.
                    self.file.flush().await.map_err(Stopped::Failed)?;
                    tokio::select! {
                        biased;
                        record = self.records.recv() => match record {
                            Some(record) => record,
                            None => return Ok(()),
                        },
                        _ = self.redraw.tick() => {
                            self.show().map_err(Stopped::Failed)?;
                            continue;
                        }
                    }
                }
            };
            if self.is_over(&record) {
                self.turn().await.map_err(Stopped::Failed)?;
            }
            if self.push(&record) {
                self.file.flush().await.map_err(Stopped::Failed)?;
            }
            if self.reel.is_none() && self.file.writer.offset() >= self.max_size {
                return Err(Stopped::Full);
            }
        }
    }

    /// Whether the next file begins with this record.
    fn is_over(&self, record: &Record) -> bool {
        let Some(reel) = &self.reel else {
            return false;
        };
        let offset = self.file.writer.offset();
        if offset >= self.max_size && offset - self.file.head >= MIN_BYTES {
            return true;
        }
        let age = self.start.elapsed().saturating_sub(self.file.at);
        let late = age.checked_sub(self.split);
        late.is_some_and(|late| late >= PATIENCE || reel.is_border(record))
    }

    /// Ends the file, and begins the next.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let at = self.start.elapsed();
        let number = self.file.number.saturating_add(1);
        let reel = self.reel.as_ref();
        let next = Part::create(&self.shelf, reel, number, self.unix, at)?;
        let former = std::mem::replace(&mut self.file, next);
        self.before += former.finish(at).await?;
        Ok(())
    }

    /// Takes a record; says whether it is time to flush.
    fn push(&mut self, record: &Record) -> bool {
        match record {
            Record::Group { .. } => self.groups += 1,
            Record::Frame { .. } => self.frames += 1,
            _ => {}
        }
        self.tally.note(record);
        if let Some(reel) = &mut self.reel {
            reel.note(record);
        }
        self.file.push(record)
    }

    fn show(&mut self) -> anyhow::Result<()> {
        self.console.show(|| self.told());
        let tally = &self.tally;
        self.stats.tell(|| tally.lines())
    }

    fn told(&self) -> String {
        let seconds = self.start.elapsed().as_secs();
        let bytes = self.before + self.file.writer.offset();
        let mut text = format!(
            "{seconds} s, {} frames in {} groups, {bytes} bytes",
            self.frames, self.groups
        );
        if self.file.number > 1 {
            text += &format!(", {} files", self.file.number);
        }
        text
    }

    /// Writes what is left, and the index.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        while let Ok(record) = self.records.try_recv() {
            self.push(&record);
        }
        self.console
            .note(format_args!("recorded {}: {}", self.file.name, self.told()));
        let tally = &self.tally;
        self.stats.end(|| tally.lines())?;
        self.file.finish(self.start.elapsed()).await?;
        Ok(())
    }
}

impl Part {
    fn create(
        shelf: &Shelf,
        reel: Option<&Reel>,
        number: u32,
        unix: Duration,
        at: Duration,
    ) -> anyhow::Result<Self> {
        let (output, name) = shelf.create(number)?;
        let (writer, start) = RecordingWriter::start(unix);
        let mut part = Self {
            number,
            name,
            writer,
            output,
            at,
            head: 0,
        };
        part.output.push(start);
        for record in reel.iter().flat_map(|reel| reel.beginning(number, at)) {
            part.push(&record);
        }
        part.head = part.writer.offset();
        Ok(part)
    }

    /// Takes a record; says whether it is time to flush.
    fn push(&mut self, record: &Record) -> bool {
        let [head, payload] = self.writer.write(record);
        let is_full = self.output.push(head);
        (!payload.is_empty() && self.output.push(payload)) || is_full
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        if !self.output.is_dirty() {
            return Ok(());
        }
        let flushed = self.output.flush().await;
        flushed
            .with_context(|| self.cannot_write())?
            .map_err(|_| anyhow::Error::new(self.cannot_write()))
    }

    /// Writes the index; yields how many bytes there are.
    async fn finish(mut self, at: Duration) -> anyhow::Result<u64> {
        let (failure, offset) = (self.cannot_write(), self.writer.offset());
        let index = self.writer.finish(at);
        let bytes = offset + index.len() as u64;
        self.output.push(index);
        let finished = self.output.finish().await.context(failure)?;
        finished.map_err(|_| Failure::new(Exit::Failed, "nobody reads the recording"))?;
        Ok(bytes)
    }

    fn cannot_write(&self) -> Failure {
        Failure::new(Exit::Failed, format!("cannot write {}", self.name))
    }
}

/// How long a file that is long enough waits for a good place to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file has so many bytes of its own, whatever was asked for.
const MIN_BYTES: u64 = 16 << 10;

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);
