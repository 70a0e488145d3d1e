//! Writing to stdout without blocking anything else.

use std::io::{self, BufWriter, Write};

use anyhow::Context as _;
use bytes::Bytes;
use moq_model::text::Escaped;
use tokio::sync::{mpsc, oneshot};

/// Writes on a thread of its own: at most a few batches wait, then [`Output::flush`] does.
#[derive(Debug)]
pub(crate) struct Output {
    batch: Batch,
    /// `None` once nothing more is to be written.
    batches: Option<mpsc::Sender<Vec<Bytes>>>,
    /// `None` once it has ended.
    end: Option<oneshot::Receiver<io::Result<()>>>,
}

/// What is written together.
#[derive(Debug, Default)]
struct Batch {
    chunks: Vec<Bytes>,
    bytes: usize,
}

/// A peer's text as a whole, with everything escaped that a terminal would act upon.
///
/// [`Escaped`] alone cuts long text. A name has to be typed and a reason has to be read, so neither may be
/// cut.
pub(crate) fn harmless(text: &str) -> String {
    let mut bytes = [0; 4];
    let escaped = |c: char| Escaped(c.encode_utf8(&mut bytes)).to_string();
    text.chars().map(escaped).collect()
}

/// Whoever reads stdout has closed it.
#[derive(Debug)]
pub(crate) struct OutputClosed;

impl Output {
    /// Takes over stdout.
    pub(crate) fn stdout() -> Self {
        Self::new(io::stdout)
    }

    /// Takes over what `open` yields, on the thread that writes.
    pub(crate) fn new<W: Write>(open: impl FnOnce() -> W + Send + 'static) -> Self {
        let (batches, receiver) = mpsc::channel(AHEAD);
        let (sender, end) = oneshot::channel();
        std::thread::spawn(move || {
            // Nobody waits for the end if this fails.
            let _ = sender.send(run(open(), receiver));
        });
        Self {
            batch: Batch::default(),
            batches: Some(batches),
            end: Some(end),
        }
    }

    /// Adds to the batch; true if it is time for [`Self::flush`].
    pub(crate) fn push(&mut self, chunk: Bytes) -> bool {
        self.batch.bytes += chunk.len();
        self.batch.chunks.push(chunk);
        self.batch.bytes >= BATCH_BYTES || self.batch.chunks.len() >= BATCH_CHUNKS
    }

    /// Whether there is something to flush.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.batch.chunks.is_empty()
    }

    /// Hands the batch over, waiting while earlier ones are not written yet.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub(crate) async fn flush(&mut self) -> io::Result<Result<(), OutputClosed>> {
        let batch = std::mem::take(&mut self.batch).chunks;
        if let Some(batches) = &self.batches
            && batches.send(batch).await.is_ok()
        {
            return Ok(Ok(()));
        }
        self.ended().await
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// What the system said, unless it is that nobody reads any more.
    pub(crate) async fn finish(mut self) -> io::Result<Result<(), OutputClosed>> {
        if self.is_dirty()
            && let Err(closed) = self.flush().await?
        {
            return Ok(Err(closed));
        }
        self.batches = None;
        self.ended().await
    }

    async fn ended(&mut self) -> io::Result<Result<(), OutputClosed>> {
        let Some(end) = self.end.take() else {
            return Ok(Err(OutputClosed));
        };
        match end.await {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Err(OutputClosed)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("the writing thread is gone")),
        }
    }
}

/// Hands over what is to be written, if there is something; says whether nobody reads it any more.
///
/// # Errors
/// What the system said.
pub(crate) async fn flush(output: &mut Output) -> anyhow::Result<Option<OutputClosed>> {
    if !output.is_dirty() {
        return Ok(None);
    }
    let flushed = output.flush().await.context("cannot write to stdout")?;
    Ok(flushed.err())
}

/// Writes to stdout at once; says whether anybody still reads it.
///
/// # Errors
/// What the system said.
pub(crate) fn print(text: &str) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

fn run(output: impl Write, mut batches: mpsc::Receiver<Vec<Bytes>>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(BUFFER, output);
    while let Some(batch) = batches.blocking_recv() {
        for chunk in batch {
            output.write_all(&chunk)?;
        }
        if batches.is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

/// Bytes after which a batch is handed over.
const BATCH_BYTES: usize = 256 << 10;

/// Chunks after which a batch is handed over.
const BATCH_CHUNKS: usize = 1_024;

/// Batches that may wait.
const AHEAD: usize = 2;

/// Bytes gathered from small chunks before they are written.
const BUFFER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[tokio::test]
    async fn everything_is_written_in_order() {
        let memory = Memory::default();
        let mut output = Output::new({
            let memory = memory.clone();
            move || memory
        });
        let mut expected = Vec::new();
        for i in 0..3_000_u32 {
            let chunk = Bytes::from(vec![i.to_le_bytes()[0]; 997]);
            expected.extend_from_slice(&chunk);
            if output.push(chunk) {
                output.flush().await.unwrap().unwrap();
            }
        }
        output.finish().await.unwrap().unwrap();
        assert!(*memory.0.lock().unwrap() == expected);
    }

    #[tokio::test]
    async fn a_closed_pipe_is_not_an_error() {
        let mut output = Output::new(|| Failing(io::ErrorKind::BrokenPipe));
        output.push("x".into());
        assert!(output.finish().await.unwrap().is_err());
        let mut output = Output::new(|| Failing(io::ErrorKind::BrokenPipe));
        output.push("x".into());
        while output.flush().await.unwrap().is_ok() {}
        assert!(output.finish().await.unwrap().is_err());
        let mut output = Output::new(|| Failing(io::ErrorKind::StorageFull));
        output.push("x".into());
        assert_eq!(
            output.finish().await.unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }
}
