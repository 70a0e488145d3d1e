//! `moq record`: all tracks of broadcasts, in one file.
//!
//! Each broadcast has a session of its own ([`broadcast`]), each of its tracks a future of its own
//! ([`track`]). What they see becomes records, which one loop writes.

mod broadcast;
mod tape;
mod track;

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use moq_media::recording::{Record, RecordingWriter};
use moq_model::platform::clock;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::args::RecordArgs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Console;
use crate::signal::Signals;
use tape::{Numbers, Tape};

/// Runs the command.
pub(crate) async fn run(
    args: RecordArgs,
    console: &Console,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let file = create(&args.file)?;
    let (sender, records) = mpsc::channel(AHEAD);
    let numbers = Numbers::default();
    let mut recorder = Recorder::new(file, records, &args, console);
    let start = recorder.start;
    let broadcasts = args.broadcasts.iter().map(|path| {
        let tape = Tape::new(numbers.clone(), sender.clone(), start);
        broadcast::record(&args, path, tape, console)
    });
    let broadcasts = join_all(broadcasts.collect::<Vec<_>>());
    // The writer ends with the last of those who have something to write.
    drop(sender);
    let ended = async {
        Ok(tokio::select! {
            ended = broadcasts => first_failure(ended),
            exit = signals.next() => Ok(exit),
        })
    };
    let ended = tokio::try_join!(ended, recorder.write());
    if let Err(Stopped::Failed(error)) = ended {
        return Err(error);
    }
    recorder.finish().await?;
    match ended {
        Ok((ended, ())) => ended,
        Err(_) => Ok(Exit::Ok),
    }
}

/// The first broadcast that did not end well decides.
fn first_failure(ended: Vec<anyhow::Result<()>>) -> anyhow::Result<Exit> {
    for ended in ended {
        ended?;
    }
    Ok(Exit::Ok)
}

fn create(path: &Path) -> anyhow::Result<File> {
    // What is no regular file, such as /dev/null, can be written over without loss.
    let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let mut options = OpenOptions::new();
    options.write(true);
    if !is_special {
        options.create_new(true);
    }
    options.open(path).with_context(|| {
        let what = format!("cannot create {}", path.display());
        Failure::new(Exit::Failed, what).with_hint("give the name of a file that is not there yet")
    })
}

/// Why no more is written.
enum Stopped {
    /// The file has as many bytes as it may.
    Full,
    /// It can't be written.
    Failed(anyhow::Error),
}

/// Writes what comes.
struct Recorder<'a> {
    records: mpsc::Receiver<Record>,
    writer: RecordingWriter,
    output: Output,
    start: clock::Instant,
    max_size: u64,
    frames: u64,
    groups: u64,
    name: String,
    console: &'a Console,
    redraw: Interval,
}

impl<'a> Recorder<'a> {
    fn new(
        file: File,
        records: mpsc::Receiver<Record>,
        args: &RecordArgs,
        console: &'a Console,
    ) -> Self {
        let (writer, first) = RecordingWriter::start(clock::unix());
        let mut output = Output::new(move || file);
        output.push(first);
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            records,
            writer,
            output,
            start: clock::now(),
            max_size: args.max_size.unwrap_or(u64::MAX),
            frames: 0,
            groups: 0,
            name: args.file.display().to_string(),
            console,
            redraw,
        }
    }

    /// Writes records until nobody has any.
    async fn write(&mut self) -> Result<(), Stopped> {
        loop {
            let record = match self.records.try_recv() {
                Ok(record) => record,
                Err(mpsc::error::TryRecvError::Disconnected) => return Ok(()),
                Err(mpsc::error::TryRecvError::Empty) => {
                    // The file stays readable if this process is killed.
                    self.flush().await.map_err(Stopped::Failed)?;
                    tokio::select! {
                        biased;
                        record = self.records.recv() => match record {
                            Some(record) => record,
                            None => return Ok(()),
                        },
                        _ = self.redraw.tick() => {
                            self.console.show(|| self.told());
                            continue;
                        }
                    }
                }
            };
            if self.push(&record) {
                self.flush().await.map_err(Stopped::Failed)?;
            }
            if self.writer.offset() >= self.max_size {
                return Err(Stopped::Full);
            }
        }
    }

    /// Takes a record; says whether it is time to flush.
    fn push(&mut self, record: &Record) -> bool {
        match record {
            Record::Group { .. } => self.groups += 1,
            Record::Frame { .. } => self.frames += 1,
            _ => {}
        }
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

    fn cannot_write(&self) -> Failure {
        Failure::new(Exit::Failed, format!("cannot write {}", self.name))
    }

    fn told(&self) -> String {
        let seconds = self.start.elapsed().as_secs();
        format!(
            "{seconds} s, {} frames in {} groups, {} bytes",
            self.frames,
            self.groups,
            self.writer.offset()
        )
    }

    /// Writes what is left, and the index.
    async fn finish(mut self) -> anyhow::Result<()> {
        while let Ok(record) = self.records.try_recv() {
            self.push(&record);
        }
        self.console
            .note(format_args!("recorded {}: {}", self.name, self.told()));
        let failure = self.cannot_write();
        self.output.push(self.writer.finish(self.start.elapsed()));
        let finished = self.output.finish().await.context(failure)?;
        finished.map_err(|_| Failure::new(Exit::Failed, "nobody reads the recording").into())
    }
}

/// Records that may wait to be written.
const AHEAD: usize = 1_024;

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);
