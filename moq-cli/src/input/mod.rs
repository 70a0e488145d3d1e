//! From bytes to frames and groups: what needs no clock and no I/O but the reading itself.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use moq_model::platform::clock;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use crate::args::Mode;
use crate::pattern::Pattern;

/// Where the input comes from. Opened before anything is dialled, read when it is wanted.
#[derive(Debug)]
pub(crate) enum Source {
    /// The standard input.
    Stdin,
    /// A file.
    File(File),
    /// The test pattern, for so long or for ever.
    Pattern(Option<Duration>),
}

impl Source {
    /// Opens the input: a file, or stdin without one or for `-`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdin);
        };
        let open = || -> io::Result<File> {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Ok(file)
        };
        let hint = "check its name and permissions, or give - for stdin";
        let failure = || {
            crate::exit::Failure::new(
                crate::exit::Exit::Failed,
                format!("cannot read {}", path.display()),
            )
            .with_hint(hint)
        };
        open().map(Self::File).with_context(failure)
    }

    /// Whether it is a file, which is there as a whole, and no pipe.
    pub(crate) fn is_file(&self) -> bool {
        let is_file = |file: &File| file.metadata().is_ok_and(|metadata| metadata.is_file());
        match self {
            Self::File(file) => is_file(file),
            Self::Pattern(_) => false,
            Self::Stdin => {
                let handle = io::stdin().as_fd().try_clone_to_owned();
                handle.is_ok_and(|handle| is_file(&handle.into()))
            }
        }
    }

    /// Reads on a thread of its own, since no read of a terminal or pipe can be cancelled. The
    /// channel ends with the input or its error.
    pub(crate) fn read(self) -> mpsc::Receiver<io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        std::thread::spawn(move || {
            let end = match self {
                Self::Stdin => pump(io::stdin().lock(), &sender),
                Self::File(file) => pump(file, &sender),
                Self::Pattern(duration) => make(duration, &sender).map_err(io::Error::other),
            };
            if let Err(error) = end {
                // Nobody is left to tell if this fails.
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }
}

fn pump(mut input: impl Read, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                let chunk = Bytes::copy_from_slice(&buffer[..read]);
                if sender.blocking_send(Ok(chunk)).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn make(
    duration: Option<Duration>,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> anyhow::Result<()> {
    let mut pattern = Pattern::new(duration, clock::unix())?;
    while let Some(bytes) = pattern.next()? {
        if sender.blocking_send(Ok(bytes)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Cuts input into frames.
#[derive(Debug)]
pub(crate) struct Framer {
    mode: Mode,
    pending: BytesMut,
    /// How much of `pending` holds no line end.
    scanned: usize,
    lines: u64,
}

impl Framer {
    /// A framer for one input.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            pending: BytesMut::new(),
            scanned: 0,
            lines: 0,
        }
    }

    /// Takes the next bytes of the input and hands the frames in them to `frames`.
    ///
    /// # Errors
    /// [`InputError`] on a line that cannot be a frame.
    pub(crate) fn push(&mut self, chunk: Bytes, frames: &mut Vec<Bytes>) -> Result<(), InputError> {
        if self.mode == Mode::Raw {
            frames.push(chunk);
            return Ok(());
        }
        self.pending.extend_from_slice(&chunk);
        while let Some(at) = self.pending[self.scanned..]
            .iter()
            .position(|b| *b == b'\n')
        {
            let mut line = self.pending.split_to(self.scanned + at + 1);
            line.truncate(line.len() - 1);
            self.scanned = 0;
            frames.push(self.line(line.freeze())?);
        }
        self.scanned = self.pending.len();
        if self.scanned > MAX_LINE {
            return Err(InputError::TooLong {
                line: self.lines + 1,
            });
        }
        Ok(())
    }

    /// The last line, if it lacks its end.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn finish(mut self) -> Result<Option<Bytes>, InputError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let line = self.pending.split().freeze();
        self.line(line).map(Some)
    }

    fn line(&mut self, line: Bytes) -> Result<Bytes, InputError> {
        self.lines += 1;
        if line.len() > MAX_LINE {
            return Err(InputError::TooLong { line: self.lines });
        }
        if self.mode == Mode::Json {
            check_json(&line).map_err(|why| InputError::NotJson {
                line: self.lines,
                why,
            })?;
        }
        Ok(line)
    }
}

/// Says why a line is no JSON value, if so.
pub(crate) fn check_json(line: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let parsed = serde_json::from_str::<IgnoredAny>(text);
    parsed.map(|_| ()).map_err(|error| error.to_string())
}

/// A line that cannot be a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InputError {
    /// It does not fit into a group.
    TooLong {
        /// Counted from 1.
        line: u64,
    },
    /// It is no JSON value.
    NotJson {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl std::fmt::Display for InputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong { line } => {
                write!(
                    f,
                    "line {line} of the input is longer than {} MiB",
                    MAX_LINE >> 20
                )
            }
            Self::NotJson { line, why } => write!(f, "line {line} of the input is no JSON: {why}"),
        }
    }
}

impl std::error::Error for InputError {}

/// When a group is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Frames.
    pub(crate) frames: usize,
    /// Bytes, exceeded only by a single frame.
    pub(crate) bytes: usize,
    /// Time since it began.
    pub(crate) age: Option<Duration>,
}

impl GroupLimits {
    /// What holds for a mode unless something else was asked for.
    pub(crate) fn new(mode: Mode, frames: Option<u32>, bytes: usize) -> Self {
        let asked = frames.and_then(|frames| usize::try_from(frames).ok());
        match mode {
            Mode::Raw => Self {
                frames: asked.unwrap_or(MAX_FRAMES),
                bytes,
                age: Some(RAW_GROUP),
            },
            Mode::Lines | Mode::Json => Self {
                frames: asked.unwrap_or(1),
                bytes,
                age: None,
            },
        }
    }

    /// Whether a group that holds so much has room for a frame of `next` bytes.
    pub(crate) fn admit(&self, frames: usize, bytes: usize, next: usize) -> bool {
        frames == 0 || (frames < self.frames && bytes + next <= self.bytes)
    }

    /// Whether a group that holds so much can be ended at once.
    pub(crate) fn is_full(&self, frames: usize, bytes: usize) -> bool {
        frames >= self.frames || bytes >= self.bytes
    }
}

/// Bytes that one read takes, and so the most that a raw frame has.
const CHUNK: usize = 64 << 10;

/// Reads that may wait to be published.
const AHEAD: usize = 4;

/// Bytes that a line may have, well below what a group can hold.
const MAX_LINE: usize = 16 << 20;

/// Frames that a group can hold.
const MAX_FRAMES: usize = 8_192;

/// How long a raw group lasts.
const RAW_GROUP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
